using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>Reads the log by position. What is visible up to a position never grows, so pages may be read one after the other.</summary>
public sealed class LogQueries(NpgsqlDataSource database, StoreContact contact)
{
    /// <summary>How many events one query looks through for those that a filter takes.</summary>
    const int Scanned = 5_000;

    /// <summary>A page ends when its events have so many bytes of data: single ones may have a megabyte.</summary>
    const int MaxBytes = 4 << 20;

    const string Columns = "e.seq_id, e.id, e.type, e.stream_id, e.version, e.timestamp, e.user_name, e.correlation_id, e.data::text, f.data ->> 'type', f.data ->> 'owner'";
    const string Tables = "mt_events e join mt_events f on f.stream_id = e.stream_id and f.version = 1";

    /// <summary>The events after a position that a filter takes: at most <paramref name="limit"/>, and fewer where they are large or rare.</summary>
    public Task<LogPage> PageAsync(long after, EventFilter filter, int limit, CancellationToken ct) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand();
        // One resource's events are found by its stream, up to the log's head; all others by looking through the next part of the log.
        var scanned = filter.Resource is null
            ? $"(select seq_id from mt_events where seq_id > $1 order by seq_id limit {Scanned})"
            : "(select seq_id from mt_events order by seq_id desc limit 1)";
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.CommandText = $"""
            with reach as materialized (select max(seq_id) as reached from {scanned} scanned)
            select reach.reached, {Names(12)} from reach left join lateral (
                select {Columns} from {Tables} where e.seq_id > $1 and e.seq_id <= reach.reached{Where(command.Parameters, filter)} order by {(filter.Resource is null ? "e.seq_id" : "e.version")} limit {limit.ToString(CultureInfo.InvariantCulture)}
            ) page ({Names(12)}) on true
            """;
        var (events, reached, bytes) = (new List<LogEvent>(), after, 0);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            // Nothing behind the position: then it is what was reached.
            if (!row.IsDBNull(0)) reached = Math.Max(after, row.GetInt64(0));
            if (row.IsDBNull(1)) break;
            events.Add(Read(row, 1));
            bytes += events[^1].Data.Utf8.Length;
            if (events.Count == limit || bytes > MaxBytes) return new LogPage(events, events[^1].Position);
        }
        return new LogPage(events, reached);
    }, ct);

    /// <summary>The owner of a resource; null when there is no such resource.</summary>
    public Task<string?> OwnerAsync(Guid resource, CancellationToken ct) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand("select data ->> 'owner' from mt_events where stream_id = $1 and version = 1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = resource });
        return await command.ExecuteScalarAsync(ct) as string;
    }, ct);

    static string Where(NpgsqlParameterCollection parameters, EventFilter filter)
    {
        var sql = new StringBuilder();
        void Add(string condition, object value, NpgsqlDbType type)
        {
            parameters.Add(new() { Value = value, NpgsqlDbType = type });
            sql.Append(" and ").Append(condition).Append('$').Append(parameters.Count.ToString(CultureInfo.InvariantCulture)).Append(condition.EndsWith('(') ? ")" : "");
        }
        if (filter.Resource is { } resource)
        {
            Add("e.stream_id = ", resource, NpgsqlDbType.Uuid);
            // Mostly the position is that of one of its events: then its index leads on from there.
            sql.Append(" and e.version > coalesce((select version from mt_events where seq_id = $1 and stream_id = $2), 0)");
        }
        if (filter.EventTypes is { Length: > 0 } types) Add("e.type = any (", types, NpgsqlDbType.Array | NpgsqlDbType.Text);
        if (filter.ResourceType is { } type) Add("f.data ->> 'type' = ", type, NpgsqlDbType.Text);
        if (filter.Owner is { } owner) Add("f.data ->> 'owner' = ", owner, NpgsqlDbType.Text);
        if (filter.Visible is { } visible) Add("f.data ->> 'owner' = ", visible, NpgsqlDbType.Text);
        return sql.ToString();
    }

    static string Names(int count) => string.Join(", ", Enumerable.Range(1, count - 1).Select(n => $"c{n.ToString(CultureInfo.InvariantCulture)}"));

    static LogEvent Read(NpgsqlDataReader row, int at) => new(
        row.GetInt64(at), row.GetGuid(at + 1), row.GetString(at + 2), row.GetGuid(at + 3), row.GetInt64(at + 4), row.GetFieldValue<DateTimeOffset>(at + 5),
        row.GetString(at + 6), row.IsDBNull(at + 7) ? null : row.GetString(at + 7), JsonText.Stored(row.GetFieldValue<byte[]>(at + 8)), row.GetString(at + 9), row.GetString(at + 10));
}
