using JasperFx.Events.Daemon;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Runs the projections on one node of the cluster: the one that holds a session lock in the database. When that node
/// or its connection dies the lock is free, and another node takes over within a second or two. Should two run for a
/// moment, the position that each projection commits with its rows lets one of them fail and nothing be applied twice.
/// </summary>
sealed class ProjectionHost(
    NpgsqlDataSource database,
    SessionSource sessions,
    LogNews news,
    EventKinds kinds,
    TimeProvider time,
    ILoggerFactory logs
) : BackgroundService
{
    /// <summary>Most events of one transaction, so that what readers wait for is committed soon.</summary>
    const int BatchSize = 500;

    static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Under load the daemon gets the log's head no more often than this, as each page costs a transaction.
    /// </summary>
    static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    /// <summary>Without news the owner looks by itself this often.</summary>
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    readonly ILogger log = logs.CreateLogger<ProjectionHost>();
    readonly string node = $"{Environment.MachineName}:{Environment.ProcessId}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await sessions.Source.OpenConnectionAsync(stoppingToken);
                var owner = new ProjectionOwner(connection);
                while (!await owner.TryTakeAsync(stoppingToken))
                    await Task.Delay(Between, time, stoppingToken);
                await OwnAsync(owner, stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogWarning("This node does not run the projections for now: {Reason}", e.Message);
                await Task.Delay(Between, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Runs one generation after the other for as long as the session, and with it the lock, lives.</summary>
    async Task OwnAsync(ProjectionOwner owner, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await owner.BeginAsync(node, ct);
        var alive = owner.StayAliveAsync(ending.Token);
        try
        {
            log.LogInformation("This node runs the projections");
            await using (var rebuilds = new ProjectionRebuilds(database, kinds, time, logs))
                await FollowOnAsync(owner, rebuilds, ct);
        }
        finally
        {
            await ending.CancelAsync();
            await alive;
            await owner.ReleaseAsync();
        }
    }

    /// <summary>
    /// Follows the log, whatever fails: pages get smaller with every failure, as a page may be too much where its
    /// events are not, and grow again. What fails even with a single event is shown, and tried again now and then.
    /// </summary>
    async Task FollowOnAsync(ProjectionOwner owner, ProjectionRebuilds rebuilds, CancellationToken ct)
    {
        for (var (batchSize, retry) = (BatchSize, Between); ; )
        {
            var failure = await FollowAsync(owner, rebuilds, batchSize, ct);
            if (failure is null)
            {
                batchSize = Math.Min(BatchSize, 4 * batchSize);
                retry = Between;
            }
            else if (batchSize > 1)
                batchSize = IsOfOneEvent(failure) ? 1 : Math.Max(1, batchSize / 4);
            else
            {
                await StandStillAsync(owner, rebuilds, failure, retry, ct);
                retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
            }
        }
    }

    /// <summary>
    /// Runs the generation that answers until another takes its place, until larger pages can be tried, or until it
    /// fails.
    /// </summary>
    async Task<ShardFailure?> FollowAsync(
        ProjectionOwner owner,
        ProjectionRebuilds rebuilds,
        int batchSize,
        CancellationToken ct
    )
    {
        var orders = await owner.OrdersAsync(ct);
        await using var run = rebuilds.TakeFinished(orders.Generation)
            ?? await ProjectionRun.StartAsync(database, kinds, orders.Generation, batchSize, time, logs);
        run.BecomeRead();
        var start = run.Position;
        var seen = 0L;
        var looked = time.GetTimestamp();
        var tidied = (ProjectionOwner.Orders?)null;
        while (run.Failure is null)
        {
            await run.AdvanceAsync(await owner.HeadAsync(ct));
            if (rebuilds.HasFinished)
                return null;
            if (time.GetElapsedTime(looked) > Between)
            {
                looked = time.GetTimestamp();
                var now = await owner.OrdersAsync(ct);
                rebuilds.Attend(now);
                if (now.Generation != orders.Generation)
                    return null;
                if (tidied != now && await owner.TidyAsync(now, ct))
                    tidied = now;
                if (run.Position > start && now.IsFaulty)
                    await owner.ClearFaultAsync(ct);
                if (run.Position > start && batchSize < BatchSize)
                    return null;
            }
            await Task.Delay(Rest, time, ct);
            seen = await news.Grown.WaitAsync(seen, Look, ct);
        }
        return run.Failure;
    }

    /// <summary>
    /// Shows the failure, and waits until an operator has dealt with it, a rebuild has, or it is time to try again.
    /// </summary>
    async Task StandStillAsync(
        ProjectionOwner owner,
        ProjectionRebuilds rebuilds,
        ShardFailure failure,
        TimeSpan retry,
        CancellationToken ct
    )
    {
        await owner.FaultAsync(PositionOf(failure), IsOfOneEvent(failure), ReasonOf(failure), ct);
        log.LogError(
            "The resource views stand still at position {Position}: {Reason}",
            PositionOf(failure),
            ReasonOf(failure)
        );
        for (
            var since = time.GetTimestamp();
            time.GetElapsedTime(since) < retry && !rebuilds.HasFinished;
            await Task.Delay(Look, time, ct)
        )
        {
            var orders = await owner.OrdersAsync(ct);
            rebuilds.Attend(orders);
            if (!orders.IsFaulty)
                return;
        }
    }

    /// <summary>Whether an event is to blame, and not the database or the read model.</summary>
    static bool IsOfOneEvent(ShardFailure failure) =>
        failure.Category is not (ShardFailureCategory.Other or ShardFailureCategory.ProgressionOutOfOrder);

    /// <summary>The event that is at fault, if Marten knows it.</summary>
    static long? PositionOf(ShardFailure failure) => failure.Event?.Sequence is > 0 and var position ? position : null;

    /// <summary>The innermost cause, in a line.</summary>
    internal static string ReasonOf(ShardFailure failure)
    {
        const string Inner = "---> ";
        var lines = failure.Detail.Split('\n');
        var cause = lines.LastOrDefault(line => line.Contains(Inner, StringComparison.Ordinal)) ?? lines[0];
        return cause[(cause.LastIndexOf(Inner, StringComparison.Ordinal) is >= 0 and var at ? at + Inner.Length : 0)..]
            .Trim();
    }
}
