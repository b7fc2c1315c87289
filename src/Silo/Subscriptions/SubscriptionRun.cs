using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>What a run needs of its node.</summary>
sealed record SubscriptionServices(
    SubscriptionStore Store,
    EventFeed Feed,
    ReadAhead Ahead,
    Deliveries Deliveries,
    IGrainFactory Grains,
    SubscriptionOptions Options,
    TimeProvider Time,
    ILogger<SubscriptionRun> Logger
);

/// <summary>
/// A subscription at work, from when it was taken until its settings change, somebody else takes it or something fails.
/// Reads the log into a window, reads parked resources again when they are due, and writes down how far it is. What it
/// knows and has not written is lost when it ends badly, and then delivered again.
/// </summary>
sealed class SubscriptionRun
{
    /// <summary>With so many resources parked the log is read no further.</summary>
    const int MaxParked = 10_000;

    /// <summary>Events that are read at a time.</summary>
    const int PageSize = 256;

    /// <summary>Events with so many bytes of data end a page.</summary>
    const int PageBytes = 256 * 1024;

    /// <summary>Events of a parked resource that are read at a time.</summary>
    const int CatchUpPage = 100;

    /// <summary>Parked resources whose events are read again at a time, for consumers that pull.</summary>
    const int MaxCatchingUp = 16;

    /// <summary>Why a subscription is disabled whose API key has ended.</summary>
    public const string KeyIsOver = "The API key that created the subscription was revoked or has expired.";

    /// <summary>How long deliveries in flight may take when the run ends.</summary>
    static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    static readonly TimeSpan Pulse = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What was delivered is written down this often; that there was nothing to deliver, more rarely.
    /// </summary>
    static readonly TimeSpan SaveEvery = TimeSpan.FromMilliseconds(100);

    static readonly TimeSpan SaveIdleEvery = TimeSpan.FromSeconds(2);

    readonly SubscriptionServices node;
    readonly IDelivery? delivery;
    readonly ConcurrentQueue<AttemptRow> attempts = new();
    readonly SemaphoreSlim saving = new(1);
    readonly CancellationTokenSource ending = new();
    readonly ReadAheadShare ahead;
    volatile DeliveryError? lastError;
    long lastSuccess;
    long savedPosition;
    long savedChange;
    bool closed;

    public SubscriptionRun(TakenSubscription taken, SubscriptionServices node)
    {
        Taken = taken;
        this.node = node;
        delivery = node.Deliveries.Find(taken.Target.Kind);
        Pace = delivery is IPushDelivery push ? new(push.MaxConcurrent, push.Retries[0]) : null;
        ahead = node.Ahead.Begin(taken.Owner);
        Window = new(
            taken.Position,
            taken.Parked,
            taken
                .Leases.SelectMany(lease => lease.Positions.Select(position => (position, lease.Id)))
                .DistinctBy(pair => pair.position)
                .ToDictionary(pair => pair.position, pair => pair.Id)
        );
        savedPosition = taken.Position;
        lastError = taken.LastError;
        lastSuccess = taken.LastSuccessAt?.UtcTicks ?? 0;
        Leases = new(this, node.Time);
        var (type, resource, owner, events) = taken.Filter;
        Filter = new(taken.Scope.Of(taken.Owner.ToString()), type, resource, owner, events);
    }

    public TakenSubscription Taken { get; }

    public DeliveryWindow Window { get; }

    /// <summary>What consumers have, where there are consumers.</summary>
    public PullLeases Leases { get; }

    /// <summary>How much is sent at a time; null where consumers pull.</summary>
    public DeliveryPace? Pace { get; }

    /// <summary>Signals that there may be something to take.</summary>
    public Signal Work { get; } = new();

    /// <summary>When an event was last delivered; null = never.</summary>
    public DateTimeOffset? LastSuccessAt =>
        Volatile.Read(ref lastSuccess) is > 0 and var ticks ? new(ticks, TimeSpan.Zero) : null;

    /// <summary>Which events go out while the owner may read as much as when this was taken.</summary>
    EventFilter Filter { get; }

    /// <summary>Whether the run is at its end, and takes no more.</summary>
    public bool IsEnding => ending.IsCancellationRequested;

    /// <summary>Ends the run; what is under way is finished, if that is soon.</summary>
    public void End() => ending.Cancel();

