using System.Diagnostics;
using JasperFx.Events;

namespace Resources.Grains;

/// <summary>
/// A grain whose state is the fold of its stream. A command decides on the state, appends at the expected version and
/// evolves only appended events. After any failure the grain forgets the state and reads it again. Two activations may
/// exist for a moment: the expected version lets one win, and the other reads again and decides again.
/// </summary>
public abstract class EventSourcedGrain<TState, TEvent>(
    EventLog log,
    Snapshots snapshots,
    StoreContact contact,
    TimeProvider time
) : Grain
    where TState : class
    where TEvent : class
{
    /// <summary>
    /// A command that loses to another activation for this long gives up before its caller does. A number of attempts
    /// would be too few: the loser has to read again, and so keeps losing to an activation that writes without pause.
    /// </summary>
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(8);

    /// <summary>
    /// A write without an answer may still be committed by a slow server or a retransmitted packet, for this long at
    /// most: driver and server give up on such a statement sooner.
    /// </summary>
    static readonly TimeSpan DoubtPeriod = TimeSpan.FromSeconds(30);

    TState? state;
    long version;
    long position;
    bool loaded;

    /// <summary>When the state was last known to be that of the stream.</summary>
    long comparedAt;

    /// <summary>When an unknown write may last be committed.</summary>
    long doubtEnds = long.MinValue;

    /// <summary>Whether the grain has a state in memory.</summary>
    protected bool IsLoaded => loaded;

    /// <summary>The current time.</summary>
    protected DateTimeOffset Now => time.GetUtcNow();

    Guid Stream => this.GetPrimaryKey();

    /// <summary>
    /// Whether the state may be used without a look at the stream. Each doubt ends with a look: what was loaded in the
    /// middle of one may have been overtaken before its end. That a stream is empty is never remembered, as others begin
    /// streams without asking its grain.
    /// </summary>
    bool MemoryIsTrusted => version > 0 && comparedAt > doubtEnds && contact.Trusts(comparedAt);

    /// <summary>The state after an event; a null state precedes the first event.</summary>
    protected abstract TState Evolve(TState? state, Recorded<TEvent> recorded);

    /// <summary>
    /// Runs a command. A retry gets the first answer again; any other command is decided, appended and evolved.
    /// </summary>
    /// <param name="startsStream">The stream is probably new: an append at version 0 saves the read.</param>
    /// <param name="referenced">
    /// Appends what others refer to together with what that means for them; null where they are a reason to refuse. After a
    /// conflict the command is decided again.
    /// </param>
    /// <param name="seen">
    /// What somebody has read of a stream that is probably still at this version: the append there saves the read, too.
    /// </param>
    protected async Task<Reply<TState>> Transact(
        Intent intent,
        Func<TState?, DecisionContext, Decision<TEvent>> decide,
        bool startsStream = false,
        Func<UnitMember, Task<AppendOutcome>>? referenced = null,
        (TState State, long Version)? seen = null
    )
    {
        var started = time.GetTimestamp();
        try
        {
            for (var round = 0; ; round++)
            {
                var again = round > 0;
                if (!again && !intent.Repeated && !loaded && seen is { } known)
                    (state, version) = known;
                else if (again || intent.Repeated || !startsStream)
                    await RefreshAsync();
                // The edge may have retried the command at another activation, which then moved this stream.
                var mayHaveRun = intent.Fingerprint is not null || intent.Repeated || again || !MemoryIsTrusted;
                if (version > 0 && loaded && mayHaveRun && await RepeatedAsync(intent) is { } earlier)
                    return earlier;

                var decision = decide(state, new(version, intent, Now));
                // A stream that was not read may know this command, whose rules may have changed since.
                if (!loaded && decision.Events is [])
                    continue;
                if (await CarryOutAsync(decision, intent, referenced) is { } answer)
                {
                    // A state that was not read is of use for this command only.
                    if (!loaded)
                        Forget();
                    return answer;
                }
                if (time.GetElapsedTime(started) > Timeout)
                    throw new StoreUnavailableException("What this command is decided on keeps changing.");
                // Each round with others costs up to a thousand of their grains something.
                if (referenced is not null)
                    await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(20 << Math.Min(round, 5))), time);
            }
        }
        catch (Exception e)
        {
            Forget();
            if (e is StoreUnavailableException and not StoreOverloadedException)
                Distrust(TimeSpan.Zero);
            throw;
        }
    }

    /// <summary>
    /// Reads the rules again that decisions were made by, as the stream of their fence has moved. A grain whose
    /// decisions have a fence overrides this.
    /// </summary>
    protected virtual Task RefreshRulesAsync(Fence stale) =>
        throw new UnreachableException($"{GetType().Name} cannot read again what its fences stand for.");

    /// <summary>Answers a decision; null when what it was made on has changed, so that it has to be made again.</summary>
    async Task<Reply<TState>?> CarryOutAsync(
        Decision<TEvent> decision,
        Intent intent,
        Func<UnitMember, Task<AppendOutcome>>? referenced
    )
    {
        // An append compares the fence itself.
        if (decision.Events is [] && !await StandsAsync(decision.Guards?.Fence))
            return null;
        if (decision.Rejection is { } rejection)
            return Reply<TState>.Refused(rejection);
        if (decision.Events is [])
        {
            if (intent.Fingerprint is null || version is 0 || await log.RememberUnchangedAsync(Stream, version, intent))
                return new(state, version, position, false, null);
            Forget();
            return null;
        }
        var sent = time.GetTimestamp();
        var outcome = await log.AppendAsync(Stream, version, decision.Events, intent, decision.Guards);
        if (outcome is StillReferenced && referenced is not null)
            outcome = await referenced(new(Stream, version, decision.Events, intent, decision.Guards));
        switch (outcome)
        {
            case Appended appended:
                comparedAt = sent;
                Add(decision.Events, appended, intent.Actor);
                return new(state, version, position, false, null);
            case Conflict:
                Forget();
                return null;
            case FenceMoved:
                await RefreshRulesAsync(decision.Guards!.Fence!.Value);
                return null;
            case Taken { Claim: var claim }:
                return Reply<TState>.Refused(GuardRefusal.NotUnique(claim));
            case TargetMissing { Reference: var reference }:
                return Reply<TState>.Refused(GuardRefusal.ReferenceNotFound(reference));
            case Declined { Rejection: var declined }:
                return Reply<TState>.Refused(declined);
            case StillReferenced:
                // None, if the last of them has gone meanwhile.
                return await log.ReferrersAsync(Stream) is { Count: > 0 } referrers
                    ? Reply<TState>.Refused(GuardRefusal.StillReferenced(referrers))
                    : null;
            case var other:
                throw new UnreachableException($"No arm for {other.GetType().Name}.");
        }
    }

    /// <summary>Appends to this stream and to others: to all of them, or to none.</summary>
    protected Task<AppendOutcome> AppendUnitAsync(IReadOnlyList<UnitMember> members, DateTimeOffset ends) =>
        log.AppendUnitAsync(members, ends);

    /// <summary>
    /// Lets nothing that is remembered pass without a look at the stream, while a write may still be committed that nobody
    /// here will hear of.
    /// </summary>
    /// <param name="sentWithin">How long it may take until the write is sent.</param>
    protected void Distrust(TimeSpan sentWithin)
    {
        var seconds = (sentWithin + DoubtPeriod).TotalSeconds;
        doubtEnds = Math.Max(doubtEnds, time.GetTimestamp() + (long)(seconds * time.TimestampFrequency));
    }

    /// <summary>
    /// Whether the rules of a decision without events are the newest; else they are read again. Nobody is refused by rules of
    /// the past, nor told that they leave nothing to change.
    /// </summary>
    async Task<bool> StandsAsync(Fence? fence)
    {
        if (fence is not { } stated || (await log.HeadAsync(stated.Stream)).Position == stated.Position)
            return true;
        await RefreshRulesAsync(stated);
        return false;
    }

    void Add(TEvent[] events, Appended appended, string actor)
    {
        for (var i = 0; i < events.Length; i++)
            Evolve(new Recorded<TEvent>(events[i], version + 1, appended.Positions[i], appended.At, actor));
        loaded = true;
        snapshots.Offer(Stream, version - events.Length, version, position, appended.At, state!);
    }

    /// <summary>The current state with its version and position; a null value when the stream has no event.</summary>
    protected async Task<Reply<TState>> Current()
    {
        await RefreshAsync();
        // Of what is not there nothing is worth keeping.
        if (version is 0)
            DeactivateOnIdle();
        return new(state, version, position, false, null);
    }

    /// <summary>
    /// A past state, through a version, a time or a position. Answers to repeated commands are folded likewise, and wait
    /// for nobody who reads the past.
    /// </summary>
    protected Task<Reply<TState>> Past(
        long throughVersion = 0,
        DateTimeOffset? throughTime = null,
        long? throughPosition = null
    ) => log.InTurnOfPastAsync(() => FoldAsync(throughVersion, throughTime, throughPosition));

    async Task<Reply<TState>?> RepeatedAsync(Intent intent)
    {
        if (await log.FindCommandAsync(Stream, version, intent) is not var (after, fingerprint))
            return null;
        if (fingerprint != intent.Fingerprint)
            return Reply<TState>.Refused(new(Refusal.KeyReused, "This Idempotency-Key was used for another request."));
        return await FoldAsync(after, null, null) with
        {
            Replayed = intent.Fingerprint is not null && !intent.Repeated,
        };
    }

    /// <summary>
    /// Makes sure that the state is current. Refusals and answers without an event depend on it as reads do.
    /// </summary>
    async Task RefreshAsync()
    {
        if (loaded && MemoryIsTrusted)
            return;
        var asked = time.GetTimestamp();
        if (!loaded || version is 0 || await log.HeadAsync(Stream) != (version, position))
            await LoadAsync();
        comparedAt = asked;
    }

    async Task LoadAsync()
    {
        Forget();
        if (await snapshots.LoadAsync<TState>(Stream) is { } snapshot)
        {
            state = snapshot.State;
            version = snapshot.Version;
            position = snapshot.Position;
        }
        var saved = version;
        var at = default(DateTimeOffset);
        foreach (var recorded in await ReadAsync(version))
        {
            Evolve(recorded);
            at = recorded.At;
        }
        loaded = true;
        // As after a change of the format: the next activation need not fold as much.
        if (version - saved > Snapshots.Interval)
            snapshots.Offer(Stream, saved, version, position, at, state!);
    }

    void Evolve(Recorded<TEvent> recorded)
    {
        if (recorded.Version != version + 1)
            throw new InvalidDataException($"Stream {Stream} has version {recorded.Version} after {version}.");
        state = Evolve(state, recorded);
        version = recorded.Version;
        position = recorded.Position;
    }

    void Forget()
    {
        state = null;
        version = 0;
        position = 0;
        loaded = false;
    }

    async Task<Reply<TState>> FoldAsync(long throughVersion, DateTimeOffset? throughTime, long? throughPosition)
    {
        var saved = await snapshots.LoadPastAsync<TState>(Stream, throughVersion, throughTime, throughPosition);
        var past = saved?.State;
        var at = saved?.Version ?? 0;
        var where = saved?.Position ?? 0;
        await log.ReadPastAsync(Stream, at, throughVersion, throughTime, stored =>
        {
            if (stored.Sequence > throughPosition)
                return false;
            foreach (var recorded in Recorded([stored]))
            {
                past = Evolve(past, recorded);
                at = recorded.Version;
                where = recorded.Position;
            }
            return true;
        });
        return new(past, at, where, false, null);
    }

    /// <summary>The events of the stream after a version, in order.</summary>
    protected async Task<IEnumerable<Recorded<TEvent>>> ReadAsync(long after) =>
        Recorded(await log.ReadAsync(Stream, after));

    static IEnumerable<Recorded<TEvent>> Recorded(IReadOnlyList<IEvent> events) =>
        from stored in events
        // All aggregates share one id format; a session's id must not load as a resource.
        where stored.Data is TEvent
        select new Recorded<TEvent>(
            (TEvent)stored.Data,
            stored.Version,
            stored.Sequence,
            stored.Timestamp,
            stored.UserName!
        );
}
