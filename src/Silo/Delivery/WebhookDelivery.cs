using Microsoft.Extensions.Logging;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// Sends a subscription's events to its target: many at a time, those of one resource in turn. What fails parks its
/// resource until the next attempt.
/// </summary>
sealed class WebhookDelivery(SubscriptionRun run, SubscriptionServices node)
{
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <summary>Every event is taken for itself.</summary>
    static readonly Guid Lease = Guid.AllBitsSet;

    readonly IReadOnlyList<TimeSpan> retries = node.Webhooks.Retries;
    readonly WebhookPace pace = new(node.Webhooks.MaxConcurrent, node.Webhooks.Retries[0]);
    int underWay;

    /// <summary>Sends until it is stopped, and then waits for what is under way.</summary>
    /// <param name="stopping">No more is sent.</param>
    /// <param name="aborting">What is under way is given up.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken aborting)
    {
        var sending = new List<Task>();
        try
        {
            for (var seen = 0L; ; )
            {
                while (
                    underWay < pace.Allowed(node.Time.GetUtcNow())
                    && run.Window.Take(Lease, 1, 1, node.Time.GetUtcNow()) is [var item]
                )
                {
                    Interlocked.Increment(ref underWay);
                    sending.Add(SendAsync(item, aborting));
                }
                sending.RemoveAll(task => task.IsCompletedSuccessfully);
                if (sending.FirstOrDefault(task => task.IsFaulted) is { } faulted)
                    await faulted;
                seen = await run.Work.WaitAsync(seen, Look, stopping);
            }
        }
        finally
        {
            await Task.WhenAll(sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task SendAsync(DeliveryItem item, CancellationToken aborting)
    {
        var outcome = await node.Sender.SendAsync(run.Taken.Target!, item.Event, aborting);
        if (outcome.Error is null)
        {
            run.Note(item, "delivered", outcome.Status, milliseconds: outcome.Milliseconds);
            run.Window.Ack(Lease, item);
            pace.Succeeded();
        }
        else
        {
            run.Note(item, "failed", outcome.Status, outcome.Error, milliseconds: outcome.Milliseconds);
            await FailAsync(item, outcome);
        }
        Interlocked.Decrement(ref underWay);
        run.Work.Set();
    }

    async Task FailAsync(DeliveryItem item, DeliveryOutcome outcome)
    {
        const int Gone = 410;
        var now = node.Time.GetUtcNow();
        var since = run.Window.ParkedSince(item.Event.Resource);
        var retry = RetryAfter(item.Attempts, outcome);
        run.Window.Park(Lease, item, now + retry, outcome.Error!, now);
        pace.Failed(now, isNews: since is null, outcome);
        if (outcome.Status is Gone)
            await DisableAsync("The target answered 410 Gone.");
        else if (retry is null && (run.LastSuccessAt is not { } success || success < since))
            await DisableAsync($"Nothing was delivered since {since:u}: {outcome.Error}");
    }

    /// <summary>
    /// The time to the next attempt, somewhat by chance so that many do not come at once; null after the last.
    /// </summary>
    TimeSpan? RetryAfter(int attempts, DeliveryOutcome outcome)
    {
        if (attempts > retries.Count)
            return null;
        var delay = retries[attempts - 1] * (0.8 + 0.4 * Random.Shared.NextDouble());
        return outcome.RetryAfter > delay ? outcome.RetryAfter : delay;
    }

    async Task DisableAsync(string reason)
    {
        run.Fail(reason);
        await node.Store.DisableAsync(run.Taken.Id, run.Taken.Epoch, reason, CancellationToken.None);
        node.Logger.LogWarning("Subscription {Subscription} is disabled. {Reason}", run.Taken.Id, reason);
        run.End();
    }
}

/// <summary>
/// How much is sent to a target at a time: all that is allowed, or one after a pause while the target as a whole seems
/// to fail.
/// </summary>
sealed class WebhookPace(int most, TimeSpan firstPause)
{
    static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    readonly Lock gate = new();
    int failures;
    int pauses;
    DateTimeOffset until;

    /// <summary>How many deliveries may be under way now.</summary>
    public int Allowed(DateTimeOffset now)
    {
        lock (gate)
            return now < until ? 0
                : pauses > 0 ? 1
                : most;
    }

    public void Succeeded()
    {
        lock (gate)
        {
            failures = 0;
            pauses = 0;
        }
    }

    /// <summary>Counts a failure. One resource that fails again and again says nothing of the others.</summary>
    /// <param name="isNews">Whether the resource had not failed before.</param>
    public void Failed(DateTimeOffset now, bool isNews, DeliveryOutcome outcome)
    {
        lock (gate)
        {
            if (isNews)
                failures++;
            if (now < until || !outcome.SlowDown && failures < most && pauses is 0)
                return;
            var pause = outcome.RetryAfter ?? firstPause * Math.Pow(2, Math.Min(pauses, 20));
            pauses++;
            until = now + (pause < LongestPause ? pause : LongestPause);
        }
    }
}
