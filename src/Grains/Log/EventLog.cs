using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Threading.Channels;
using Marten;
using Marten.Services;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Resources.Grains;

/// <summary>
/// The one door to the log. Appends of many grains that wait at the same time go to PostgreSQL in one transaction
/// (group commit); each is answered on its own. Reads go through Marten, so that it alone knows how a stored event
/// becomes an object.
/// </summary>
public sealed partial class EventLog(
    LogDb db,
    ReadsDb reads,
    SessionsDb sessions,
    IDocumentStore store,
    StoreContact contact,
    Signal signal,
    EventKinds kinds,
    ILogger<EventLog> logger
) : BackgroundService
{
    /// <summary>Traces of the log: one span an append, from the wait for the batch to the commit.</summary>
    public static readonly ActivitySource Activities = new("Resources.EventLog");

    const int MaxStreams = 256;
    const int MaxBytes = 4 << 20;

    /// <summary>Each row takes the database some 25 µs under the log's lock.</summary>
    const int MaxGuardRows = 1_000;

    /// <summary>Callers wait for so long for a commit; it may still happen.</summary>
    static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    /// <summary>A read of the past has so many events in memory: single ones may have a megabyte.</summary>
    const int PastPage = 32;

    /// <summary>How long a read of the past waits for its turn.</summary>
    static readonly TimeSpan PastPatience = TimeSpan.FromSeconds(3);

    static readonly Meter Meter = new("Resources.EventLog");
    static readonly Counter<long> Appended = Meter.CreateCounter<long>(
        "resources.log.events",
        description: "Events committed by this node"
    );
    static readonly Counter<long> Conflicts = Meter.CreateCounter<long>(
        "resources.log.conflicts",
        description: "Appends refused because the stream had moved"
    );
    static readonly Histogram<int> BatchSize = Meter.CreateHistogram<int>(
        "resources.log.batch",
        description: "Streams committed in one transaction"
    );
    static readonly Histogram<double> CommitTime = Meter.CreateHistogram<double>(
        "resources.log.commit",
        "s",
        "Time of one group commit",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [.0005, .001, .002, .004, .008, .015, .03, .06, .125, .25, .5, 1, 2.5, 5],
        }
    );

    readonly StreamHeads heads = new(db);
    readonly Channel<Append> queue = Channel.CreateUnbounded<Append>(new() { SingleReader = true });

    /// <summary>
    /// Reads of the past go through whole streams. So many at a time leave the database, and the grains' connections, to
    /// those who read what is.
    /// </summary>
    readonly SemaphoreSlim past = new(3);

    /// <summary>The appender's own connection: it never waits behind those that read.</summary>
    NpgsqlConnection? connection;

    /// <summary>
    /// When the statement under way was sent; 0 while there is none. While one waits without an end nothing is queued
    /// behind it.
    /// </summary>
    long sendingSince;

    /// <summary>
    /// Appends <paramref name="events"/> to a stream that must be at <paramref name="expectedVersion"/> (0 = new).
    /// </summary>
    /// <returns>The events' positions and time; null when the stream is at another version.</returns>
    /// <exception cref="StoreUnavailableException">
    /// The database is away; whether the events were committed is unknown.
    /// </exception>
    public async Task<Appended?> AppendAsync(
        Guid stream,
        long expectedVersion,
        IReadOnlyList<object> events,
        Intent intent
    ) => await AppendAsync(stream, expectedVersion, events, intent, null) as Appended;

    /// <inheritdoc cref="AppendAsync(Guid, long, IReadOnlyList{object}, Intent)"/>
    /// <param name="guards">What must hold beside the version; null when nothing must.</param>
    /// <returns>Whether it was appended, or why not; the version is compared before the guards.</returns>
    public async Task<AppendOutcome> AppendAsync(
        Guid stream,
        long expectedVersion,
        IReadOnlyList<object> events,
        Intent intent,
        Guards? guards
    )
    {
        using var activity = Activities.StartActivity("append");
        return await QueueAsync(new(kinds, stream, expectedVersion, events, intent, guards), activity);
    }

    /// <summary>Appends to several streams: to all of them in one transaction, or to none.</summary>
    /// <param name="members">In the order in which they come into the log. No two have one stream.</param>
    /// <param name="ends">From when on it is too late, by the clock of the database. Then it counts as a conflict.</param>
    /// <returns>What was appended to the last one's stream, or <see cref="Withheld"/>.</returns>
    /// <inheritdoc cref="AppendAsync(Guid, long, IReadOnlyList{object}, Intent)"/>
    public async Task<AppendOutcome> AppendUnitAsync(IReadOnlyList<UnitMember> members, DateTimeOffset ends)
    {
        if (members.DistinctBy(one => one.Stream).Count() < members.Count)
            throw new ArgumentException("A unit has a stream twice.", nameof(members));
        using var activity = Activities.StartActivity("append");
        Append Of(UnitMember one, Append[] before) =>
            new(kinds, one.Stream, one.ExpectedVersion, one.Events, one.Intent, one.Guards)
            {
                Before = before,
                UnitEnds = ends,
            };
        var before = members.Take(members.Count - 1).Select(one => Of(one, [])).ToArray();
        return await QueueAsync(Of(members[^1], before), activity);
    }

    async Task<AppendOutcome> QueueAsync(Append append, Activity? activity)
    {
        if (Volatile.Read(ref sendingSince) is not 0 and var since && Stopwatch.GetElapsedTime(since) > MaxWait)
            throw new StoreUnavailableException("A commit has been waiting for seconds, perhaps for a standby.");
        if (!queue.Writer.TryWrite(append))
            throw new StoreUnavailableException("This node is stopping.");
        try
        {
            var outcome = await contact.WhileAvailableAsync(_ => append.Done.Task.WaitAsync(MaxWait));
            activity?.SetTag("resources.position", (outcome as Appended)?.Positions[^1]);
            return outcome;
        }
        finally
        {
            // Nobody waits any more: if it was not sent yet, it is not going to be.
            append.Done.TrySetCanceled();
        }
    }

    /// <summary>The resources that refer to a stream; itself is none of them.</summary>
    public async Task<Referrers> ReferrersAsync(Guid target) =>
        (
            await reads.QueryAsync(
                """
                with referring as (select distinct source from resource_references where target = $1 and source <> $1)
                select (select count(*) from referring), array(select source from referring order by source limit $2)
                """,
                [Arg.Of(target), Arg.Of(Referrers.Max)],
                reader => new Referrers(reader.GetInt64(0), reader.GetFieldValue<Guid[]>(1))
            )
        )[0];

    /// <summary>The events of a stream after a version, oldest first.</summary>
    public Task<IReadOnlyList<JasperFx.Events.IEvent>> ReadAsync(Guid stream, long afterVersion = 0) =>
        FetchAsync(db, stream, afterVersion, 0, null);

    /// <summary>
    /// Hands over the events of a stream after a version, oldest first, through a version, a time, or both (0 and null =
    /// to its end), until no more are wanted. A few are in memory at a time.
    /// </summary>
    /// <param name="take">Takes an event; whether it wants another.</param>
    public async Task ReadPastAsync(
        Guid stream,
        long afterVersion,
        long throughVersion,
        DateTimeOffset? through,
        Func<JasperFx.Events.IEvent, bool> take
    )
    {
        var last = throughVersion is 0 ? long.MaxValue : throughVersion;
        for (var after = afterVersion; after < last; after += PastPage)
        {
            var page = await FetchAsync(reads, stream, after, Math.Min(last, after + PastPage), through);
            if (!page.All(take) || page.Count < PastPage)
                return;
        }
    }

    /// <summary>Runs a read of the past that somebody asked for, when it is its turn at this node.</summary>
    /// <exception cref="StoreOverloadedException">Too many of them have been under way for seconds.</exception>
    public async Task<T> InTurnOfPastAsync<T>(Func<Task<T>> read)
    {
        if (!await past.WaitAsync(PastPatience))
            throw new StoreOverloadedException("Too many reads of the past are under way.");
        try
        {
            return await read();
        }
        finally
        {
            past.Release();
        }
    }

    Task<IReadOnlyList<JasperFx.Events.IEvent>> FetchAsync(
        Db from,
        Guid stream,
        long afterVersion,
        long throughVersion,
        DateTimeOffset? through
    ) =>
        from.RunAsync(
            async (connection, ct) =>
            {
                await using var session = store.QuerySession(SessionOptions.ForConnection(connection));
                return await session.Events.FetchStreamAsync(stream, throughVersion, through, afterVersion + 1, ct);
            }
        );

    /// <summary>The version and position a stream is at; (0, 0) when it has no event.</summary>
    public Task<(long Version, long Position)> HeadAsync(Guid stream) => heads.OfAsync(stream);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Runs until the queue is closed and empty: whoever was let in gets an answer.
        await using var closing = stoppingToken.Register(() => queue.Writer.TryComplete());
        var batch = new AppendBatch();
        while (await queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            batch.Clear();
            while (
                batch.Streams < MaxStreams
                && batch.Bytes < MaxBytes
                && batch.GuardRows < MaxGuardRows
                && queue.Reader.TryPeek(out var next)
                && (next.Done.Task.IsCompleted || batch.TryAdd(next))
            )
                queue.Reader.TryRead(out _);
            if (batch.Streams > 0)
                await CommitAsync(batch);
        }
        if (connection is not null)
            await connection.DisposeAsync();
    }

    async Task CommitAsync(AppendBatch batch)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var outcomes = await SendAsync(batch);
            contact.Heard();
            signal.Set();
            BatchSize.Record(batch.Streams);
            CommitTime.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
            Appended.Add(batch.Complete(outcomes));
            var conflicts = outcomes.Count(outcome => outcome is Conflict);
            if (conflicts > 0)
                Conflicts.Add(conflicts);
        }
        catch (Exception e) when (batch.IsDivisible && !StoreUnavailableException.Explains(e))
        {
            // The database refuses one of them: each alone, so that it fails by itself.
            foreach (var single in batch.Split())
                await CommitAsync(single);
        }
        catch (Exception e)
        {
            if (!StoreUnavailableException.Explains(e))
                logger.LogError(e, "An append was refused by the database");
            batch.Fail(e);
        }
    }

    /// <summary>
    /// Sends a batch, once more if the connection fails: the database recognises events that it has already, so the
    /// second call answers what became of the first.
    /// </summary>
    async Task<AppendOutcome?[]> SendAsync(AppendBatch batch)
    {
        try
        {
            return await SendOnceAsync(batch);
        }
        catch (Exception e) when (e is not StoreOverloadedException && StoreUnavailableException.Explains(e))
        {
            logger.LogWarning("A group commit failed and is sent again: {Reason}", e.Message);
        }
        try
        {
            return await SendOnceAsync(batch);
        }
        catch (StoreOverloadedException e)
        {
            // The first attempt may have been committed: that this one was not sent says nothing.
            throw new StoreUnavailableException("PostgreSQL went away.", e);
        }
    }

    async Task<AppendOutcome?[]> SendOnceAsync(AppendBatch batch)
    {
        var lost = contact.Lost;
        // It does not wait behind the statements of others.
        var end = new CancellationTokenSource();
        await using var ending = lost.UnsafeRegister(
            static end => _ = StoreContact.CancelAsync((CancellationTokenSource)end!),
            end
        );
        var isWarned = false;
        void Warn(object? sender, NpgsqlNoticeEventArgs e) => isWarned |= e.Notice.InvariantSeverity is "WARNING";
        try
        {
            lost.ThrowIfCancellationRequested();
            connection ??= await sessions.OpenAsync(end.Token);
            connection.Notice += Warn;
            Volatile.Write(ref sendingSince, Stopwatch.GetTimestamp());
            var outcomes = await batch.SendAsync(connection, end.Token);
            connection.Notice -= Warn;
            // PostgreSQL warns when it gives up waiting for a standby, and answers as if it had not.
            return isWarned
                ? throw new StoreUnavailableException("The commit may not have reached a standby.")
                : outcomes;
        }
        catch (Exception e)
        {
            // The connections of the grains are of the same server. Where it only refuses a statement, they are good.
            if (lost.IsCancellationRequested || StoreUnavailableException.Explains(e))
                db.Clear();
            // The driver loses track of a statement that fails while it is prepared (npgsql issue 6391). The next batch
            // would get the failure as its own, so this connection is not kept.
            if (connection is { } broken)
            {
                connection = null;
                await broken.DisposeAsync();
            }
            if (e is OperationCanceledException && lost.IsCancellationRequested)
                throw new StoreUnavailableException("PostgreSQL went away.", e);
            throw;
        }
        finally
        {
            Volatile.Write(ref sendingSince, 0);
        }
    }
}
