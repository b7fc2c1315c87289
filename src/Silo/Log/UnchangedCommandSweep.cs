using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// Removes what is remembered of commands that changed nothing, or were for a unique value, when nobody repeats them any more.
/// </summary>
sealed class UnchangedCommandSweep(ControlDb db, TimeProvider time, ILogger<UnchangedCommandSweep> logger)
    : BackgroundService
{
    /// <summary>Every node looks so often; the first finds what there is.</summary>
    static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Loop("Forgetting commands", logger)
        {
            Every = Interval,
            RetryDelay = Interval,
            Time = time,
        }.RunAsync(SweepAsync, stoppingToken);

    async Task SweepAsync(CancellationToken ct)
    {
        await SweepAsync(
            """
            delete from unchanged_commands where ctid = any (array(
                select ctid from unchanged_commands where at < clock_timestamp() - interval '2 days' limit $1))
            """,
            ct
        );
        await SweepAsync(
            """
            delete from keyed_commands where ctid = any (array(
                select ctid from keyed_commands where at < clock_timestamp() - interval '2 days' limit $1))
            """,
            ct
        );
    }

    /// <summary>Removes them in bites, so that none takes long.</summary>
    async Task SweepAsync(string bite, CancellationToken ct)
    {
        const int Bite = 10_000;
        while (await db.ExecuteAsync(bite, [Arg.Of(Bite)], ct) is Bite) { }
    }
}
