using System.Security.Cryptography;

namespace Resources.Tests;

/// <summary>
/// The real server, as production configures it, on a database of the caller's. It has two forms.
/// <list type="bullet">
/// <item><c>InProcessServer</c> starts in a second, lets a test set its clock and reads its log and services.</item>
/// <item><see cref="ServerProcess"/> is a process that a test can kill, pause and stop.</item>
/// </list>
/// </summary>
abstract class TestServer : IAsyncDisposable
{
    public const string AdminEmail = "admin@example.org";
    public const string AdminPassword = "the first of all passwords";

    // All servers of a run share it: one that starts on the database of another can read its secrets.
    public static readonly string MasterKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>The database.</summary>
    public abstract string ConnectionString { get; }

    /// <summary>The URL at which the server listens.</summary>
    public abstract Uri Address { get; }

    public abstract ValueTask DisposeAsync();

    /// <summary>What both forms have: a cluster of its own, an administrator, and limits that no test meets.</summary>
    /// <param name="options">Options of the test, which win.</param>
    public static Dictionary<string, string> Configure(
        string connectionString,
        IEnumerable<(string Key, string Value)> options
    )
    {
        var settings = new Dictionary<string, string>
        {
            ["ConnectionStrings:Resources"] = connectionString,
            ["Secrets:MasterKey"] = MasterKey,
            ["Bootstrap:AdminEmail"] = AdminEmail,
            ["Bootstrap:AdminPassword"] = AdminPassword,
            ["Cluster:ClusterId"] = Guid.NewGuid().ToString("n"),
            ["Shutdown:DrainSeconds"] = "0",
            ["RateLimits:Default:Permits"] = "1000000000",
            ["RateLimits:Login:Permits"] = "1000000000",
            ["RateLimits:LoginPair:Permits"] = "1000000000",
            ["RateLimits:LoginAccount:Permits"] = "1000000000",
            ["RateLimits:Mfa:Permits"] = "1000000000",
            ["RateLimits:Reset:Permits"] = "1000000000",
            ["RateLimits:Streams:Permits"] = "1000000000",
            ["RateLimits:Lookups:Permits"] = "1000000000",
            ["RateLimits:Users:Permits"] = "1000000000",
            ["RateLimits:Roles:Permits"] = "1000000000",
            ["RateLimits:ApiKeys:Permits"] = "1000000000",
            ["RateLimits:Subscriptions:Permits"] = "1000000000",
            ["Tokens:AccessMinutes"] = "60",
        };
        foreach (var (key, value) in options)
            settings[key] = value;
        return settings;
    }
}
