using System.Text;
using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>Shows subscriptions: where they are, what they hold back, and what they have tried.</summary>
public sealed class SubscriptionQueries(ReadsDb db)
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
        db.QueryAsync(
            $"""
            select {Columns} from subscriptions s
            where {Created} and s.id > $1 and ($2::uuid is null or s.owner = $2) order by s.id limit $3
            """,
            [Arg.Of(after), Arg.Of(owner), Arg.Of(limit)],
            Subscription,
            ct
        );

    /// <summary>
    /// A subscription; null when there is none with this id, or another's where only one's own may be seen.
    /// </summary>
    public async Task<Subscription?> FindAsync(Guid id, Guid? owner, CancellationToken ct) =>
        (
            await db.QueryAsync(
                $"select {Columns} from subscriptions s where {Created} and s.id = $1 and ($2::uuid is null or s.owner = $2)",
                [Arg.Of(id), Arg.Of(owner)],
                Subscription,
                ct
            )
        ).FirstOrDefault();

    /// <summary>Parked resources after an id; up to <paramref name="limit"/>.</summary>
    public Task<List<ParkedRow>> ParkedAsync(Guid id, Guid after, int limit, CancellationToken ct) =>
        db.QueryAsync(
            """
            select resource, position, attempts, retry_at, error, since from subscription_parked where subscription = $1 and resource > $2 order by resource limit $3
            """,
            [Arg.Of(id), Arg.Of(after), Arg.Of(limit)],
            reader => new ParkedRow(
                reader.GetGuid(0),
                reader.GetInt64(1),
                reader.GetInt32(2),
                reader.TimeOrNull(3),
                reader.GetString(4),
                reader.GetFieldValue<DateTimeOffset>(5)
            ),
            ct
        );

    /// <summary>The latest attempts before one, newest first; up to <paramref name="limit"/>.</summary>
    public Task<List<AttemptRow>> AttemptsAsync(Guid id, long before, int limit, CancellationToken ct) =>
        db.QueryAsync(
            """
            select id, at, event, resource, position, attempt, outcome, status, detail, milliseconds from subscription_attempts where subscription = $1 and id < $2 order by id desc limit $3
            """,
            [Arg.Of(id), Arg.Of(before), Arg.Of(limit)],
            reader => new AttemptRow(
                reader.GetInt64(0),
                reader.GetFieldValue<DateTimeOffset>(1),
                reader.GetGuid(2),
                reader.GetGuid(3),
                reader.GetInt64(4),
                reader.GetInt32(5),
                reader.GetString(6),
                reader.IntOrNull(7),
                reader.TextOrNull(8),
                reader.IntOrNull(9)
            ),
            ct
        );

    static Subscription Subscription(NpgsqlDataReader reader) =>
        new(
            reader.GetGuid(0),
            reader.GetGuid(1),
            reader.GetString(2),
            SubscriptionFilter.FromJson(reader.GetString(3)),
            reader.GetString(4),
            JsonText.Stored(Encoding.UTF8.GetBytes(reader.GetString(5))),
            reader.GetString(6),
            reader.GetInt64(7),
            reader.GetInt64(8),
            Math.Max(0, reader.GetDouble(9)),
            reader.GetInt64(10),
            reader.GetInt64(11),
            reader.TextOrNull(12),
            reader.TimeOrNull(13),
            reader.TimeOrNull(14),
            reader.TimeOrNull(15),
            reader.GetFieldValue<DateTimeOffset>(16)
        );
}
