using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Reads the log by position. What is visible up to a position never grows, so pages may be read one after the other.
/// </summary>
/// <param name="db">The pool of those who read: requests have another one than deliveries.</param>
public sealed class LogQueries(Db db)
{
    /// <summary>How many events one query looks through for those that a filter takes.</summary>
    const int Scanned = 5_000;

    /// <summary>A page of the history of a type ends with this many bytes: one definition may have 128 KiB.</summary>
    const int MaxHistory = 1 << 20;

    /// <summary>
    /// The events after a position that a filter takes: at most <paramref name="limit"/>, fewer where they are rare,
    /// and none behind the one with which their data is <paramref name="most"/> bytes: a single one may have a megabyte.
    /// </summary>
    public Task<LogPage> PageAsync(long after, EventFilter filter, int limit, int most, CancellationToken ct) =>
        PageAsync(db, after, filter, limit, most, ct);

    /// <summary>The same by another pool.</summary>
    public static Task<LogPage> PageAsync(
        Db db,
        long after,
        EventFilter filter,
        int limit,
        int most,
        CancellationToken ct
    )
    {
        // Null tells the function that everything may be seen.
        var visible = filter.Visible.IsAll ? null : filter.Visible;
        return db.ReadAsync(
            "select * from read_log_page($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            [
                Arg.Of(after),
                Arg.Of(Scanned),
                Arg.Of(limit),
                Arg.Of((long)most),
                Arg.Of(filter.Resource),
                Arg.Of(filter.EventTypes is [] ? null : filter.EventTypes),
                Arg.Of(filter.ResourceType),
                Arg.Of(filter.Owner),
                Arg.Of(visible?.Account),
                Arg.Of(visible?.Scope.Types),
                Arg.Of(visible?.Scope.Own),
                Arg.Of(visible?.Scope.OwnTypes),
            ],
            async (reader, ct) =>
            {
                var events = new List<LogEvent>();
                var reached = after;
                var bytes = 0;
                while (await reader.ReadAsync(ct))
                {
                    // Nothing behind the position: then it is what was reached.
                    if (!reader.IsDBNull(0))
                        reached = Math.Max(after, reader.GetInt64(0));
                    if (reader.IsDBNull(1))
                        break;
                    events.Add(Read(reader));
                    bytes += events[^1].Data.Utf8.Length;
                    if (events.Count == limit || bytes >= most)
                        return new LogPage(events, events[^1].Position);
                }
                return new LogPage(events, reached);
            },
            ct
        );
    }

    /// <summary>The type and owner of a resource, deleted or not; null when there is no such resource.</summary>
    public Task<(string Type, string Owner)?> FindAsync(Guid resource, CancellationToken ct) =>
        db.ReadAsync<(string, string)?>(
            """
            select data ->> 'type', data ->> 'owner' from mt_events where stream_id = $1 and version = 1 and is_of_resource(type)
            """,
            [Arg.Of(resource)],
            static async (reader, ct) => await reader.ReadAsync(ct) ? (reader.GetString(0), reader.GetString(1)) : null,
            ct
        );

    /// <summary>The types and owners of resources, in the order of their ids.</summary>
    public Task<List<(Guid Id, string Type, string Owner)>> OwnersAsync(Guid[] resources, CancellationToken ct) =>
        db.QueryAsync(
            """
            select stream_id, data ->> 'type', data ->> 'owner' from mt_events
            where stream_id = any ($1) and version = 1 order by stream_id
            """,
            [Arg.Of(resources)],
            reader => (reader.GetGuid(0), reader.GetString(1), reader.GetString(2)),
            ct
        );

    /// <summary>
    /// The events of a type after a version of it: at most so many, and none behind the one with which their data is
    /// <see cref="MaxHistory"/>.
    /// </summary>
    public Task<TypeHistory> OfTypeAsync(string name, long after, int limit, CancellationToken ct) =>
        db.ReadAsync(
            """
            select 0::bigint, seq_id, id, type, stream_id, version, timestamp, coalesce(user_name, ''), correlation_id, data::text, $4, ''
            from mt_events where stream_id = $1 and version > $2 order by version limit $3
            """,
            [Arg.Of(TypeState.StreamOf(name)), Arg.Of(after), Arg.Of(limit), Arg.Of(name)],
            async (reader, ct) =>
            {
                var events = new List<LogEvent>();
                var bytes = 0;
                while (bytes < MaxHistory && await reader.ReadAsync(ct))
                {
                    events.Add(Read(reader));
                    bytes += events[^1].Data.Utf8.Length;
                }
                return new TypeHistory(events, events.Count == limit || bytes >= MaxHistory);
            },
            ct
        );

    static LogEvent Read(NpgsqlDataReader reader) =>
        new(
            reader.GetInt64(1),
            reader.GetGuid(2),
            reader.GetString(3),
            reader.GetGuid(4),
            reader.GetInt64(5),
            reader.GetFieldValue<DateTimeOffset>(6),
            reader.GetString(7),
            reader.TextOrNull(8),
            JsonText.Stored(reader.GetFieldValue<byte[]>(9)),
            reader.GetString(10),
            reader.GetString(11)
        );
}
