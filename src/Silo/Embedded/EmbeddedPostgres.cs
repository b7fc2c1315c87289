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
    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    readonly FileStream nodeLock;
    readonly PostgresCluster cluster;
    readonly ILogger logger;
    readonly int port;
    readonly CancellationTokenSource stopping = new();
    PostgresServer server;
    Task watching = Task.CompletedTask;
    bool disposed;

    EmbeddedPostgres(FileStream nodeLock, PostgresCluster cluster, PostgresServer server, int port, ILogger logger)
    {
        this.nodeLock = nodeLock;
        this.cluster = cluster;
        this.server = server;
        this.port = port;
        this.logger = logger;
        ConnectionString =
            $"Host=127.0.0.1;Port={port};Username={PostgresCluster.Name};Password={cluster.Password};Database={PostgresCluster.Name}";
    }

    /// <summary>How to reach the node's database, as its superuser.</summary>
    public string ConnectionString { get; }

    internal int? SupervisorId => server.SupervisorId;

    /// <summary>
    /// Starts the server on a data directory, which is created with a new database in it when it is not there yet.
    /// </summary>
    /// <exception cref="EmbeddedPostgresException">
    /// No server is installed or can be fetched, another node has the directory, or the server does not start.
    /// </exception>
    public static async Task<EmbeddedPostgres> StartAsync(EmbeddedOptions options, ILogger logger, CancellationToken ct)
    {
        var nodeLock = Lock(Path.GetFullPath(options.DataDirectory));
        try
        {
            var cluster = await PostgresCluster.OpenAsync(options, logger, ct);
            await cluster.StopLeftoverAsync(logger);
            var (server, port) = await PostgresServer.StartAsync(cluster, FreePort, ct);
            var postgres = new EmbeddedPostgres(nodeLock, cluster, server, port, logger);
            try
            {
                await postgres.PrepareAsync(ct);
                logger.LogInformation(
                    "Embedded PostgreSQL {Major} is running on 127.0.0.1:{Port}, files in {Location}",
                    cluster.Binaries.Major,
                    port,
                    cluster.Location
                );
                return postgres;
            }
            catch
            {
                await postgres.DisposeAsync();
                throw;
            }
        }
        catch
        {
            await nodeLock.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on, a server that ends before its node is started again, at the same address.</summary>
    public void KeepRunning() => watching = WatchAsync();

    /// <summary>Stops the server, ending sessions that are still open, and frees the directory.</summary>
    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        try
        {
            await stopping.CancelAsync();
            await watching;
            await server.StopAsync();
            // Windows has no supervisor, elsewhere it may have been killed.
            await cluster.StopLeftoverAsync(logger);
            logger.LogInformation("Embedded PostgreSQL has stopped");
        }
        finally
        {
            stopping.Dispose();
            await nodeLock.DisposeAsync();
        }
    }

    /// <summary>
    /// Nobody else looks after the server. As long as it cannot be started, because the disk is full for instance, it is
    /// tried again: on a developer's machine nothing would start the node anew.
    /// </summary>
    async Task WatchAsync()
    {
        try
        {
            for (; ; await RestartAsync(stopping.Token))
                await server.EndedAsync(stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The node is stopping.
        }
    }

    async Task RestartAsync(CancellationToken ct)
    {
        logger.LogError(
            "The embedded PostgreSQL has ended; starting it again. Its log so far becomes {Log}.1",
            cluster.Log
        );
        await server.StopAsync();
        for (var pause = TimeSpan.FromSeconds(1); ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            try
            {
                await cluster.StopLeftoverAsync(logger);
                (server, _) = await PostgresServer.StartAsync(cluster, () => port, ct);
                logger.LogInformation("Embedded PostgreSQL is running again on 127.0.0.1:{Port}", port);
                return;
            }
            catch (Exception e) when (e is EmbeddedPostgresException or IOException or UnauthorizedAccessException)
            {
                logger.LogError("The next attempt is in {Seconds} s. {Reason}", pause.TotalSeconds, e.Message);
                await Task.Delay(pause, ct);
            }
    }

    static FileStream Lock(string directory)
    {
        var file = Path.Combine(directory, "node.lock");
        try
        {
            EmbeddedFolders.MakeOpen(directory);
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(file))
        {
            throw new EmbeddedPostgresException(
                $"Another node is using the data directory {directory}. Give this one its own with Embedded__DataDirectory, "
                    + "or let both share a database with ConnectionStrings__Resources.",
                e
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddedPostgresException(
                $"The data directory {directory} cannot be made or written to by this account: {e.Message.TrimEnd('.')}. "
                    + "Set Embedded__DataDirectory to another one.",
                e
            );
        }
    }

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
