using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// A process that owns an embedded PostgreSQL and can be killed. It is this executable, started again with a variable
/// set.
/// </summary>
internal sealed class EmbeddedPostgresProcess : IDisposable
{
    const string DirectoryVariable = "RESOURCES_TEST_NODE_DIRECTORY";

    readonly Process process;

    EmbeddedPostgresProcess(Process process, int supervisorId, string connectionString)
    {
        this.process = process;
        SupervisorId = supervisorId;
        ConnectionString = connectionString;
    }

    public int SupervisorId { get; }
    public string ConnectionString { get; }

    public static async Task<EmbeddedPostgresProcess> StartAsync(string dataDirectory)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Resources.Cluster.Tests"))
        {
            RedirectStandardOutput = true,
            Environment = { [DirectoryVariable] = dataDirectory },
        };
        var process = Process.Start(start)!;
        var supervisor = await process.StandardOutput.ReadLineAsync();
        var connectionString = await process.StandardOutput.ReadLineAsync();
        return new(process, int.Parse(supervisor!, CultureInfo.InvariantCulture), connectionString!);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        Kill();
        process.Dispose();
    }

    // Runs before the test runner's own Main and, in the child, never returns to it.
    [ModuleInitializer]
    internal static void BecomeNode()
    {
        if (Environment.GetEnvironmentVariable(DirectoryVariable) is not { } directory)
            return;
        var server = EmbeddedPostgres
            .StartAsync(new() { DataDirectory = directory }, NullLogger.Instance, CancellationToken.None)
            .GetAwaiter()
            .GetResult();
        server.KeepRunning();
        Console.WriteLine(server.SupervisorId);
        Console.WriteLine(server.ConnectionString);
        Thread.Sleep(Timeout.Infinite);
    }
}
