using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Threading.Channels;
using Marten;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Resources.Grains;

/// <summary>
/// The one door to the log. Appends of many grains that wait at the same time go to PostgreSQL in one transaction
/// (group commit); each is answered on its own. Reads go through Marten, so that it alone knows how a stored event
/// becomes an object.
/// </summary>
public sealed class EventLog(
    NpgsqlDataSource database,
    IDocumentStore store,
    StoreContact contact,
    Signal signal,
    EventKinds kinds,
    ILogger<EventLog> log
) : BackgroundService
{
    /// <summary>Traces of the log: one span an append, from the wait for the batch to the commit.</summary>
    public static readonly ActivitySource Activities = new("Resources.EventLog");

    const int MostStreams = 256;
    const int MostBytes = 4 << 20;

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
        "Time of one group commit"
    );

    readonly Channel<Append> queue = Channel.CreateUnbounded<Append>(new() { SingleReader = true });

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
    )
    {
        using var activity = Activities.StartActivity("append");
        var append = new Append(kinds, stream, expectedVersion, events, intent);
        if (!queue.Writer.TryWrite(append))
            throw new StoreUnavailableException("This node is stopping.");
        try
        {
            var appended = await contact.WhileAvailableAsync(_ => append.Done.Task);
            activity?.SetTag("resources.position", appended?.Positions[^1]);
            return appended;
        }
        finally
        {
            // Nobody waits any more: if it was not sent yet, it is not going to be.
            append.Done.TrySetCanceled();
        }
    }

    /// <summary>The events of a stream after a version, oldest first.</summary>
    public Task<IReadOnlyList<JasperFx.Events.IEvent>> ReadAsync(
        Guid stream,
        long afterVersion = 0,
        long throughVersion = 0,
        DateTimeOffset? through = null
    ) =>
        contact.WhileAvailableAsync(async ct =>
        {
            await using var session = store.QuerySession();
            return await session.Events.FetchStreamAsync(stream, throughVersion, through, afterVersion + 1, ct);
        });

    /// <summary>The version and position a stream is at; (0, 0) when it has no event.</summary>
    public Task<(long Version, long Position)> HeadAsync(Guid stream) =>
        contact.WhileAvailableAsync(async ct =>
        {
            await using var command = database.CreateCommand(
                "select version, seq_id from mt_events where stream_id = $1 order by version desc limit 1"
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream });
            await using var row = await command.ExecuteReaderAsync(ct);
            return await row.ReadAsync(ct) ? (row.GetInt64(0), row.GetInt64(1)) : (0, 0);
        });

    /// <summary>Finds the events that a command has appended to a stream.</summary>
    /// <returns>
    /// The version after the command and the request's fingerprint (null when it had no key); null when the command is
    /// not in the stream.
    /// </returns>
    public Task<(long Version, string? Fingerprint)?> FindCommandAsync(Guid stream, Intent intent) =>
        contact.WhileAvailableAsync<(long, string?)?>(async ct =>
        {
            await using var command = database.CreateCommand(
                intent.Fingerprint is null
                    ? "select max(version), null from mt_events where stream_id = $1 and causation_id = $2"
                    : "select max(version), max(headers ->> 'fingerprint') from mt_events where stream_id = $1 and causation_id = $2 and headers ? 'fingerprint'"
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = intent.CommandId.ToString() });
            await using var row = await command.ExecuteReaderAsync(ct);
            await row.ReadAsync(ct);
            return row.IsDBNull(0) ? null : (row.GetInt64(0), row.IsDBNull(1) ? null : row.GetString(1));
        });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Runs until the queue is closed and empty: whoever was let in gets an answer.
        await using var closing = stoppingToken.Register(() => queue.Writer.TryComplete());
        var batch = new AppendBatch();
        while (await queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            batch.Clear();
            while (
                batch.Streams < MostStreams
                && batch.Bytes < MostBytes
                && queue.Reader.TryPeek(out var next)
                && (next.Done.Task.IsCompleted || batch.TryAdd(next))
            )
                queue.Reader.TryRead(out _);
            if (batch.Streams > 0)
                await CommitAsync(batch);
        }
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
            var conflicts = outcomes.Count(outcome => outcome is null);
            if (conflicts > 0)
                Conflicts.Add(conflicts);
        }
        catch (Exception e) when (batch.Streams > 1 && !StoreUnavailableException.Explains(e))
        {
            // The database refuses one of them: each alone, so that it fails by itself.
            foreach (var single in batch.Split())
                await CommitAsync(single);
        }
        catch (Exception e)
        {
            if (!StoreUnavailableException.Explains(e))
                log.LogError(e, "An append was refused by the database");
            batch.Fail(e);
        }
    }

    /// <summary>
    /// Sends a batch, once more if the connection fails: the database recognises events that it has already, so the
    /// second call answers what became of the first.
    /// </summary>
    async Task<Appended?[]> SendAsync(AppendBatch batch)
    {
        try
        {
            return await batch.SendAsync(database);
        }
        catch (Exception e) when (StoreUnavailableException.Explains(e))
        {
            log.LogWarning("A group commit failed and is sent again: {Reason}", e.Message);
            database.Clear();
            return await batch.SendAsync(database);
        }
    }
}
