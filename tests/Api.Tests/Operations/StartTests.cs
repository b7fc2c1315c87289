using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Starts under conditions that do not do: each ends with one line that says what is wrong, and makes nothing.</summary>
public sealed class StartTests(Backend backend)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Port_in_use_is_named_before_anything_is_made()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var database = await backend.CreateDatabaseAsync();

        var line = await EndAsync(
            1,
            ("ConnectionStrings:Resources", database),
            ("ASPNETCORE_URLS", $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}")
        );

        Assert.Contains("Set ASPNETCORE_URLS", line, StringComparison.Ordinal);
        await using var source = NpgsqlDataSource.Create(database);
        await using var tables = source.CreateCommand("select count(*) from pg_tables where schemaname = 'public'");
        Assert.Equal(0L, await tables.ExecuteScalarAsync(Cancelled));
    }

    /// <summary>The container image gives a port and no URL.</summary>
    [Fact]
    public void Default_address_is_not_checked_where_another_port_is_given()
    {
        using var other = new TcpListener(IPAddress.Loopback, 8080);
        try
        {
            other.Start();
        }
        catch (SocketException)
        {
            // Somebody else has it, which is as good.
        }
        Pipeline.EnsureFree(
            new ConfigurationBuilder().AddInMemoryCollection([new("http_ports", $"{FreePort.Find()}")]).Build(),
            isDevelopment: false
        );
    }

    [Fact]
    public async Task Unreachable_server_is_worth_another_try()
    {
        var line = await EndAsync(75, ("ConnectionStrings:Resources", "Host=127.0.0.1;Port=1;Timeout=1"));
        Assert.StartsWith("PostgreSQL cannot be reached:", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Password", "wrong", "PostgreSQL refuses the account")]
    [InlineData("Database", "nowhere", "Create the database")]
    public async Task Wrong_credentials_or_database_are_named(string part, string value, string expected)
    {
        var settings = new NpgsqlConnectionStringBuilder(await backend.CreateDatabaseAsync()) { [part] = value };
        Assert.StartsWith(
            "PostgreSQL",
            await EndAsync(1, ("ConnectionStrings:Resources", settings.ConnectionString)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            expected,
            await EndAsync(1, ("ConnectionStrings:Resources", settings.ConnectionString)),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("Hostess=here;Password=s3cret")]
    [InlineData("postgres://user:s3cret@host/database?unknown=1")]
    [InlineData("postgres://user:s3cret@host/database?sslmode=sometimes")]
    [InlineData("something else")]
    public async Task Malformed_connection_string_is_refused_without_being_shown(string given)
    {
        var line = await EndAsync(1, ("ConnectionStrings:Resources", given));
        Assert.Contains("ConnectionStrings:Resources", line, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Almost_known_sections_are_named()
    {
        var line = await EndAsync(
            1,
            ("RateLimit:Default:Permits", "5"),
            ("ConnectionStrings:Resource", "Host=127.0.0.1"),
            ("Something:Else", "1")
        );
        Assert.Contains(
            "RateLimit: There is no such section. Did you mean RateLimits?",
            line,
            StringComparison.Ordinal
        );
        Assert.Contains("Did you mean Resources?", line, StringComparison.Ordinal);
        Assert.DoesNotContain("Something", line, StringComparison.Ordinal);
    }

    /// <summary>Login shells set MAIL.</summary>
    [Fact]
    public async Task Variable_of_the_environment_with_the_name_of_a_section_is_no_fault()
    {
        await using var node = await ServerProcess.StartReadyAsync(
            await backend.CreateDatabaseAsync(),
            $"{Guid.NewGuid():n}",
            ("MAIL", "/var/mail/somebody")
        );
        Assert.False(node.HasExited);
    }

    [Fact]
    public async Task Missing_rights_are_named()
    {
        var database = await backend.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        await using var grant = source.CreateCommand(
            "create role powerless login password 'powerless'; revoke create on schema public from public"
        );
        await grant.ExecuteNonQueryAsync(Cancelled);
        var settings = new NpgsqlConnectionStringBuilder(database) { Username = "powerless", Password = "powerless" };

        var line = await EndAsync(1, ("ConnectionStrings:Resources", settings.ConnectionString));

        Assert.StartsWith("The account lacks a right in PostgreSQL", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Url_of_a_database_is_accepted()
    {
        var settings = new NpgsqlConnectionStringBuilder(await backend.CreateDatabaseAsync());
        await using var node = await ServerProcess.StartReadyAsync(
            $"postgres://{settings.Username}:{settings.Password}@127.0.0.1:{settings.Port}/{settings.Database}",
            $"{Guid.NewGuid():n}"
        );
        using var client = node.Client(await node.SignInAsync());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/resources", Cancelled)).StatusCode);
    }

    [Fact]
    public async Task Migrate_applies_the_schema_whatever_the_configuration_says()
    {
        var database = await backend.CreateDatabaseAsync();
        await EndAsync(1, ("ConnectionStrings:Resources", database), ("Schema:ApplyOnStart", "false"));
        var (code, output) = await ServerProcess.RunAsync(
            Options(("ConnectionStrings:Resources", database), ("Schema:ApplyOnStart", "false")),
            "migrate"
        );
        Assert.True(code is 0, output);
        await using var source = NpgsqlDataSource.Create(database);
        await using var scripts = source.CreateCommand("select count(*) from schema_scripts");
        Assert.True(await scripts.ExecuteScalarAsync(Cancelled) is > 10L);
    }

    [Fact]
    public async Task Requests_are_logged_where_the_operator_wants_it()
    {
        await using var node = await ServerProcess.StartReadyAsync(
            await backend.CreateDatabaseAsync(),
            $"{Guid.NewGuid():n}",
            ("Logging:Requests", "true")
        );
        using var client = node.Client(await node.SignInAsync());
        using var answer = await client.GetAsync("/api/v1/resources?q=private", Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        await Eventually.HoldsAsync(
            () => node.Lines.Any(line => line.Contains("GET /api/v1/resources 200 in ", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(10)
        );
        var line = node.Lines.First(line => line.Contains("GET /api/v1/resources 200 in ", StringComparison.Ordinal));
        Assert.DoesNotContain("private", line, StringComparison.Ordinal);
        var entry = System.Text.Json.JsonElement.Parse(line);
        Assert.EndsWith("Z", entry.GetProperty("time").GetString(), StringComparison.Ordinal);
        Assert.Equal("200", entry.GetProperty("values").GetProperty("Status").GetString());
    }

    /// <summary>Runs the program to its end. Returns what it printed, which has no stack.</summary>
    static async Task<string> EndAsync(int expected, params (string Key, string Value)[] options)
    {
        var (code, output) = await ServerProcess.RunAsync(Options(options));
        Assert.True(code == expected, $"{code}: {output}");
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        return output.Trim();
    }

    static Dictionary<string, string> Options(params (string Key, string Value)[] options) =>
        new(
            options
                .Prepend(("ASPNETCORE_URLS", "http://127.0.0.1:0"))
                .Prepend(("Secrets:MasterKey", Convert.ToBase64String(new byte[32])))
                .GroupBy(option => option.Item1)
                .Select(given => KeyValuePair.Create(given.Key, given.Last().Item2))
        );
}
