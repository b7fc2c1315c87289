using System.Diagnostics.Metrics;
using JasperFx.Events;
using JasperFx.Events.Daemon;
using Marten;
using Marten.Events.Projections;
using Marten.Services;
using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Applies the log to one generation of a read model, page by page. Rows and position commit together; a second run of
/// the same generation fails at its next page, as the position is no longer where it left it.
/// </summary>
sealed class ProjectionRun
{
    /// <summary>How many events one page looks through for those of the read model.</summary>
    const int Scanned = 5_000;

    /// <summary>A page ends when its events have so many bytes of data: single ones may have a megabyte.</summary>
    const int MaxBytes = 4 << 20;

    static readonly Histogram<double> Visible = Followers.Meter.CreateHistogram(
        "resources.follower.visible",
        "s",
        "Time from an event's append until lists show it",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries =
            [
                .001,
                .0025,
                .005,
                .01,
                .015,
                .02,
                .03,
                .04,
                .05,
                .075,
                .1,
                .15,
                .25,
                .5,
                1,
                2.5,
                5,
                10,
                60,
            ],
        }
    );

    readonly FollowDb db;
    readonly IDocumentStore store;
    readonly EventKinds kinds;
    readonly ReadModel model;
    readonly IProjection projection;
    readonly string shard;

    ProjectionRun(FollowDb db, IDocumentStore store, EventKinds kinds, ReadModel model, int generation, string shard)
    {
        this.db = db;
        this.store = store;
        this.kinds = kinds;
        this.model = model;
        this.shard = shard;
        projection = model.Project(generation);
    }

    /// <summary>The position up to which the log is applied.</summary>
    public long Position { get; private set; }

    /// <summary>Begins after the position that the generation has reached.</summary>
    public static Task<ProjectionRun> StartAsync(
        FollowDb db,
        IDocumentStore store,
        EventKinds kinds,
        ReadModel model,
        int generation,
        CancellationToken ct
    ) =>
        db.ReadAsync(
            """
            select shard, coalesce((select last_seq_id from mt_event_progression where name = shard), 0) from follower_shard($1, $2) shard
            """,
            [Arg.Of(model.Name), Arg.Of(generation)],
            async (reader, ct) =>
            {
                await reader.ReadAsync(ct);
                return new ProjectionRun(db, store, kinds, model, generation, reader.GetString(0))
                {
                    Position = reader.GetInt64(1),
                };
            },
            ct
        );

    /// <summary>Applies the next page, if there is one, and returns the times of its events.</summary>
    /// <param name="upTo">A position of the log below which nothing will appear any more.</param>
    /// <param name="limit">Most events of the page.</param>
    /// <exception cref="PoisonEventException">The next event of the read model cannot be applied.</exception>
    public Task<IReadOnlyList<DateTimeOffset>> AdvanceAsync(long upTo, int limit, CancellationToken ct) =>
        upTo <= Position
            ? Task.FromResult<IReadOnlyList<DateTimeOffset>>([])
            : db.RunAsync((connection, ct) => AdvanceAsync(connection, upTo, limit, ct), ct);

    /// <summary>Does a piece of the read model's work beside the log, if there is any; returns whether there was.</summary>
    public async Task<bool> WorkAsync(CancellationToken ct)
    {
        // At the log's beginning there is no place to hold on to, and nothing to work on.
        if (Position is 0 || model.NextWork(projection) is not { } work)
            return false;
        return await db.RunAsync(
            async (connection, ct) =>
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                // A page that is still under way, of this run or of one before, comes first, or never.
                await using var place = new NpgsqlCommand(
                    "select from mt_event_progression where name = $1 and last_seq_id = $2 for update",
                    connection
                )
                {
                    Parameters = { Arg.Of(shard), Arg.Of(Position) },
                };
                await using (var reader = await place.ExecuteReaderAsync(ct))
                    if (!await reader.ReadAsync(ct))
                        throw new InvalidOperationException($"Another node has moved {shard} on.");
                await work(transaction, ct);
                await transaction.CommitAsync(ct);
                return true;
            },
            ct
        );
    }

    /// <summary>Notes how long events took to become visible in lists.</summary>
    public void NoteVisible(IReadOnlyList<DateTimeOffset> appended, DateTimeOffset now)
    {
        var follower = new KeyValuePair<string, object?>("follower", model.Name);
        foreach (var at in appended)
            Visible.Record((now - at).TotalSeconds, follower);
    }

    async Task<IReadOnlyList<DateTimeOffset>> AdvanceAsync(
        NpgsqlConnection connection,
        long upTo,
        int limit,
        CancellationToken ct
    )
    {
        var (events, reached) = await ReadAsync(connection, upTo, limit, ct);
        try
        {
            await ApplyAsync(connection, events, reached, ct);
        }
        catch (Exception e) when (events is [var only] && IsOfValue(e))
        {
            throw new PoisonEventException(only.Sequence, ReasonOf(e), e);
        }
        catch (ApplyEventException e) when (e.Event is { } stored)
        {
            // What came before it is applied.
            if (stored != events[0])
                return await AdvanceAsync(connection, stored.Sequence - 1, limit, ct);
            throw new PoisonEventException(stored.Sequence, ReasonOf(e), e);
        }
        Position = reached;
        return [.. events.Select(stored => stored.Timestamp)];
    }

    async Task ApplyAsync(NpgsqlConnection connection, IReadOnlyList<IEvent> events, long reached, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var session = store.LightweightSession(SessionOptions.ForTransaction(transaction));
        session.QueueSqlCommand("call advance_follower(?, ?, ?)", shard, Position, reached);
        if (events is not [])
            await ProjectAsync(session, events, ct);
        await session.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    async Task ProjectAsync(IDocumentOperations operations, IReadOnlyList<IEvent> events, CancellationToken ct)
    {
        try
        {
            await projection.ApplyAsync(operations, events, ct);
        }
        catch (Exception e)
            when (events is [var only]
                && e is not (ApplyEventException or OperationCanceledException)
                && !StoreUnavailableException.Explains(e)
            )
        {
            throw new ApplyEventException(only, e);
        }
    }

    /// <summary>The next page. It ends before an event that cannot be read.</summary>
    async Task<(List<IEvent> Events, long Reached)> ReadAsync(
        NpgsqlConnection connection,
        long upTo,
        int limit,
        CancellationToken ct
    )
    {
        await using var command = new NpgsqlCommand(
            "select * from read_followed($1, $2, $3, $4, $5, $6, $7)",
            connection
        )
        {
            Parameters =
            {
                Arg.Of(model.Name),
                Arg.Of(model.Subject + "."),
                Arg.Of(Position),
                Arg.Of(upTo),
                Arg.Of(Scanned),
                Arg.Of(limit),
                Arg.Of(MaxBytes),
            },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var events = new List<IEvent>();
        var reached = Position;
        while (await reader.ReadAsync(ct))
        {
            var position = reader.GetInt64(0);
            // The last row says how far the log was looked through.
            if (!await reader.IsDBNullAsync(1, ct))
                try
                {
                    events.Add(EventOf(reader, position));
                }
                catch (PoisonEventException) when (events is not [])
                {
                    return (events, reached);
                }
            reached = position;
        }
        return (events, reached);
    }

    IEvent EventOf(NpgsqlDataReader reader, long position)
    {
        var type = reader.GetString(4);
        object? data;
        try
        {
            data = kinds.Read(type, reader.GetString(7));
        }
        catch (Exception e)
        {
            throw new PoisonEventException(position, ReasonOf(e), e);
        }
        if (data is null)
            throw new PoisonEventException(position, $"This node does not know events of the kind {type}.");
        var stored = (IEvent)Activator.CreateInstance(typeof(Event<>).MakeGenericType(data.GetType()), data)!;
        stored.Sequence = position;
        stored.Id = reader.GetGuid(1);
        stored.StreamId = reader.GetGuid(2);
        stored.Version = reader.GetInt64(3);
        stored.EventTypeName = type;
        stored.Timestamp = reader.GetFieldValue<DateTimeOffset>(5);
        stored.UserName = reader.TextOrNull(6);
        return stored;
    }

    /// <summary>
    /// Whether the database refuses what an event says: a value (class 22), a constraint (23), or a limit (54).
    /// </summary>
    static bool IsOfValue(Exception e) =>
        e.GetBaseException() is PostgresException { SqlState: ['2', '2' or '3', ..] or ['5', '4', ..] };

    /// <summary>The innermost cause, in a line.</summary>
    public static string ReasonOf(Exception e) => e.GetBaseException().Message.Split('\n')[0].Trim();
}
