using System.Text.Json;
using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>An event as stored, with its envelope; the data is JSON text.</summary>
public sealed record StoredEvent(
    Guid Id, string Type, Guid Stream, long Version, long Position, DateTimeOffset At, string Actor, string? CorrelationId, JsonText Data);

/// <summary>Reads events for people: the history of one stream.</summary>
public sealed class HistoryQueries(NpgsqlDataSource database, StoreContact contact)
{
    /// <summary>A stream's events after a version, oldest first.</summary>
    public Task<List<StoredEvent>> PageAsync(Guid stream, long afterVersion, int limit, CancellationToken ct) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand("""
            select id, type, version, seq_id, timestamp, user_name, correlation_id, data::text
            from mt_events where stream_id = $1 and version > $2 order by version limit $3
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = afterVersion });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        var events = new List<StoredEvent>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            events.Add(new(row.GetGuid(0), row.GetString(1), stream, row.GetInt64(2), row.GetInt64(3), row.GetFieldValue<DateTimeOffset>(4),
                row.GetString(5), row.IsDBNull(6) ? null : row.GetString(6), JsonText.From(JsonElement.Parse(row.GetString(7)))));
        return events;
    }, ct);

    /// <summary>The resource type of a stream, as its first event says; null when it has none.</summary>
    public Task<string?> ResourceTypeAsync(Guid stream, CancellationToken ct) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand("select data ->> 'type' from mt_events where stream_id = $1 and version = 1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream });
        return await command.ExecuteScalarAsync(ct) as string;
    }, ct);
}
