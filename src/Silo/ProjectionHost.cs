using JasperFx.Events.Daemon;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Runs the projections on one node of the cluster: the one that holds a session lock in the database. When that node or its
/// connection dies the lock is free, and another node takes over within a second or two. Should two run for a moment, the
/// position that each projection commits with its rows lets one of them fail and nothing be applied twice.
/// </summary>
sealed class ProjectionHost(NpgsqlDataSource database, LogNews news, TimeProvider time, ILoggerFactory logs) : BackgroundService
{
    /// <summary>Most events of one transaction, so that what readers wait for is committed soon.</summary>
    const int BatchSize = 500;

    static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    /// <summary>Under load the daemon gets the log's head no more often than this, as each page costs a transaction.</summary>
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
                await using var connection = await database.OpenConnectionAsync(stoppingToken);
                var owner = new ProjectionOwner(connection);
                while (!await owner.TryTakeAsync(stoppingToken)) await Task.Delay(Between, time, stoppingToken);
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
        await using var rebuilds = new ProjectionRebuilds(database, time, logs);
        try
        {
            await owner.BeginAsync(node, ct);
            log.LogInformation("This node runs the projections");
            for (var (batchSize, retry) = (BatchSize, Between); ;)
            {
                var failure = await FollowAsync(owner, rebuilds, batchSize, ct);
                // One at a time shows which event is at fault, and applies those before it.
                if (failure is not null && batchSize is 1)
                {
                    await StandStillAsync(owner, rebuilds, failure, retry, ct);
                    retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
                }
                if (failure is null) retry = Between;
                batchSize = failure is null ? BatchSize : 1;
            }
        }
        finally
        {
            await owner.ReleaseAsync();
        }
    }

    /// <summary>Runs the generation that answers until another takes its place, or until it fails.</summary>
    /// <exception cref="InvalidOperationException">The failure will pass, or another node runs the projections too.</exception>
    async Task<ShardFailure?> FollowAsync(ProjectionOwner owner, ProjectionRebuilds rebuilds, int batchSize, CancellationToken ct)
    {
        var orders = await owner.OrdersAsync(ct);
        await using var run = rebuilds.TakeFinished(orders.Generation) ?? await ProjectionRun.StartAsync(database, orders.Generation, batchSize, time, logs);
        run.BecomeRead();
        var (start, seen, looked, isTidy) = (run.Position, 0L, time.GetTimestamp(), false);
        while (run.Failure is null)
        {
            await run.AdvanceAsync(await owner.HeadAsync(ct));
            if (rebuilds.HasFinished) return null;
            if (time.GetElapsedTime(looked) > Between)
            {
                looked = time.GetTimestamp();
                var now = await owner.OrdersAsync(ct);
                rebuilds.Attend(now);
                if (now.Generation != orders.Generation) return null;
                isTidy = isTidy || await owner.TidyAsync(now, ct);
                if (run.Position > start && now.IsFaulty) await owner.ClearFaultAsync(ct);
                if (run.Position > start && batchSize < BatchSize) return null;
            }
            await Task.Delay(Rest, time, ct);
            seen = await news.Grown.WaitAsync(seen, Look, ct);
        }
        if (run.Failure is { IsTransient: true } or { Category: ShardFailureCategory.ProgressionOutOfOrder }) throw new InvalidOperationException(run.Failure.Message);
        return run.Failure;
    }

    /// <summary>Shows the failure, and waits until an operator has dealt with it or it is time to try again.</summary>
    async Task StandStillAsync(ProjectionOwner owner, ProjectionRebuilds rebuilds, ShardFailure failure, TimeSpan retry, CancellationToken ct)
    {
        await owner.FaultAsync(PositionOf(failure), ReasonOf(failure), ct);
        log.LogError("The resource views stand still at position {Position}: {Reason}", PositionOf(failure), ReasonOf(failure));
        for (var since = time.GetTimestamp(); time.GetElapsedTime(since) < retry; await Task.Delay(Look, time, ct))
        {
            var orders = await owner.OrdersAsync(ct);
            rebuilds.Attend(orders);
            if (!orders.IsFaulty) return;
        }
    }

    /// <summary>The event that is at fault, if Marten knows it.</summary>
    static long? PositionOf(ShardFailure failure) => failure.Event?.Sequence is > 0 and var position ? position : null;

    /// <summary>The innermost cause, in a line.</summary>
    static string ReasonOf(ShardFailure failure)
    {
        const string Inner = "---> ";
        var lines = failure.Detail.Split('\n');
        var cause = lines.LastOrDefault(line => line.Contains(Inner, StringComparison.Ordinal)) ?? lines[0];
        return cause[(cause.LastIndexOf(Inner, StringComparison.Ordinal) is >= 0 and var at ? at + Inner.Length : 0)..].Trim();
    }
}
