using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Where a subscription is at work. Calls interleave: the run guards itself, and one that waits must not hold others.
/// </summary>
[Reentrant]
sealed class SubscriptionGrain(SubscriptionServices node, SubscriptionWatch watch) : Grain, ISubscriptionGrain
{
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>A consumer waits no longer than this for a subscription that is being taken.</summary>
    static readonly TimeSpan TakeTimeout = TimeSpan.FromSeconds(5);

    SubscriptionWorker worker = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        worker = SubscriptionWorker.Start(this.GetPrimaryKey(), node, whenDone: DeactivateOnIdle);
        watch.Add(worker);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        watch.Remove(worker);
        return worker.StopAsync(cancellationToken);
    }

    public Task Wake(long revision)
    {
        if (worker.Run is { } run && run.Taken.Revision < revision)
            run.End();
        return Task.CompletedTask;
    }

    public async Task<DeliveryOutcome?> Test()
    {
        var id = this.GetPrimaryKey();
        if (
            await node.Store.TargetAsync(id, CancellationToken.None) is not { } target
            || node.Deliveries.Find(target.Kind) is not IPushDelivery delivery
        )
            return null;
        // Sooner than a caller gives up on this grain.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(8));
        var now = node.Time.GetUtcNow();
        var test = new LogEvent(
            0,
            Guid.CreateVersion7(now),
            "subscription.test",
            id,
            1,
            now,
            id.ToString(),
            null,
            JsonText.Empty,
            "subscription",
            ""
        );
        DeliveryOutcome outcome;
        try
        {
            outcome = await delivery.SendAsync(target, test, limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            outcome = new(null, "The target did not answer within 8 s.", 8_000);
        }
        node.Logger.LogInformation(
            "Subscription {Subscription}: test event {Event}, {Status} in {Milliseconds} ms",
            id,
            test.Id,
            outcome.Status,
            outcome.Milliseconds
        );
        return outcome;
    }

    public Task<Reply<PulledBatch>> Pull(PullRequest request) =>
        RunningAsync<PulledBatch>(async run =>
            new(await run.Leases.PullAsync(request), 0, run.Window.Position, false, null)
        );

    public Task<Reply<int>> Settle(Settlement settlement) =>
        RunningAsync<int>(async run =>
            await run.Leases.SettleAsync(settlement) is { } count
                ? new(count, 0, run.Window.Position, false, null)
                : Reply<int>.Refused(
                    new(Refusal.LeaseLost, "The lease has ended; its events come to whoever pulls next.")
                )
        );

    /// <summary>Asks the run, and the next one when that comes to its end.</summary>
    async Task<Reply<T>> RunningAsync<T>(Func<SubscriptionRun, Task<Reply<T>>> ask)
    {
        for (
            var started = node.Time.GetTimestamp();
            node.Time.GetElapsedTime(started) < TakeTimeout;
            await Task.Delay(PollInterval, node.Time)
        )
        {
            if (worker.IsInactive)
                return Reply<T>.Refused(new(Refusal.SubscriptionInactive, "The subscription is not active."));
            if (worker.IsDone)
                break;
            if (worker.Run is not { IsEnding: false } run)
                continue;
            try
            {
                return await ask(run);
            }
            catch (SubscriptionLostException)
            {
                // Its settings have changed, or somebody else has it.
            }
        }
        throw new StoreUnavailableException(
            "The subscription could not be taken in time, or another activation has it."
        );
    }
}