    /// <summary>
    /// Whether the run does not fit what the store says now. Null = the subscription is no longer active.
    /// </summary>
    public bool IsOutdated(SubscriptionGlance? now) =>
        now is null || now.Epoch > Taken.Epoch || now.Revision > Taken.Revision || now.Scope != Taken.Scope;

    /// <summary>Runs until it has to end.</summary>
    /// <exception cref="SubscriptionLostException">
    /// Somebody else has taken the subscription, or has set its position.
    /// </exception>
    public async Task RunAsync(CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, ending.Token);
        var token = either.Token;
        Task[] parts = HeldBecause() is { } reason
            ? [HoldAsync(reason, token)]
            : [ReadAsync(token), CatchUpAsync(token), SaveAsync(token), DeliverAsync(token)];
        try
        {
            await await Task.WhenAny(parts);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // What is under way comes to its end below, and is written down.
        }
        finally
        {
            await either.CancelAsync();
            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ahead.Dispose();
        }
        await FlushAsync(CancellationToken.None, isLast: true);
    }

    /// <summary>Writes down what was delivered so far, for good.</summary>
    /// <param name="change">The change of leases that has to be stored; nothing is written where it already is.</param>
    /// <param name="isLast">Nothing can be written afterwards.</param>
    /// <exception cref="SubscriptionLostException">
    /// Somebody else has taken the subscription, or has set its position, or the run is over.
    /// </exception>
    public async Task FlushAsync(CancellationToken ct, long change = long.MaxValue, bool isLast = false)
    {
        await saving.WaitAsync(ct);
        try
        {
            // Asked first: a lease that is stored holds, also when the run has ended since. If its consumer did not hear
            // of it, nobody would have its events until its time is over.
            if (savedChange >= change)
                return;
            if (closed)
                throw new SubscriptionLostException();
            // Before the window's changes, so that what was settled with a change is written with it.
            var (leases, ended, lastChange) = Leases.Changes();
            var (position, parked, released) = Window.Changes();
            var rows = new List<AttemptRow>();
            while (attempts.TryDequeue(out var row))
                rows.Add(row);
            var changes = new SubscriptionChanges(
                position,
                parked,
                released,
                leases,
                ended,
                rows,
                lastError,
                LastSuccessAt
            );
            if (!await node.Store.SaveAsync(Taken.Id, Taken.Epoch, changes, CancellationToken.None))
                throw new SubscriptionLostException();
            savedPosition = position;
            savedChange = lastChange;
            closed = isLast;
        }
        catch
        {
            // What was to be written is known to nobody now, so nothing may be built on it.
            closed = true;
            End();
            throw;
        }
        finally
        {
            saving.Release();
        }
    }

    /// <summary>Notes an attempt to deliver an event.</summary>
    /// <param name="outcome">See <see cref="AttemptRow"/>.</param>
    /// <param name="error">Why it failed; null when it did not.</param>
    public void Note(
        DeliveryItem item,
        string outcome,
        int? status = null,
        string? error = null,
        string? detail = null,
        int? milliseconds = null
    )
    {
        var now = node.Time.GetUtcNow();
        attempts.Enqueue(
            new(
                0,
                now,
                item.Event.Id,
                item.Event.Resource,
                item.Event.Position,
                item.Attempts,
                outcome,
                status,
                error ?? detail,
                milliseconds
            )
        );
        if (error is not null)
            lastError = new(error, now);
        else if (outcome is "delivered" or "acked")
            Volatile.Write(ref lastSuccess, now.UtcTicks);
        node.Logger.LogInformation(
            "Subscription {Subscription}: event {Event}, attempt {Attempt}, {Outcome} {Status} in {Milliseconds} ms",
            Taken.Id,
            item.Event.Id,
            item.Attempts,
            outcome,
            status,
            milliseconds
        );
    }

    /// <summary>Notes why nothing is delivered.</summary>
    public void Fail(string error) => lastError = new(error, node.Time.GetUtcNow());

    /// <summary>Why nothing can be delivered for now; null when nothing is in the way.</summary>
    string? HeldBecause() =>
        Taken.LacksKey ? KeyIsOver
        : Taken.Scope.IsNothing
            ? "The owner may not read resources, or not by the API key that created the subscription; "
                + "deliveries go on when that changes."
        : delivery is null
            ? $"This node does not know the delivery kind {Taken.Target.Kind}; deliveries go on at one that does."
        : null;

    /// <summary>Delivers nothing, and passes over nothing, until the run ends.</summary>
    async Task HoldAsync(string reason, CancellationToken ct)
    {
        Fail(reason);
        await FlushAsync(ct);
        await Task.Delay(Timeout.InfiniteTimeSpan, node.Time, ct);
    }

    async Task ReadAsync(CancellationToken ct)
    {
        await foreach (var page in node.Feed.FollowAsync(Reader, Window.Reached, Filter, Pulse, ct, RoomAsync))
        {
            foreach (var logged in page.Events)
                Window.Add(logged);
            Window.Reach(page.Reached);
            if (page.Events is not [])
                Work.Set();
        }
    }

    /// <summary>The account for whom the log is read.</summary>
    string Reader => Taken.Owner.ToString();

    /// <summary>Waits until more events may be read ahead.</summary>
    async ValueTask<(int Events, int Bytes)> RoomAsync(CancellationToken ct)
    {
        for (var seen = 0L; IsFull(); seen = await Work.WaitAsync(seen, Pulse, ct))
            if (!Window.IsRestored)
                Window.StopRestoring();
        // Where there is no room at all, one event has it nevertheless.
        return (Math.Min(PageSize, node.Options.MaxUnacked - Window.Open), ahead.IsTight ? 1 : PageBytes);
    }

    bool IsFull()
    {
        if (Window.Parked >= MaxParked)
            Fail($"{MaxParked} resources are parked: no more events are read until some are free.");
        return Window.Open >= node.Options.MaxUnacked
            || Window.Parked >= MaxParked
            // What is read for a target that is not asked would only lie here.
            || Pace?.IsPaused(node.Time.GetUtcNow()) is true
            || ahead.IsFull(Window.Bytes, Pace?.IsFailing is true);
    }

    async Task CatchUpAsync(CancellationToken ct)
    {
        for (; ; await Task.Delay(SaveEvery, node.Time, ct))
        {
            var now = node.Time.GetUtcNow();
            foreach (var parked in Window.Due(now, Pace?.Allowed(now) ?? MaxCatchingUp))
            {
                if (ahead.IsFull(Window.Bytes, Pace?.IsFailing is true))
                    break;
                if (await ReadParkedAsync(parked, ct) is not { } page)
                    break;
                Window.Refill(parked.Resource, page);
                Work.Set();
            }
        }
    }

    /// <summary>
    /// Null when the owner has too many reads under way. It is due again at the next round: if the run ended by that,
    /// what is in flight would be delivered again.
    /// </summary>
    async Task<LogPage?> ReadParkedAsync(ParkedResource parked, CancellationToken ct)
    {
        try
        {
            return await node.Feed.ReadAsync(
                Reader,
                parked.Position - 1,
                Filter with
                {
                    Resource = parked.Resource,
                },
                CatchUpPage,
                parked.PassedOver,
                ct
            );
        }
        catch (StoreOverloadedException)
        {
            return null;
        }
    }

    async Task SaveAsync(CancellationToken ct)
    {
        for (var saved = node.Time.GetTimestamp(); ; await Task.Delay(SaveEvery, node.Time, ct))
        {
            ahead.Set(Window.Bytes);
            if (
                attempts.IsEmpty
                && !Window.HasChanges
                && (Window.Position == savedPosition || node.Time.GetElapsedTime(saved) < SaveIdleEvery)
            )
                continue;
            await FlushAsync(ct);
            saved = node.Time.GetTimestamp();
        }
    }

    /// <summary>Sends events, unless consumers pull them.</summary>
    async Task DeliverAsync(CancellationToken ct)
    {
        if (delivery is not IPushDelivery push)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, node.Time, ct);
            return;
        }
        using var aborting = new CancellationTokenSource();
        using var draining = ct.Register(() => aborting.CancelAfter(DrainTime));
        await new DeliveryLoop(this, push, node).RunAsync(ct, aborting.Token);
    }
}

/// <summary>This activation may no longer write for the subscription.</summary>
sealed class SubscriptionLostException() : Exception("The subscription was taken over, or its position was set.");
