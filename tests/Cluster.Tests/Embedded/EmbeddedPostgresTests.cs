using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Resources.Silo;

namespace Resources.Cluster.Tests;

public sealed class EmbeddedPostgresTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly TestDirectory directory = new();
    readonly TestDirectory other = new();

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        directory.Dispose();
        other.Dispose();
    }

    [Fact]
    public async Task Stopped_server_is_gone_and_keeps_its_data()
    {
        int pid;
        await using (var first = await StartAsync(directory))
        {
            await ExecuteAsync(first.ConnectionString, "create table kept (n int); insert into kept values (42)");
            pid = PostmasterOf(directory);
            Assert.True(IsAlive(pid));
        }
        await GoneAsync(pid);

        await using var second = await StartAsync(directory);
        Assert.Equal(42, await ExecuteAsync(second.ConnectionString, "select n from kept"));
    }

    [Fact]
    public async Task Two_directories_run_side_by_side()
    {
        await using var one = await StartAsync(directory);
        await using var two = await StartAsync(other);
        await ExecuteAsync(one.ConnectionString, "create table here (n int)");

        Assert.NotEqual(one.ConnectionString, two.ConnectionString);
        Assert.Equal(DBNull.Value, await ExecuteAsync(two.ConnectionString, "select to_regclass('here')::text"));
    }

    [Fact]
    public async Task Second_node_on_the_same_directory_is_refused()
    {
        await using var first = await StartAsync(directory);

        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(() => StartAsync(directory));

        Assert.Contains("Another node is using the data directory", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Embedded__DataDirectory", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings__Resources", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, await ExecuteAsync(first.ConnectionString, "select 1"));
    }

    [Fact]
    public async Task Server_ends_within_five_seconds_after_its_node_is_killed()
    {
        using var node = await EmbeddedPostgresProcess.StartAsync(directory.Path);
        await ExecuteAsync(node.ConnectionString, "select 1");
        var pid = PostmasterOf(directory);

        node.Kill();

        await GoneAsync(pid);
        await using var next = await StartAsync(directory);
    }

    [Fact]
    public async Task Orphaned_server_is_stopped_at_the_next_start()
    {
        using var node = await EmbeddedPostgresProcess.StartAsync(directory.Path);
        await ExecuteAsync(node.ConnectionString, "create table kept (n int); insert into kept values (42)");
        var pid = PostmasterOf(directory);
        using (var supervisor = Process.GetProcessById(node.SupervisorId))
            supervisor.Kill();
        node.Kill();
        await Task.Delay(TimeSpan.FromSeconds(1), Cancelled);
        Assert.True(IsAlive(pid));

        await using var next = await StartAsync(directory);

        await GoneAsync(pid);
        Assert.Equal(42, await ExecuteAsync(next.ConnectionString, "select n from kept"));
    }

    [Fact]
    public async Task Server_without_its_supervisor_still_stops_with_the_node()
    {
        int pid;
        await using (var server = await StartAsync(directory))
        {
            pid = PostmasterOf(directory);
            using var supervisor = Process.GetProcessById(server.SupervisorId!.Value);
            supervisor.Kill();
        }
        await GoneAsync(pid);
    }

    [Fact]
    public async Task Killed_server_restarts_with_its_committed_data()
    {
        await using (var first = await StartAsync(directory))
        {
            await ExecuteAsync(first.ConnectionString, "create table kept (n int); insert into kept values (42)");
            using var postmaster = Process.GetProcessById(PostmasterOf(directory));
            postmaster.Kill();
        }

        await using var second = await StartAsync(directory);
        Assert.Equal(42, await ExecuteAsync(second.ConnectionString, "select n from kept"));
    }

    [Fact]
    public async Task Stale_pid_file_with_a_reused_pid_neither_blocks_the_start_nor_harms_that_process()
    {
        await using (await StartAsync(directory)) { }
        var pidFile = Path.Combine(directory.Path, "postgres", "postmaster.pid");
        await File.WriteAllTextAsync(
            pidFile,
            $"{Environment.ProcessId}\n{directory.Path}/postgres\n0\n5432\n\n127.0.0.1\n",
            Cancelled
        );

        await using var next = await StartAsync(directory);
        Assert.NotEqual(Environment.ProcessId, PostmasterOf(directory));
    }

    [Fact]
    public async Task Interrupted_initdb_does_not_block_the_next_start()
    {
        Directory.CreateDirectory(Path.Combine(directory.Path, "postgres.new1", "base"));
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "postgres.new1", "PG_VERSION"), "15", Cancelled);

        await using var server = await StartAsync(directory);

        Assert.Equal(1, await ExecuteAsync(server.ConnectionString, "select 1"));
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path, "postgres.new*"));
    }

    [Fact]
    public async Task Server_listens_on_loopback_only_and_never_skips_a_flush()
    {
        await using var server = await StartAsync(directory);

        Assert.Equal("127.0.0.1", await ExecuteAsync(server.ConnectionString, "show listen_addresses"));
        Assert.Equal("", await ExecuteAsync(server.ConnectionString, "show unix_socket_directories"));
        Assert.Equal("on", await ExecuteAsync(server.ConnectionString, "show fsync"));
        Assert.Equal(
            "C|UTF8",
            await ExecuteAsync(
                server.ConnectionString,
                "select datcollate || '|' || pg_encoding_to_char(encoding) from pg_database where datname = 'resources'"
            )
        );
        var stranger = new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Password = "guess",
        }.ConnectionString;
        await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(stranger, "select 1"));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(directory.Path, "postgres-password"))
            );
    }

    static Task<EmbeddedPostgres> StartAsync(TestDirectory directory) =>
        EmbeddedPostgres.StartAsync(new() { DataDirectory = directory.Path }, NullLogger.Instance, Cancelled);

    static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancelled);
    }

    static int PostmasterOf(TestDirectory directory) =>
        int.Parse(
            File.ReadLines(Path.Combine(directory.Path, "postgres", "postmaster.pid")).First(),
            CultureInfo.InvariantCulture
        );

    static async Task GoneAsync(int pid)
    {
        for (var watch = Stopwatch.StartNew(); IsAlive(pid); await Task.Delay(50, Cancelled))
            Assert.True(watch.Elapsed < Patience, $"PostgreSQL (pid {pid}) is still alive after {Patience}.");
    }

    static bool IsAlive(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
