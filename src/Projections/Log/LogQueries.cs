using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Reads the log by position. What is visible up to a position never grows, so pages may be read one after the other.
/// </summary>
public sealed class LogQueries(NpgsqlDataSource database, StoreContact contact)
{
    /// <summary>How many events one query looks through for those that a filter takes.</summary>
    const int Scanned = 5_000;

    /// <summary>A page ends when its events have so many bytes of data: single ones may have a megabyte.</summary>
    const int MaxBytes = 4 << 20;

    /// <summary>
    /// The events after a position that a filter takes: at most <paramref name="limit"/>, and fewer where they are
    /// large or rare.
    /// </summary>
    public Task<LogPage> PageAsync(long after, EventFilter filter, int limit, CancellationToken ct) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                await using var command = database.CreateCommand(
                    "select * from read_log($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
                );
                void Add(object? value, NpgsqlDbType type) =>
                    command.Parameters.Add(new() { Value = value ?? DBNull.Value, NpgsqlDbType = type });
                Add(after, NpgsqlDbType.Bigint);
                Add(Scanned, NpgsqlDbType.Integer);
                Add(limit, NpgsqlDbType.Integer);
                Add(filter.Resource, NpgsqlDbType.Uuid);
                Add(filter.EventTypes is [] ? null : filter.EventTypes, NpgsqlDbType.Array | NpgsqlDbType.Text);
                Add(filter.ResourceType, NpgsqlDbType.Text);
                Add(filter.Owner, NpgsqlDbType.Text);
                // Null tells the function that everything may be seen.
                var visible = filter.Visible.IsAll ? null : filter.Visible;
                Add(visible?.Account, NpgsqlDbType.Text);
                Add(visible?.Scope.Types, NpgsqlDbType.Array | NpgsqlDbType.Text);
                Add(visible?.Scope.Own, NpgsqlDbType.Boolean);
                Add(visible?.Scope.OwnTypes, NpgsqlDbType.Array | NpgsqlDbType.Text);
                var events = new List<LogEvent>();
                var reached = after;
                var bytes = 0;
                await using var row = await command.ExecuteReaderAsync(ct);
                while (await row.ReadAsync(ct))
                {
                    // Nothing behind the position: then it is what was reached.
                    if (!row.IsDBNull(0))
                        reached = Math.Max(after, row.GetInt64(0));
                    if (row.IsDBNull(1))
                        break;
                    events.Add(Read(row));
                    bytes += events[^1].Data.Utf8.Length;
                    if (events.Count == limit || bytes > MaxBytes)
                        return new LogPage(events, events[^1].Position);
                }
                return new LogPage(events, reached);
            },
            ct
        );

    /// <summary>The type and owner of a resource, deleted or not; null when there is no such resource.</summary>
    public Task<(string Type, string Owner)?> FindAsync(Guid resource, CancellationToken ct) =>
        contact.WhileAvailableAsync<(string, string)?>(
            async ct =>
            {
                await using var command = database.CreateCommand(
                    "select data ->> 'type', data ->> 'owner' from mt_events where stream_id = $1 and version = 1 and is_of_resource(type)"
                );
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = resource });
                await using var reader = await command.ExecuteReaderAsync(ct);
                return await reader.ReadAsync(ct) ? (reader.GetString(0), reader.GetString(1)) : null;
            },
            ct
        );

    static LogEvent Read(NpgsqlDataReader row) =>
        new(
            row.GetInt64(1),
            row.GetGuid(2),
            row.GetString(3),
            row.GetGuid(4),
            row.GetInt64(5),
            row.GetFieldValue<DateTimeOffset>(6),
            row.GetString(7),
            row.IsDBNull(8) ? null : row.GetString(8),
            JsonText.Stored(row.GetFieldValue<byte[]>(9)),
            row.GetString(10),
            row.GetString(11)
        );
}
