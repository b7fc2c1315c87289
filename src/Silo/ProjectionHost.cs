using JasperFx.Events.Daemon;
using Marten;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Resources.Silo;

/// <summary>
/// Runs Marten's projection daemon on one node of the cluster: the one that holds a session lock in the database. When that
/// node or its connection dies the lock is free, and another node takes over within a second or two. Should two run for a
/// moment, the position that each projection commits with its rows lets one of them fail and nothing be applied twice.
/// </summary>
sealed class ProjectionHost(IDocumentStore store, NpgsqlDataSource database, ILoggerFactory logs) : BackgroundService
{
    readonly ILogger log = logs.CreateLogger<ProjectionHost>();

    const long LockKey = 7238164;

    static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stoppingToken);
                while (!await TryLockAsync(connection, stoppingToken)) await Task.Delay(Between, stoppingToken);
                await EndWhenSilentAsync(connection, stoppingToken);
                await RunAsync(connection, stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogWarning("This node does not run the projections for now: {Reason}", e.Message);
                await Task.Delay(Between, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Runs the daemon for as long as the connection, and with it the lock, lives.</summary>
    async Task RunAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var daemon = await store.BuildProjectionDaemonAsync(logger: logs.CreateLogger("Marten.Daemon"));
        try
        {
            await daemon.StartAllAsync();
            log.LogInformation("This node runs the projections");
            while (true)
            {
                await Task.Delay(Between, ct);
                await using var command = new NpgsqlCommand("select 1", connection);
                await command.ExecuteScalarAsync(ct);
                if (daemon.HasAnyPaused()) await daemon.StartAllAsync();
            }
        }
        finally
        {
            await daemon.StopAllAsync();
            (daemon as IDisposable)?.Dispose();
            await ReleaseAsync(connection);
        }
    }

    /// <summary>A node that is paused or cut off keeps its session, and with it the lock, unless the server ends sessions that fall silent.</summary>
    static async Task EndWhenSilentAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("set idle_session_timeout = '3s'", connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    static async Task<bool> TryLockAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock($1)", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = LockKey } } };
        return await command.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>Gives the lock back at an orderly stop, so that the next node need not wait for the connection to end.</summary>
    static async Task ReleaseAsync(NpgsqlConnection connection)
    {
        if (connection.State is not System.Data.ConnectionState.Open) return;
        await using var command = new NpgsqlCommand("select pg_advisory_unlock($1)", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = LockKey } } };
        await command.ExecuteScalarAsync();
    }
}
