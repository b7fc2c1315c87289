using System.Globalization;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// What consumers have of a subscription. A lease ends when all of its events are settled, or when its time is over:
/// then others get them.
/// </summary>
sealed class PullLeases
{
    const long MaxBytes = 4 << 20;

    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    readonly Lock gate = new();
    readonly SubscriptionRun run;
    readonly TimeProvider time;
    readonly Dictionary<Guid, PullLease> leases;
    readonly HashSet<Guid> changed = [];
    long changes;

    public PullLeases(SubscriptionRun run, TimeProvider time)
    {
        this.run = run;
        this.time = time;
        leases = run.Taken.Leases.ToDictionary(lease => lease.Id);
    }

    /// <summary>
    /// Leases the next events, when there are some within the time that the consumer waits; null when there are none.
    /// </summary>
    /// <exception cref="SubscriptionLostException">The run is over; the next one may be asked.</exception>
    public async Task<PulledBatch?> PullAsync(PullRequest request)
    {
        var started = time.GetTimestamp();
        for (var seen = 0L; ; seen = await run.Work.WaitAsync(seen, PollInterval, CancellationToken.None))
        {
            if (run.IsEnding)
                throw new SubscriptionLostException();
            if (run.Window.IsRestored && Lease(request) is var (batch, change))
            {
                await run.FlushAsync(CancellationToken.None, change);
                return batch;
            }
            if (time.GetElapsedTime(started) >= request.Wait)
                return null;
        }
    }

    /// <summary>Settles events of a lease; how many, or null when there is no such lease any more.</summary>
    /// <exception cref="SubscriptionLostException">The run is over; the next one may be asked.</exception>
    public async Task<int?> SettleAsync(Settlement asked)
    {
        int before,
            after;
        long change;
        while (!run.Window.IsRestored && !run.IsEnding)
            await Task.Delay(PollInterval, time);
        // Which events a lease has is known then only.
        if (!run.Window.IsRestored)
            throw new SubscriptionLostException();
        lock (gate)
        {
            Expire();
            if (!leases.ContainsKey(asked.Lease))
                return null;
            var items = run.Window.Leased(asked.Lease);
            before = items.Count;
            // Given back from the last to the first, so that each is on record; parking one passes over those behind
            // it.
            if (asked.Kind is SettlementKind.Nack)
                items.Reverse();
            foreach (
                var item in items.Where(item =>
                    asked.Positions is null || asked.Positions.Contains(item.Event.Position)
                )
            )
                Settle(asked, item);
            after = Update(asked.Lease);
            change = changes;
        }
        run.Work.Set();
        await run.FlushAsync(CancellationToken.None, change);
        return before - after;
    }

    /// <summary>
    /// What has to be stored; leases that were not stored as they are, or have ended. With the number of the last
    /// change among them.
    /// </summary>
    public (List<PullLease> Leases, List<Guid> Ended, long Last) Changes()
    {
        lock (gate)
        {
            Expire();
            var kept = new List<PullLease>();
            var ended = new List<Guid>();
            foreach (var id in changed)
                if (leases.TryGetValue(id, out var lease))
                    kept.Add(lease);
                else
                    ended.Add(id);
            changed.Clear();
            return (kept, ended, changes);
        }
    }

    /// <summary>Leases the next events; null when there are none. With the number of this change.</summary>
    (PulledBatch Batch, long Change)? Lease(PullRequest request)
    {
        lock (gate)
        {
            Expire();
            var now = time.GetUtcNow();
            var id = Guid.CreateVersion7();
            if (run.Window.Take(id, request.Limit, MaxBytes, now, SightOf(request)) is not [_, ..] items)
                return null;
            leases.Add(
                id,
                new(id, request.Consumer, now + request.Lease, [.. items.Select(item => item.Event.Position)])
            );
            Change(id);
            return (
                new(
                    id,
                    now + request.Lease,
                    [.. items.Select(item => new PulledEvent(item.Attempts, JsonText.Stored(item.Event.Json.Span)))]
                ),
                changes
            );
        }
    }

    /// <summary>What a consumer may read; null = everything that the subscription has.</summary>
    static Reach? SightOf(PullRequest request) =>
        request.Sight is { } sight
            ? Reach.Of(new(sight.IsAll, sight.Types, sight.Own, sight.OwnTypes), sight.Account)
            : null;

    void Settle(Settlement asked, DeliveryItem item)
    {
        var now = time.GetUtcNow();
        var consumer = leases[asked.Lease].Consumer;
        switch (asked.Kind)
        {
            case SettlementKind.Ack when run.Window.Ack(asked.Lease, item):
                run.Note(item, "acked", detail: consumer);
                break;
            case SettlementKind.Nack when run.Window.Nack(asked.Lease, item, now + asked.Delay):
                run.Note(item, "nacked", detail: consumer);
                break;
            case SettlementKind.Park when run.Window.Park(asked.Lease, item, null, asked.Reason!, now):
                run.Note(item, "parked", error: asked.Reason, detail: consumer);
                break;
        }
    }

    /// <summary>Takes over what a lease has now; how many events that are.</summary>
    int Update(Guid id)
    {
        var items = run.Window.Leased(id);
        if (items is [])
            leases.Remove(id);
        else
            leases[id] = leases[id] with { Positions = [.. items.Select(item => item.Event.Position)] };
        Change(id);
        return items.Count;
    }

    /// <summary>Notes a change, after the window has it.</summary>
    void Change(Guid id)
    {
        changed.Add(id);
        changes++;
    }

    void Expire()
    {
        var now = time.GetUtcNow();
        foreach (var lease in leases.Values.Where(lease => lease.Until <= now).ToArray())
        {
            foreach (var item in Enumerable.Reverse(run.Window.Leased(lease.Id)))
                if (run.Window.Nack(lease.Id, item, now))
                    run.Note(
                        item,
                        "expired",
                        error: string.Create(
                            CultureInfo.InvariantCulture,
                            $"Consumer {lease.Consumer} did not settle its events in time."
                        )
                    );
            run.Window.Forget(lease.Id);
            leases.Remove(lease.Id);
            Change(lease.Id);
        }
    }
}
