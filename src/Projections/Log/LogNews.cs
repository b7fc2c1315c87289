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
public sealed class LogNews(SessionsDb sessions, Signal appended, ILogger<LogNews> logger) : BackgroundService
{
    const string Channel = "resources_log";

    /// <summary>Others hear of many appends at once: under load a notification every so often is enough.</summary>
    static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(5);

    static readonly TimeSpan Forever = TimeSpan.FromDays(1);

    readonly string node = Guid.NewGuid().ToString("n");
    long announced;

    /// <summary>Signals growth of the log.</summary>
    public Signal Grown { get; } = new();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(
            ForwardAsync(stoppingToken),
            new Loop("Telling other nodes of appends here", logger).RunAsync(AnnounceAsync, stoppingToken),
            new Loop("Hearing of appends elsewhere", logger).RunAsync(ListenAsync, stoppingToken)
        );

    async Task ForwardAsync(CancellationToken ct)
    {
        for (var seen = 0L; !ct.IsCancellationRequested; Grown.Set())
            seen = await appended.WaitAsync(seen, Forever, ct);
    }

    async Task AnnounceAsync(CancellationToken ct)
    {
        // A session of its own: under load others wait for one of the pool.
        await using var connection = await sessions.OpenAsync(ct);
        await using var notify = new NpgsqlCommand("select pg_notify($1, $2)", connection)
        {
            Parameters = { Arg.Of(Channel), Arg.Of(node) },
        };
        for (; ; await Task.Delay(MinInterval, ct))
        {
            announced = await appended.WaitAsync(announced, Forever, ct);
            await notify.ExecuteNonQueryAsync(ct);
        }
    }

    async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = await sessions.OpenAsync(ct);
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
}
