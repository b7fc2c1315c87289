using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>A PostgreSQL of its own that a test stops, freezes and starts again, on the same port.</summary>
internal sealed class StoppablePostgres : IAsyncDisposable
{
    readonly EmbeddedPostgres server;
    readonly PostgresAccount account;
    readonly string control;
    readonly string location;
    int[] paused = [];

    StoppablePostgres(EmbeddedPostgres server, PostgresAccount account, string control, string location)
    {
        this.server = server;
        this.account = account;
        this.control = control;
        this.location = location;
    }

    public string ConnectionString => server.ConnectionString;

    /// <summary>Copies the server as it runs. The copy follows it until it is promoted.</summary>
    public async Task<StandbyPostgres> FollowAsync()
    {
        var settings = new NpgsqlConnectionStringBuilder(ConnectionString);
        var copy = location + "-standby";
        // The server's programs may be linked to elsewhere, one by one.
        var programs = Path.GetDirectoryName(File.ResolveLinkTarget(control, true)?.FullName ?? control)!;
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException();
        Directory.CreateDirectory(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await account.OwnAsync(copy, CancellationToken.None);
        var (exitCode, output) = await account.RunAsync(
            [
                Path.Combine(programs, "pg_basebackup"),
                "-D",
                copy,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "-d",
                $"host=127.0.0.1 port={settings.Port} user={settings.Username} password={settings.Password}",
            ],
            CancellationToken.None
        );
        Assert.True(exitCode is 0, $"pg_basebackup ended with {exitCode}. {output}");
        return new(account, control, copy, FreePort.Find());
    }

    public static async Task<StoppablePostgres> StartAsync(string directory, CancellationToken ct)
    {
        var server = await EmbeddedPostgres.StartAsync(new() { DataDirectory = directory }, NullLogger.Instance, ct);
        var location = Path.Combine(directory, "postgres");
        return new(
            server,
            await PostgresAccount.ForAsync(location, ct),
            PostgresBinaries.FindInstalled(null, out _)!["pg_ctl"],
            location
        );
    }

    /// <summary>Stops the server: "fast" ends its sessions in order, "immediate" is a crash.</summary>
    public Task StopAsync(string mode) => ControlAsync($"stop -m {mode}");

    public Task StartAgainAsync()
    {
        var port = new NpgsqlConnectionStringBuilder(ConnectionString).Port;
        return ControlAsync(
            $"""start -l "$2/server.log" -o "-c listen_addresses=127.0.0.1 -c port={port} -c max_connections=200 -c unix_socket_directories=" """
        );
    }

    /// <summary>Freezes the server and all its processes: connections stay open and nobody answers.</summary>
    public async Task PauseAsync()
    {
        var postmaster = int.Parse(
            File.ReadLines(Path.Combine(location, "postmaster.pid")).First(),
            CultureInfo.InvariantCulture
        );
        // First the one that makes the others, so that none is missed.
        await ProcessSignal.SendAsync("STOP", postmaster);
        paused = [postmaster, .. ChildrenOf(postmaster)];
        await ProcessSignal.SendAsync("STOP", paused);
    }

    public async Task ResumeAsync()
    {
        if (paused is [])
            return;
        await ProcessSignal.SendAsync("CONT", paused);
        paused = [];
    }

    public async ValueTask DisposeAsync()
    {
        await ResumeAsync();
        await server.DisposeAsync();
    }

    Task ControlAsync(string arguments) => ControlAsync(account, control, location, arguments);

    // The server must not inherit our pipes, which would stay open as long as it lives.
    internal static async Task ControlAsync(PostgresAccount account, string control, string location, string arguments)
    {
        var (exitCode, _) = await account.RunAsync(
            [
                "/bin/sh",
                "-c",
                $"""exec "$1" -D "$2" -w -s {arguments} </dev/null >/dev/null 2>&1""",
                "sh",
                control,
                location,
            ],
            CancellationToken.None
        );
        Assert.True(exitCode is 0, $"pg_ctl {arguments} ended with {exitCode}.");
    }

    static IEnumerable<int> ChildrenOf(int parent)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Processes are listed from /proc.");
        foreach (
            var process in Directory
                .GetDirectories("/proc")
                .Select(Path.GetFileName)
                .Where(name => name!.All(char.IsAsciiDigit))
        )
        {
            string stat;
            try
            {
                stat = File.ReadAllText($"/proc/{process}/stat");
            }
            catch (IOException)
            {
                continue; // It has ended since.
            }
            // "4711 (a name) S 4710 …": the parent is the second word behind the name.
            if (stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == $"{parent}")
                yield return int.Parse(process!, CultureInfo.InvariantCulture);
        }
    }
}
