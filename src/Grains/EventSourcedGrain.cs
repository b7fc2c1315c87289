using System.Diagnostics;

namespace Resources.Grains;

/// <summary>
/// A grain whose state is the fold of its stream. Commands decide on the state, append at the expected version and
/// evolve only what was appended; after any failure the state is forgotten and read again. Two activations may exist
/// for a moment: the expected version lets one of them win, and the other decides again on what it then reads.
/// </summary>
public abstract class EventSourcedGrain<TState, TEvent>(EventLog log, Snapshots snapshots, StoreContact contact) : Grain
    where TState : class
    where TEvent : class
{
    /// <summary>
    /// A command that loses to another activation for this long gives up, before its caller does; with one activation
    /// it never loses. A number of attempts would not do: who loses must read again, and so loses again to one that
    /// writes without a pause.
    /// </summary>
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(8);

    /// <summary>
    /// A write without an answer may still be committed: by a server that was slow, or by a packet that is sent again.
    /// For this long, more than the driver and the server give such a statement, memory is compared with the store.
    /// </summary>
    static readonly TimeSpan Doubt = TimeSpan.FromSeconds(30);

    TState? state;
    long version;
    long position;
    bool loaded;
    long doubtfulSince;

    Guid Stream => this.GetPrimaryKey();

    bool MemoryIsTrusted =>
        contact.MemoryIsTrusted && (doubtfulSince is 0 || Stopwatch.GetElapsedTime(doubtfulSince) > Doubt);

    /// <summary>The state after an event; null state = before the first.</summary>
    protected abstract TState Evolve(TState? state, Recorded<TEvent> recorded);

    /// <summary>
    /// Runs a command: a repetition is answered as the first time, all else is decided, appended and evolved.
    /// </summary>
    /// <param name="startsStream">The stream is probably new: appending at version 0 finds out without a read.</param>
    protected async Task<Reply<TState>> Transact(
        Intent intent,
        Func<TState?, long, Decision<TEvent>> decide,
        bool startsStream = false
    )
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            for (var again = false; ; again = true)
            {
                if (again || intent.Repeated || !startsStream)
                    await RefreshAsync();
                // The edge may have sent the command a second time, to whoever moved this stream meanwhile.
                var mayHaveRun = intent.Fingerprint is not null || intent.Repeated || again || !MemoryIsTrusted;
                if (version > 0 && mayHaveRun && await RepeatedAsync(intent) is { } earlier)
                    return earlier;

                var decision = decide(state, version);
                if (decision.Rejection is { } rejection)
                    return Reply<TState>.Refused(rejection);
                if (decision.Events is [])
                    return new(state, version, position, false, null);

                if (await log.AppendAsync(Stream, version, decision.Events, intent) is { } appended)
                {
                    for (var i = 0; i < decision.Events.Length; i++)
                        Evolve(
                            new Recorded<TEvent>(
                                decision.Events[i],
                                version + 1,
                                appended.Positions[i],
                                appended.At,
                                intent.Actor
                            )
                        );
                    loaded = true;
                    await snapshots.MaybeSaveAsync(Stream, version - decision.Events.Length, version, position, state!);
                    return new(state, version, position, false, null);
                }
                Forget();
                if (Stopwatch.GetElapsedTime(started) > Timeout)
                    throw new StoreUnavailableException("Another activation keeps writing to this stream.");
            }
        }
        catch (Exception e)
        {
            Forget();
            if (e is StoreUnavailableException and not StoreOverloadedException)
                doubtfulSince = Stopwatch.GetTimestamp();
            throw;
        }
    }

    /// <summary>The current state, its version and position; a null value when the stream has no event.</summary>
    protected async Task<Reply<TState>> Current()
    {
        await RefreshAsync();
        return new(state, version, position, false, null);
    }

    /// <summary>The state as it was: through a version, a time or a position, whichever is given.</summary>
    protected Task<Reply<TState>> Past(
        long throughVersion = 0,
        DateTimeOffset? throughTime = null,
        long? throughPosition = null
    ) => FoldAsync(throughVersion, throughTime, throughPosition);

    async Task<Reply<TState>?> RepeatedAsync(Intent intent)
    {
        if (await log.FindCommandAsync(Stream, intent) is not var (after, fingerprint))
            return null;
        if (fingerprint != intent.Fingerprint)
            return Reply<TState>.Refused(new(Refusal.KeyReused, "This Idempotency-Key was used for another request."));
        return await FoldAsync(after, null, null) with
        {
            Replayed = intent.Fingerprint is not null && !intent.Repeated,
        };
    }

    /// <summary>
    /// Makes sure that the state is the newest. Refusals and answers without an event rest on it just as reads do.
    /// </summary>
    async Task RefreshAsync()
    {
        if (loaded && !MemoryIsTrusted && (await log.HeadAsync(Stream)).Version != version)
            Forget();
        await LoadAsync();
    }

    async Task LoadAsync()
    {
        if (loaded)
            return;
        Forget();
        if (await snapshots.LoadAsync<TState>(Stream) is { } snapshot)
        {
            state = snapshot.State;
            version = snapshot.Version;
            position = snapshot.Position;
        }
        foreach (var recorded in await ReadAsync(version))
            Evolve(recorded);
        loaded = true;
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
        var past = (TState?)null;
        var at = 0L;
        var where = 0L;
        foreach (var recorded in await ReadAsync(0, throughVersion, throughTime))
        {
            if (recorded.Position > throughPosition)
                break;
            past = Evolve(past, recorded);
            at = recorded.Version;
            where = recorded.Position;
        }
        return new(past, at, where, false, null);
    }

    async Task<IEnumerable<Recorded<TEvent>>> ReadAsync(
        long after,
        long through = 0,
        DateTimeOffset? throughTime = null
    ) =>
        from stored in await log.ReadAsync(Stream, after, through, throughTime)
        // Ids of all kinds are of one form: by that of a session there is no resource.
        where stored.Data is TEvent
        select new Recorded<TEvent>(
            (TEvent)stored.Data,
            stored.Version,
            stored.Sequence,
            stored.Timestamp,
            stored.UserName!
        );
}
