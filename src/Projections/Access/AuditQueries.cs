using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>Which events an audit asks for. Every part narrows it.</summary>
/// <param name="Actor">Done by this account.</param>
/// <param name="Subject">Done to this account, session, key or resource.</param>
/// <param name="Session">Done by this session or API key.</param>
/// <param name="Events">Of these kinds; <c>account.*</c> stands for all of an object.</param>
public sealed record AuditFilter(
    string? Actor,
    Guid? Subject,
    string? Session,
    string[]? Events,
    DateTimeOffset? From,
    DateTimeOffset? To
);

/// <summary>An event with all that is known of who did it.</summary>
/// <param name="Session">
/// The session or API key by which it was done; null for what a node did by itself, or a guest.
/// </param>
/// <param name="Address">The network address from which it was done.</param>
public sealed record AuditEntry(
    long Position,
    Guid Id,
    string Type,
    Guid Subject,
    long Version,
    DateTimeOffset At,
    string Actor,
    string? Session,
    string? Address,
    string? CorrelationId,
    JsonText Data
);

/// <summary>Reads the log as a record of who did what, newest first.</summary>
public sealed class AuditQueries(NpgsqlDataSource database, StoreContact contact)
{
    /// <summary>How many events one query looks through for those that a filter takes.</summary>
    const int Scanned = 5_000;

    /// <summary>
    /// The next entries below a position, and the position down to which the log was looked through; 0 at its
    /// beginning.
    /// </summary>
    public Task<(List<AuditEntry> Entries, long Reached)> PageAsync(
        long before,
        AuditFilter filter,
        int limit,
        CancellationToken ct
    ) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                // Most of the log is of resources. Everything else has an index of its own (mt_events_audit), by what it
                // is not: it holds kinds that no function lists, those of extensions among them.
                var only = filter.Events?.Any(EventKind.IsOfResource) is false ? "and not is_of_resource(type)" : "";
                await using var command = database.CreateCommand(
                    $"""
                    with looked as materialized (select * from mt_events where seq_id < $1 {only} order by seq_id desc limit {Scanned}),
                    reached as (select case when count(*) < {Scanned} then 0 else min(seq_id) end as position from looked)
                    select reached.position, seq_id, id, type, stream_id, version, timestamp, coalesce(user_name, ''), headers ->> 'session', headers ->> 'address', correlation_id, (data - 'secretHash')::text
                    from reached left join lateral (
                        select * from looked where ($2::text is null or user_name = $2) and ($3::uuid is null or stream_id = $3) and ($4::text is null or headers ->> 'session' = $4)
                            and ($5::text[] is null or type = any ($5) or split_part(type, '.', 1) || '.*' = any ($5))
                            and ($6::timestamptz is null or timestamp >= $6) and ($7::timestamptz is null or timestamp <= $7)
                        order by seq_id desc limit $8) found on true
                    order by seq_id desc
                    """
                );
                void Add(object? value, NpgsqlDbType type) =>
                    command.Parameters.Add(new() { Value = value ?? DBNull.Value, NpgsqlDbType = type });
                Add(before, NpgsqlDbType.Bigint);
                Add(filter.Actor, NpgsqlDbType.Text);
                Add(filter.Subject, NpgsqlDbType.Uuid);
                Add(filter.Session, NpgsqlDbType.Text);
                Add(filter.Events, NpgsqlDbType.Array | NpgsqlDbType.Text);
                Add(filter.From?.ToUniversalTime(), NpgsqlDbType.TimestampTz);
                Add(filter.To?.ToUniversalTime(), NpgsqlDbType.TimestampTz);
                Add(limit, NpgsqlDbType.Integer);
                var entries = new List<AuditEntry>();
                var reached = 0L;
                await using var row = await command.ExecuteReaderAsync(ct);
                while (await row.ReadAsync(ct))
                {
                    reached = row.GetInt64(0);
                    if (row.IsDBNull(1))
                        continue;
                    string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
                    entries.Add(
                        new(
                            row.GetInt64(1),
                            row.GetGuid(2),
                            row.GetString(3),
                            row.GetGuid(4),
                            row.GetInt64(5),
                            row.GetFieldValue<DateTimeOffset>(6),
                            row.GetString(7),
                            Text(8),
                            Text(9),
                            Text(10),
                            JsonText.Stored(System.Text.Encoding.UTF8.GetBytes(row.GetString(11)))
                        )
                    );
                }
                return (entries, entries.Count == limit ? entries[^1].Position : reached);
            },
            ct
        );
}
