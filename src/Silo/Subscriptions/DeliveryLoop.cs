using Microsoft.Extensions.Logging;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// Sends a subscription's events to its target: many at a time, those of one resource in turn. A failure parks the
/// resource until the next attempt.
/// </summary>
sealed class DeliveryLoop(SubscriptionRun run, IPushDelivery delivery, SubscriptionServices node)
{
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Every event is taken on its own.</summary>
    static readonly Guid Lease = Guid.AllBitsSet;

    int inFlight;

    /// <summary>Sends until it is stopped, and then waits for what is in flight.</summary>
    /// <param name="stopping">No more is sent.</param>
    /// <param name="aborting">What is in flight is given up.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken aborting)
    {
        var sending = new List<Task>();
        try
        {
            for (var seen = 0L; ; )
            {
                while (
                    inFlight < run.Pace!.Allowed(node.Time.GetUtcNow())
                    && run.Window.Take(Lease, 1, 1, node.Time.GetUtcNow()) is [var item]
                )
                {
                    Interlocked.Increment(ref inFlight);
                    sending.Add(SendAsync(item, aborting));
                }
                sending.RemoveAll(task => task.IsCompletedSuccessfully);
                if (sending.FirstOrDefault(task => task.IsFaulted) is { } faulted)
                    await faulted;
                seen = await run.Work.WaitAsync(seen, PollInterval, stopping);
            }
        }
        finally
        {
            await Task.WhenAll(sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task SendAsync(DeliveryItem item, CancellationToken aborting)
    {
        var outcome = await delivery.SendAsync(run.Taken.Target, item.Event, aborting);
        if (outcome.Error is null)
        {
            run.Note(item, "delivered", outcome.Status, milliseconds: outcome.Milliseconds);
            run.Window.Ack(Lease, item);
            run.Pace!.Succeeded();
        }
        else
        {
            run.Note(item, "failed", outcome.Status, outcome.Error, milliseconds: outcome.Milliseconds);
            await FailAsync(item, outcome);
        }
        Interlocked.Decrement(ref inFlight);
        run.Work.Set();
    }

    async Task FailAsync(DeliveryItem item, DeliveryOutcome outcome)
    {
        var now = node.Time.GetUtcNow();
        var since = run.Window.ParkedSince(item.Event.Resource);
        var retry = RetryAfter(item.Attempts, outcome);
        run.Window.Park(Lease, item, now + retry, outcome.Error!, now);
        run.Pace!.Failed(now, isNews: since is null, outcome);
        if (outcome.Gone)
            await DisableAsync(outcome.Error!);
        else if (retry is null && (run.LastSuccessAt is not { } success || success < since))
            await DisableAsync($"Nothing was delivered since {since:u}: {outcome.Error}");
    }

    /// <summary>
    /// The time to the next attempt, with jitter so that retries do not come all at once; null after the last.
    /// </summary>
    TimeSpan? RetryAfter(int attempts, DeliveryOutcome outcome)
    {
        if (attempts > delivery.Retries.Count)
            return null;
        var delay = delivery.Retries[attempts - 1] * (0.8 + 0.4 * Random.Shared.NextDouble());
        return outcome.RetryAfter > delay ? outcome.RetryAfter : delay;
    }

    async Task DisableAsync(string reason)
    {
        run.Fail(reason);
        // Only the activation that has the subscription may disable it; this throws where another has taken it.
        await run.FlushAsync(CancellationToken.None);
        await node
            .Grains.GetGrain<ISubscriptionSettingsGrain>(run.Taken.Id)
            .Execute(new DisableSubscription(reason), Intent.OfNode());
        node.Logger.LogWarning("Subscription {Subscription} is disabled. {Reason}", run.Taken.Id, reason);
        run.End();
    }
}
