using Marten;
using Microsoft.Extensions.Logging;
using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>A read model, and what it takes to apply the log to it.</summary>
sealed record ProjectionSetting(
    ReadModel Model,
    FollowDb Follow,
    BulkDb Bulk,
    IDocumentStore Store,
    EventKinds Kinds,
    TimeProvider Time,
    ILoggerFactory Logs
)
{
    /// <summary>A run of one of the generations, after the position that it has reached.</summary>
    public Task<ProjectionRun> StartAsync(int generation, CancellationToken ct) =>
        ProjectionRun.StartAsync(Follow, Store, Kinds, Model, generation, ct);
}

/// <summary>Keeps one read model up to date on the node that owns it, whatever fails.</summary>
sealed class ProjectionFollower(ProjectionOwner owner, LogNews news, ProjectionSetting setting) : IAsyncDisposable
{
    /// <summary>Most events of one transaction, so that what readers wait for is committed soon.</summary>
    const int MaxEvents = 500;

    static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>The owner looks this often whether an operator has asked for something.</summary>
    static readonly TimeSpan OrdersInterval = TimeSpan.FromSeconds(1);

    /// <summary>Under load it looks no more often than this, as each page costs a transaction.</summary>
    static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Without news the owner looks by itself this often.</summary>
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(30);

    readonly ReadModel model = setting.Model;
    readonly TimeProvider time = setting.Time;
    readonly ILogger logger = setting.Logs.CreateLogger<ProjectionFollower>();
    readonly ProjectionRebuilds rebuilds = new(setting);

    /// <summary>
    /// Pages get smaller with every failure, as a page may be too much where its events are not, and grow again.
    /// </summary>
    int limit = MaxEvents;
    TimeSpan retry = RetryDelay;

    public ValueTask DisposeAsync() => rebuilds.DisposeAsync();

    /// <summary>
    /// Runs the generation that answers, one after the other. What fails even with a single event is shown, and tried
    /// again now and then.
    /// </summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            var orders = await owner.OrdersAsync(ct);
            try
            {
                await FollowAsync(orders, ct);
            }
            catch (PoisonEventException e)
            {
                await StandStillAsync(e.Position, e.Message, ct);
            }
            catch (Exception e) when (StoreUnavailableException.Explains(e) && !ct.IsCancellationRequested)
            {
                // Where the session has ended with the database, its next statement says so.
                logger.LogDebug("{Follower} pauses: {Reason}", model.Name, e.Message);
                await Task.Delay(PollInterval, time, ct);
            }
            catch (Exception e) when (limit > 1 && !ct.IsCancellationRequested)
            {
                logger.LogDebug("{Follower} tries smaller pages: {Reason}", model.Name, e.Message);
                limit = Math.Max(1, limit / 4);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                await StandStillAsync(null, ProjectionRun.ReasonOf(e), ct);
            }
        }
    }

    /// <summary>Follows the log with one generation until another one takes its place.</summary>
    async Task FollowAsync(ProjectionOwner.Orders orders, CancellationToken ct)
    {
        var run = rebuilds.TakeFinished(orders.Generation) ?? await setting.StartAsync(orders.Generation, ct);
        var start = run.Position;
        var seen = 0L;
        var looked = time.GetTimestamp();
        var tidied = (ProjectionOwner.Orders?)null;
        // Whoever kept it before knew of no position behind this one: from there on nobody else writes.
        var known = await owner.HeadAsync(ct);
        var works = false;
        while (!rebuilds.HasFinished)
        {
            var head = await owner.HeadAsync(ct);
            if (run.Position < head)
            {
                run.NoteVisible(await run.AdvanceAsync(head, limit, ct), time.GetUtcNow());
                limit = Math.Min(MaxEvents, 2 * limit);
                retry = RetryDelay;
            }
            if (works)
                works = await WorkAsync(run, ct);
            if (time.GetElapsedTime(looked) > OrdersInterval)
            {
                works = run.Position >= known;
                looked = time.GetTimestamp();
                var now = await owner.OrdersAsync(ct);
                rebuilds.Attend(now);
                if (now.Generation != orders.Generation)
                    return;
                if (tidied != now && await owner.TidyAsync(now, ct))
                    tidied = now;
                if (run.Position > start && now.IsFaulty)
                    await owner.ClearFaultAsync(ct);
            }
            if (works || run.Position < head)
                continue;
            await Task.Delay(MinInterval, time, ct);
            seen = await news.Grown.WaitAsync(seen, PollInterval, ct);
        }
    }

    /// <summary>Lists go on where work beside them fails; it is tried again later.</summary>
    async Task<bool> WorkAsync(ProjectionRun run, CancellationToken ct)
    {
        try
        {
            return await run.WorkAsync(ct);
        }
        catch (PostgresException e) when (!StoreUnavailableException.Explains(e))
        {
            logger.LogError(e, "{Follower} cannot do its work beside the log: {Reason}", model.Name, e.Message);
            return false;
        }
    }

    /// <summary>
    /// Shows the failure, and waits until an operator has dealt with it, a rebuild has, or it is time to try again.
    /// </summary>
    /// <param name="position">The event that is to blame; null when none is.</param>
    async Task StandStillAsync(long? position, string reason, CancellationToken ct)
    {
        await owner.FaultAsync(position, position is not null, reason, ct);
        logger.LogError("{Follower} stands still at position {Position}: {Reason}", model.Name, position, reason);
        for (
            var since = time.GetTimestamp();
            time.GetElapsedTime(since) < retry && !rebuilds.HasFinished;
            await Task.Delay(PollInterval, time, ct)
        )
        {
            var orders = await owner.OrdersAsync(ct);
            rebuilds.Attend(orders);
            if (!orders.IsFaulty)
                return;
        }
        retry = retry * 2 < MaxRetryDelay ? retry * 2 : MaxRetryDelay;
    }
}
