using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Tells this node's followers that the log has grown, wherever in the cluster the append was made. Appends of this
/// node are known at once; those of others come by NOTIFY, which is sent apart from the append: within its transaction
/// it would make commits queue behind each other. News may be lost, so followers also look by themselves now and then.
/// </summary>
public sealed class LogNews(SessionSource sessions, Signal appended, ILogger<LogNews> log) : BackgroundService
{
    const string Channel = "resources_log";

    /// <summary>Others hear of many appends at once: under load a notification every so often is enough.</summary>
    static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(5);

    static readonly TimeSpan Forever = TimeSpan.FromDays(1);
    static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    readonly string node = Guid.NewGuid().ToString("n");

    /// <summary>Signals growth of the log.</summary>
    public Signal Grown { get; } = new();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(ForwardAsync(stoppingToken), AnnounceAsync(stoppingToken), ListenAsync(stoppingToken));

    async Task ForwardAsync(CancellationToken ct)
    {
        for (var seen = 0L; !ct.IsCancellationRequested; Grown.Set())
            seen = await appended.WaitAsync(seen, Forever, ct);
    }

    async Task AnnounceAsync(CancellationToken ct)
    {
        for (var seen = 0L; !ct.IsCancellationRequested; )
        {
            try
            {
                // A session of its own: under load others wait for one of the pool.
                await using var connection = await sessions.Source.OpenConnectionAsync(ct);
                await using var notify = new NpgsqlCommand("select pg_notify($1, $2)", connection)
                {
                    Parameters =
                    {
                        new NpgsqlParameter<string> { TypedValue = Channel },
                        new NpgsqlParameter<string> { TypedValue = node },
                    },
                };
                for (; ; await Task.Delay(Rest, ct))
                {
                    seen = await appended.WaitAsync(seen, Forever, ct);
                    await notify.ExecuteNonQueryAsync(ct);
                }
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                log.LogDebug("Other nodes do not hear of appends here for now: {Reason}", e.Message);
                await Task.Delay(Between, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    async Task ListenAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await using var connection = await sessions.Source.OpenConnectionAsync(ct);
                connection.Notification += (_, notification) =>
                {
                    if (notification.Payload != node)
                        Grown.Set();
                };
                await using (var listen = new NpgsqlCommand("listen " + Channel, connection))
                    await listen.ExecuteNonQueryAsync(ct);
                Grown.Set();
                while (true)
                    await connection.WaitAsync(ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                log.LogDebug("This node does not hear of appends elsewhere for now: {Reason}", e.Message);
                await Task.Delay(Between, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}

/// <summary>
/// Connections for what belongs to a session and not to a statement: locks, settings, LISTEN. Closing one ends its
/// session; those of the pools are not cleaned up between uses.
/// </summary>
public sealed record SessionSource(NpgsqlDataSource Source);
