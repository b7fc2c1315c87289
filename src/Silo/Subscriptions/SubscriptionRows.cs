using System.Text;
using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>A subscription's row, as far as events decide on it.</summary>
/// <param name="Version">The version of the stream that the row shows; 0 = none.</param>
/// <param name="FollowedState">The state at that version; null at version 0.</param>
/// <param name="IsAbandoned">Whether its creation has stopped long ago.</param>
sealed record SubscriptionRow(
    Guid Id,
    long Version,
    string State,
    string? FollowedState,
    Guid Owner,
    string Name,
    SubscriptionFilter Filter,
    string Kind,
    JsonText Delivery,
    long Position,
    string? LastError,
    bool IsAbandoned
)
{
    /// <summary>The state of a row whose subscription has no event yet.</summary>
    public const string Creating = "creating";

    /// <summary>Whether a node of the version before has written the state, so that an event is missing.</summary>
    public bool LacksEvent => State is not Creating && State != FollowedState;
}

/// <summary>
/// Lets rows of subscriptions follow their events. The row's version rises in the transaction in which events take
/// effect, so each does once, however often and wherever this is called.
/// </summary>
sealed class SubscriptionRows(FollowDb db, Deliveries deliveries)
{
    /// <summary>
    /// A creation without an event has stopped if it is older than this: longer than an append may be in flight.
    /// </summary>
    const string Abandoned = "s.created_at < clock_timestamp() - interval '1 minute'";

    const int MaxUnsettled = 1_000;

    /// <summary>The row of a subscription; null when there is none.</summary>
    public async Task<SubscriptionRow?> FindAsync(Guid id) =>
        (
            await db.QueryAsync(
                $"""
                select version, state, followed_state, owner, name, filter::text, delivery ->> 'kind', delivery::text, position, last_error,
                    state = '{SubscriptionRow.Creating}' and {Abandoned}
                from subscriptions s where id = $1
                """,
                [Value(id)],
                reader => new SubscriptionRow(
                    id,
                    reader.GetInt64(0),
                    reader.GetString(1),
                    reader.IsDBNull(2) ? null : reader.GetString(2),
                    reader.GetGuid(3),
                    reader.GetString(4),
                    SubscriptionFilter.FromJson(reader.GetString(5)),
                    reader.GetString(6),
                    JsonText.Stored(Encoding.UTF8.GetBytes(reader.GetString(7))),
                    reader.GetInt64(8),
                    reader.IsDBNull(9) ? null : reader.GetString(9),
                    reader.GetBoolean(10)
                )
            )
        ).FirstOrDefault();

    /// <summary>
    /// Rows that do not agree with their events: a node died between the two, or a node of the version before has
    /// changed the row.
    /// </summary>
    public Task<List<Guid>> UnsettledAsync(CancellationToken ct) =>
        db.QueryAsync(
            $"""
            select s.id from subscriptions s left join mt_streams m on m.id = s.id
            where s.version < m.version
                or s.state <> '{SubscriptionRow.Creating}' and s.state is distinct from s.followed_state
                or s.state = '{SubscriptionRow.Creating}' and {Abandoned}
            limit {MaxUnsettled}
            """,
            [],
            reader => reader.GetGuid(0),
            ct
        );

    /// <summary>Subscriptions of deleted accounts: a deletion has stopped before it came to them.</summary>
    public Task<List<Guid>> OrphanedAsync(CancellationToken ct) =>
        db.QueryAsync(
            $"""
            select s.id from subscriptions s where s.state <> '{SubscriptionRow.Creating}' and s.owner in (
                select o.owner from (select distinct owner from subscriptions) o
                where exists (select from mt_events e where e.stream_id = o.owner and e.type = 'account.deleted'))
            limit {MaxUnsettled}
            """,
            [],
            reader => reader.GetGuid(0),
            ct
        );

