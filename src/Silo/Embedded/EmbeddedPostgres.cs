using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Resources.Silo;

/// <summary>
/// A private PostgreSQL of this node, for a start without any set-up: loopback only, durable, and gone when the node is
/// gone, also when that was killed.
/// </summary>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    const int Attempts = 5;
    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    // The node holds the other end of this shell's input. It closes with the node however that ends, and the shell then
    // stops the very server it started (by pid: a new node may have put another one on the same files). pg_ctl gives
    // the server a session of its own, so the terminal's Ctrl+C reaches neither it nor the shell, and the node can
    // drain first.
    const string Supervisor = """
        trap '' INT TERM HUP QUIT PIPE
        ctl=$1 data=$2 options=$3 pid=
        if ! "$ctl" start -D "$data" -l "$data/server.log" -o "$options" -w -t 60 -s </dev/null >/dev/null 2>&1; then
            "$ctl" stop -D "$data" -m immediate -w -s </dev/null >/dev/null 2>&1
            exit 1
        fi
        read -r pid <"$data/postmaster.pid"
        echo started
        exec >/dev/null 2>&1
        while read -r line; do :; done
        running() { now=; read -r now <"$data/postmaster.pid"; [ "$now" = "$pid" ] && kill -0 "$pid"; }
        if running; then kill -INT "$pid"; fi
        while running; do sleep 0.1; done
        """;

    readonly FileStream nodeLock;
    readonly PostgresCluster cluster;
    readonly Process? supervisor;
    readonly ILogger logger;
    bool disposed;

    EmbeddedPostgres(FileStream nodeLock, PostgresCluster cluster, Process? supervisor, int port, ILogger logger)
    {
        this.nodeLock = nodeLock;
        this.cluster = cluster;
        this.supervisor = supervisor;
        this.logger = logger;
        ConnectionString =
            $"Host=127.0.0.1;Port={port};Username={PostgresCluster.Name};Password={cluster.Password};Database={PostgresCluster.Name}";
    }

    /// <summary>How to reach the node's database, as its superuser.</summary>
    public string ConnectionString { get; }

    internal int? SupervisorId => supervisor?.Id;

    /// <summary>
    /// Starts the server on a data directory, which is created with a new database in it when it is not there yet.
    /// </summary>
    /// <exception cref="EmbeddedPostgresException">
    /// No server is installed, another node has the directory, or the server does not start.
    /// </exception>
    public static async Task<EmbeddedPostgres> StartAsync(string dataDirectory, ILogger logger, CancellationToken ct)
    {
        var directory = Path.GetFullPath(dataDirectory);
        var nodeLock = Lock(directory);
        try
        {
            var cluster = await PostgresCluster.OpenAsync(directory, logger, ct);
            await cluster.StopLeftoverAsync(logger);
            var (supervisor, port) = await LaunchAsync(cluster, ct);
            var server = new EmbeddedPostgres(nodeLock, cluster, supervisor, port, logger);
            try
            {
                await server.PrepareAsync(ct);
                logger.LogInformation(
                    "Embedded PostgreSQL {Major} is running on 127.0.0.1:{Port}, files in {Location}",
                    cluster.Binaries.Major,
                    port,
                    cluster.Location
                );
                return server;
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
        catch
        {
            await nodeLock.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the server, ending sessions that are still open, and frees the directory.</summary>
    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        try
        {
            if (supervisor is not null)
                await EndAsync(supervisor);
            // Windows has no supervisor, elsewhere it may have been killed.
            await cluster.StopLeftoverAsync(logger);
        }
        finally
        {
            await nodeLock.DisposeAsync();
        }
    }

    static FileStream Lock(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
            return new FileStream(
                Path.Combine(directory, "node.lock"),
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None
            );
        }
        catch (UnauthorizedAccessException e)
        {
            throw new EmbeddedPostgresException(
                $"The data directory {directory} cannot be written to by this account. Set Embedded__DataDirectory to another one.",
                e
            );
        }
        catch (IOException e)
        {
            throw new EmbeddedPostgresException(
                $"Another node is using the data directory {directory}. Give this one its own with Embedded__DataDirectory, "
                    + "or let both share a database with ConnectionStrings__Resources.",
                e
            );
        }
    }

    // The port is free when it is chosen, and may be taken a moment later; a killed server's processes may need a
    // moment to leave.
    static async Task<(Process? Supervisor, int Port)> LaunchAsync(PostgresCluster cluster, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            cluster.RotateLog();
            var port = FreePort();
            var (started, supervisor) = await LaunchAsync(cluster, Options(port), ct);
            if (started)
                return (supervisor, port);

            var log = cluster.LogTail();
            var passing =
                log.Contains("could not bind", StringComparison.Ordinal)
                || log.Contains("pre-existing shared memory", StringComparison.Ordinal);
            if (!passing || attempt == Attempts)
                throw new EmbeddedPostgresException(
                    $"PostgreSQL does not start on {cluster.Location}. Its log ends with:\n{log}"
                );
            await Task.Delay(TimeSpan.FromMilliseconds(500), ct);
        }
    }

    static async Task<(bool Started, Process? Supervisor)> LaunchAsync(
        PostgresCluster cluster,
        string options,
        CancellationToken ct
    )
    {
        var control = cluster.Binaries["pg_ctl"];
        if (OperatingSystem.IsWindows())
        {
            // No redirection: the server would inherit the pipes and keep them open.
            using var start = Process.Start(
                cluster.Account.Command(
                    control,
                    "start",
                    "-D",
                    cluster.Location,
                    "-l",
                    cluster.Log,
                    "-o",
                    options,
                    "-w",
                    "-t",
                    "60",
                    "-s"
                )
            )!;
            await start.WaitForExitAsync(ct);
            return (start.ExitCode == 0, null);
        }

        var shell = cluster.Account.Command(
            "/bin/sh",
            "-c",
            Supervisor,
            "postgres-supervisor",
            control,
            cluster.Location,
            options
        );
        shell.RedirectStandardInput = shell.RedirectStandardOutput = true;
        var supervisor = Process.Start(shell)!;
        try
        {
            if (await supervisor.StandardOutput.ReadLineAsync(ct) == "started")
                return (true, supervisor);
        }
        catch (OperationCanceledException)
        {
            await EndAsync(supervisor);
            throw;
        }
        await EndAsync(supervisor);
        return (false, null);
    }

    static async Task EndAsync(Process supervisor)
    {
        supervisor.StandardInput.Close();
        await supervisor.WaitForExitAsync();
        supervisor.Dispose();
    }

    static string Options(int port)
    {
        string[] settings =
        [
            "listen_addresses=127.0.0.1",
            $"port={port}",
            $"shared_buffers={SharedBuffers()}MB",
            "max_connections=200",
            "max_wal_size=2GB",
            "checkpoint_completion_target=0.9",
            "logging_collector=off",
            // Windows has none unless asked.
            .. OperatingSystem.IsWindows() ? [] : (string[])["unix_socket_directories="],
        ];
        return string.Join(' ', settings.Select(setting => $"-c {setting}"));
    }

    // In megabytes: an eighth of the memory, half of what PostgreSQL's manual gives a machine of its own, as the node
    // needs some too. A container's limit counts.
    static long SharedBuffers() => Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8 >> 20, 128, 2048);

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // pg_ctl waited for the server already; this proves that the node gets in, and adds the database on the first
    // start.
    async Task PrepareAsync(CancellationToken ct)
    {
        var settings = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "postgres", Pooling = false };
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(100, ct))
        {
            try
            {
                await using var connection = new NpgsqlConnection(settings.ConnectionString);
                await connection.OpenAsync(ct);
                await using var exists = new NpgsqlCommand(
                    $"select count(*) from pg_database where datname = '{PostgresCluster.Name}'",
                    connection
                );
                if (await exists.ExecuteScalarAsync(ct) is 0L)
                {
                    await using var create = new NpgsqlCommand($"create database {PostgresCluster.Name}", connection);
                    await create.ExecuteNonQueryAsync(ct);
                }
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidPassword)
            {
                throw new EmbeddedPostgresException(
                    "The embedded PostgreSQL does not accept the password in postgres-password, beside its data.",
                    e
                );
            }
            catch (NpgsqlException e) when (watch.Elapsed > StartTimeout)
            {
                throw new EmbeddedPostgresException(
                    $"PostgreSQL on {cluster.Location} accepts no connections. Its log ends with:\n{cluster.LogTail()}",
                    e
                );
            }
            catch (NpgsqlException)
            {
                // Not ready yet.
            }
        }
    }
}
