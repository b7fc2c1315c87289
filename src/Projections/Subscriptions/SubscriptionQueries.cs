using System.Text;
using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>Shows subscriptions: where they are, what they hold back, and what they have tried.</summary>
public sealed class SubscriptionQueries(NpgsqlDataSource database, StoreContact contact)
{
    const string Columns = """
        s.id, s.owner, s.name, s.filter::text, s.delivery ->> 'kind', s.delivery::text, s.state, s.position, (select head from log_head()),
        coalesce((select extract(epoch from clock_timestamp() - timestamp) from mt_events where seq_id > s.position order by seq_id limit 1), 0)::float8,
        (select count(*) from subscription_parked p where p.subscription = s.id), (select count(*) from subscription_parked p where p.subscription = s.id and p.retry_at is null),
        s.last_error, s.last_error_at, s.last_success_at, s.previous_until, s.created_at
        """;

    /// <summary>A claimed row is nobody's to see before its first event.</summary>
    const string Created = "s.state <> 'creating'";

    /// <summary>Subscriptions after an id, of one owner or of all; up to <paramref name="limit"/>.</summary>
    public Task<List<Subscription>> PageAsync(Guid? owner, Guid after, int limit, CancellationToken ct) =>
        ReadAsync(
            $"select {Columns} from subscriptions s where {Created} and s.id > $1 and ($2::uuid is null or s.owner = $2) order by s.id limit $3",
            Subscription,
            [
                new NpgsqlParameter<Guid> { TypedValue = after },
                new NpgsqlParameter<Guid?> { TypedValue = owner },
                new NpgsqlParameter<int> { TypedValue = limit },
            ],
            ct
        );

    /// <summary>
    /// A subscription; null when there is none with this id, or another's where only one's own may be seen.
    /// </summary>
    public async Task<Subscription?> FindAsync(Guid id, Guid? owner, CancellationToken ct) =>
        (
            await ReadAsync(
                $"select {Columns} from subscriptions s where {Created} and s.id = $1 and ($2::uuid is null or s.owner = $2)",
                Subscription,
                [new NpgsqlParameter<Guid> { TypedValue = id }, new NpgsqlParameter<Guid?> { TypedValue = owner }],
                ct
            )
        ).FirstOrDefault();

    /// <summary>Parked resources after an id; up to <paramref name="limit"/>.</summary>
    public Task<List<ParkedRow>> ParkedAsync(Guid id, Guid after, int limit, CancellationToken ct) =>
        ReadAsync(
            "select resource, position, attempts, retry_at, error, since from subscription_parked where subscription = $1 and resource > $2 order by resource limit $3",
            row => new ParkedRow(
                row.GetGuid(0),
                row.GetInt64(1),
                row.GetInt32(2),
                Time(row, 3),
                row.GetString(4),
                row.GetFieldValue<DateTimeOffset>(5)
            ),
            [
                new NpgsqlParameter<Guid> { TypedValue = id },
                new NpgsqlParameter<Guid> { TypedValue = after },
                new NpgsqlParameter<int> { TypedValue = limit },
            ],
            ct
        );

    /// <summary>The latest attempts before one, newest first; up to <paramref name="limit"/>.</summary>
    public Task<List<AttemptRow>> AttemptsAsync(Guid id, long before, int limit, CancellationToken ct) =>
        ReadAsync(
            "select id, at, event, resource, position, attempt, outcome, status, detail, milliseconds from subscription_attempts where subscription = $1 and id < $2 order by id desc limit $3",
            row => new AttemptRow(
                row.GetInt64(0),
                row.GetFieldValue<DateTimeOffset>(1),
                row.GetGuid(2),
                row.GetGuid(3),
                row.GetInt64(4),
                row.GetInt32(5),
                row.GetString(6),
                Number(row, 7),
                Text(row, 8),
                Number(row, 9)
            ),
            [
                new NpgsqlParameter<Guid> { TypedValue = id },
                new NpgsqlParameter<long> { TypedValue = before },
                new NpgsqlParameter<int> { TypedValue = limit },
            ],
            ct
        );

    Task<List<T>> ReadAsync<T>(
        string sql,
        Func<NpgsqlDataReader, T> read,
        NpgsqlParameter[] parameters,
        CancellationToken ct
    ) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                await using var command = database.CreateCommand(sql);
                foreach (var parameter in parameters)
                    command.Parameters.Add(parameter);
                var rows = new List<T>();
                await using var row = await command.ExecuteReaderAsync(ct);
                while (await row.ReadAsync(ct))
                    rows.Add(read(row));
                return rows;
            },
            ct
        );

    static Subscription Subscription(NpgsqlDataReader row) =>
        new(
            row.GetGuid(0),
            row.GetGuid(1),
            row.GetString(2),
            SubscriptionFilter.FromJson(row.GetString(3)),
            row.GetString(4),
            JsonText.Stored(Encoding.UTF8.GetBytes(row.GetString(5))),
            row.GetString(6),
            row.GetInt64(7),
            row.GetInt64(8),
            Math.Max(0, row.GetDouble(9)),
            row.GetInt64(10),
            row.GetInt64(11),
            Text(row, 12),
            Time(row, 13),
            Time(row, 14),
            Time(row, 15),
            row.GetFieldValue<DateTimeOffset>(16)
        );

    static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    static int? Number(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt32(column);

    static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