    /// <summary>Lets the next events take effect on a row. False when the row has moved since it was read.</summary>
    public Task<bool> ApplyAsync(SubscriptionRow row, IReadOnlyList<Recorded<SubscriptionEvent>> events) =>
        db.RunAsync(
            async (connection, ct) =>
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await using var batch = new NpgsqlBatch(connection, transaction);
                Add(
                    batch,
                    row,
                    "update subscriptions set version = $2, revision = revision + 1 where id = $1 and version = $3 and state = $4",
                    Value(events[^1].Version),
                    Value(row.Version),
                    // A node of the version before changes it without a version.
                    Value(row.State)
                );
                foreach (var recorded in events)
                    Apply(batch, row, recorded);
                Add(batch, row, "update subscriptions set followed_state = state where id = $1");
                await batch.ExecuteNonQueryAsync(ct);
                if (batch.BatchCommands[0].RecordsAffected is 0)
                    return false;
                await transaction.CommitAsync(ct);
                return true;
            }
        );

    /// <summary>Gives up a claim that no event has followed.</summary>
    public Task<int> ReleaseAsync(Guid id) =>
        db.ExecuteAsync(
            $"delete from subscriptions where id = $1 and version = 0 and state = '{SubscriptionRow.Creating}'",
            [Value(id)]
        );

    void Apply(NpgsqlBatch batch, SubscriptionRow row, Recorded<SubscriptionEvent> recorded)
    {
        var at = Value(recorded.At.ToUniversalTime());
        switch (recorded.Data)
        {
            case SubscriptionCreated e:
                Add(
                    batch,
                    row,
                    $"""
                    update subscriptions set state = 'active', secret = (select sealed from subscription_secrets where id = $2)
                    where id = $1 and state = '{SubscriptionRow.Creating}'
                    """,
                    Value(e.Secret)
                );
                Add(
                    batch,
                    row,
                    "delete from subscription_secrets where subscription = $1 and id = $2",
                    Value(e.Secret)
                );
                break;
            case SubscriptionPaused:
                Add(batch, row, "update subscriptions set state = 'paused' where id = $1");
                break;
            case SubscriptionResumed:
                Add(
                    batch,
                    row,
                    "update subscriptions set state = 'active', last_error = null, last_error_at = null where id = $1"
                );
                if (deliveries.Pushing.Contains(row.Kind))
                    Add(batch, row, $"{RetryNow} where subscription = $1", at);
                break;
            case SubscriptionDisabled e:
                Add(
                    batch,
                    row,
                    "update subscriptions set state = 'disabled', last_error = $2, last_error_at = $3 where id = $1",
                    Value(e.Reason),
                    at
                );
                break;
            case SubscriptionSecretRotated e:
                Add(
                    batch,
                    row,
                    """
                    update subscriptions s set previous_secret = s.secret, previous_until = $3, secret = n.sealed
                    from subscription_secrets n where s.id = $1 and n.id = $2
                    """,
                    Value(e.Secret),
                    Value(e.PreviousUntil.ToUniversalTime())
                );
                Add(
                    batch,
                    row,
                    "delete from subscription_secrets where subscription = $1 and id = $2",
                    Value(e.Secret)
                );
                break;
            case SubscriptionReplayed { Position: { } position }:
                Add(
                    batch,
                    row,
                    """
                    with freed as (delete from subscription_parked p using subscriptions s where s.id = $1 and s.position >= $2 and p.subscription = s.id and p.position > $2),
                    ended as (delete from subscription_leases l using subscriptions s where s.id = $1 and s.position >= $2 and l.subscription = s.id)
                    update subscriptions set position = $2, epoch = epoch + 1 where id = $1 and position >= $2
                    """,
                    Value(position)
                );
                break;
            case SubscriptionReplayed { Resource: { } resource }:
                Add(batch, row, $"{RetryNow} where subscription = $1 and resource = $3", at, Value(resource));
                break;
            case SubscriptionDeleted:
                Add(batch, row, "delete from subscriptions where id = $1");
                // The name is its owner's word, and nobody needs it any more.
                Add(
                    batch,
                    row,
                    """
                    update mt_events set data = jsonb_set(data, '{name}', '""') where stream_id = $1 and type = 'subscription.created'
                    """
                );
                break;
        }
    }

    const string RetryNow = "update subscription_parked set retry_at = $2, attempts = 0, since = $2";

    static void Add(NpgsqlBatch batch, SubscriptionRow row, string sql, params NpgsqlParameter[] more)
    {
        var command = new NpgsqlBatchCommand(sql) { Parameters = { Value(row.Id) } };
        foreach (var parameter in more)
            command.Parameters.Add(parameter.Clone());
        batch.BatchCommands.Add(command);
    }

    static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    static NpgsqlParameter Value(Guid? value) =>
        new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid };
}
