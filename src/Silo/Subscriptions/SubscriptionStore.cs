using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>A subscription as an activation has taken it.</summary>
/// <param name="Epoch">Whoever takes it later has a higher one; then this activation writes no more.</param>
/// <param name="Scope">How far its owner, and the API key that made it, may read resources.</param>
/// <param name="LacksKey">Whether an API key made it that is no longer good.</param>
sealed record TakenSubscription(
    Guid Id,
    long Epoch,
    long Revision,
    Guid Owner,
    Scope Scope,
    bool LacksKey,
    SubscriptionFilter Filter,
    DeliveryTarget Target,
    long Position,
    DeliveryError? LastError,
    DateTimeOffset? LastSuccessAt,
    IReadOnlyList<ParkedResource> Parked,
    IReadOnlyList<PullLease> Leases
);

/// <summary>What a consumer has, and until when.</summary>
sealed record PullLease(Guid Id, string Consumer, DateTimeOffset Until, long[] Positions);

/// <summary>Why something was not delivered, and when.</summary>
sealed record DeliveryError(string Detail, DateTimeOffset At);

/// <summary>What every node looks at each second.</summary>
sealed record SubscriptionGlance(Guid Id, long Epoch, long Revision, string Kind, Scope Scope, bool LacksKey);

/// <summary>What an activation has to write at a moment.</summary>
sealed record SubscriptionChanges(
    long Position,
    IReadOnlyList<ParkedResource> Parked,
    IReadOnlyList<Guid> Released,
    IReadOnlyList<PullLease> Leases,
    IReadOnlyList<Guid> EndedLeases,
    IReadOnlyList<AttemptRow> Attempts,
    DeliveryError? LastError,
    DateTimeOffset? LastSuccessAt
);

/// <summary>
/// The store as activations use it: they take a subscription, and write for as long as nobody else has taken it.
/// </summary>
sealed class SubscriptionStore(
    FollowDb db,
    DeliveriesDb deliveries,
    MasterKey master,
    AccessBook book,
    TimeProvider time
)
{
    /// <summary>Attempts that are kept of a subscription.</summary>
    const int KeptAttempts = 1_000;

    /// <summary>
    /// The owner's roles, as the log has them at this moment. <see cref="AccessBook"/> knows what the roles allow, but of
    /// accounts only what changed in the last minutes: it checks tokens, which carry the rest.
    /// </summary>
    const string Roles = "(select roles from account_roles(s.owner))";

    /// <summary>
    /// The API key that made the subscription, and what that key allows at a time; null where it is no longer good.
    /// </summary>
    const string Key = "s.api_key, (select permissions from api_key_permissions(s.api_key, $1))";

    /// <summary>Every subscription that is active.</summary>
    public Task<List<SubscriptionGlance>> ActiveAsync(CancellationToken ct) =>
        db.RunAsync(
            async (connection, ct) =>
            {
                await using var command = new NpgsqlCommand(
                    $"""
                    select {Key}, {Roles}, s.id, s.epoch, s.revision, s.delivery ->> 'kind' from subscriptions s where s.state = 'active'
                    """,
                    connection
                );
                command.Parameters.Add(Value(time.GetUtcNow()));
                var active = new List<SubscriptionGlance>();
                await using var row = await command.ExecuteReaderAsync(ct);
                while (await row.ReadAsync(ct))
                    active.Add(
                        new(
                            row.GetGuid(3),
                            row.GetInt64(4),
                            row.GetInt64(5),
                            row.GetString(6),
                            ScopeOf(row),
                            LacksKey(row)
                        )
                    );
                return active;
            },
            ct
        );

    /// <summary>Takes a subscription from whoever has it; null when it is not there or not active.</summary>
    public Task<TakenSubscription?> TakeAsync(Guid id, CancellationToken ct) =>
        deliveries.RunAsync(
            async (connection, ct) =>
            {
                await using var batch = connection.CreateBatch();
                batch.BatchCommands.Add(
                    new(
                        $"""
                        update subscriptions s set epoch = epoch + 1 where id = $2 and state = 'active'
                        returning {Key}, {Roles}, epoch, revision, owner, filter::text, delivery::text, secret, previous_secret, previous_until,
                            position, last_error, last_error_at, last_success_at
                        """
                    )
                    {
                        Parameters = { Value(time.GetUtcNow()), Value(id) },
                    }
                );
                foreach (
                    var sql in (string[])
                        [
                            """
                                select resource, start, position, attempts, retry_at, error, since from subscription_parked where subscription = $1
                                """,
                            "select id, consumer, until, positions from subscription_leases where subscription = $1",
                        ]
                )
                    batch.BatchCommands.Add(new(sql) { Parameters = { Value(id) } });
                await using var row = await batch.ExecuteReaderAsync(ct);
                if (!await row.ReadAsync(ct))
                    return null;
                var taken = new TakenSubscription(
                    id,
                    row.GetInt64(3),
                    row.GetInt64(4),
                    row.GetGuid(5),
                    ScopeOf(row),
                    LacksKey(row),
                    SubscriptionFilter.FromJson(row.GetString(6)),
                    TargetOf(row, 7, id, row.GetGuid(5)),
                    row.GetInt64(11),
                    row.IsDBNull(12) ? null : new(row.GetString(12), row.GetFieldValue<DateTimeOffset>(13)),
                    Time(row, 14),
                    [],
                    []
                );
                await row.NextResultAsync(ct);
                var parked = new List<ParkedResource>();
                while (await row.ReadAsync(ct))
                    parked.Add(
                        new(
                            row.GetGuid(0),
                            row.GetInt64(1),
                            row.GetInt64(2),
                            row.GetInt32(3),
                            Time(row, 4),
                            row.GetString(5),
                            row.GetFieldValue<DateTimeOffset>(6),
                            taken.Position
                        )
                    );
                await row.NextResultAsync(ct);
                var leases = new List<PullLease>();
                while (await row.ReadAsync(ct))
                    leases.Add(
                        new(
                            row.GetGuid(0),
                            row.GetString(1),
                            row.GetFieldValue<DateTimeOffset>(2),
                            row.GetFieldValue<long[]>(3)
                        )
                    );
                return taken with { Parked = parked, Leases = leases };
            },
            ct
        );

    /// <summary>The target of a subscription, whatever its state; null when there is no such subscription.</summary>
    public Task<DeliveryTarget?> TargetAsync(Guid id, CancellationToken ct) =>
        db.RunAsync(
            async (connection, ct) =>
            {
                await using var command = new NpgsqlCommand(
                    "select delivery::text, secret, previous_secret, previous_until, owner from subscriptions where id = $1",
                    connection
                );
                command.Parameters.Add(Value(id));
                await using var row = await command.ExecuteReaderAsync(ct);
                return await row.ReadAsync(ct) ? TargetOf(row, 0, id, row.GetGuid(4)) : null;
            },
            ct
        );

    /// <summary>
    /// Writes changes, all or none. False when somebody else has taken the subscription, or its position was set, or it
    /// is gone: then nothing is written.
    /// </summary>
    public Task<bool> SaveAsync(Guid id, long epoch, SubscriptionChanges changes, CancellationToken ct) =>
        deliveries.RunAsync(
            async (connection, ct) =>
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await using var batch = new NpgsqlBatch(connection, transaction);
                // This row's lock keeps others from taking the subscription before the rest is written.
                Add(
                    batch,
                    """
                    update subscriptions set position = $3, last_success_at = $6,
                        last_error = case state when 'disabled' then last_error else $4 end,
                        last_error_at = case state when 'disabled' then last_error_at else $5 end
                    where id = $1 and epoch = $2
                    """,
                    id,
                    Value(epoch),
                    Value(changes.Position),
                    Value(changes.LastError?.Detail, NpgsqlDbType.Text),
                    Value(changes.LastError?.At, NpgsqlDbType.TimestampTz),
                    Value(changes.LastSuccessAt, NpgsqlDbType.TimestampTz)
                );
                if (changes.Released is not [])
                    Add(
                        batch,
                        "delete from subscription_parked where subscription = $1 and resource = any ($2)",
                        id,
                        Value(changes.Released.ToArray())
                    );
                foreach (var parked in changes.Parked)
                    Add(
                        batch,
                        """
                        insert into subscription_parked (subscription, resource, start, position, attempts, retry_at, error, since) values ($1, $2, $3, $4, $5, $6, $7, $8)
                        on conflict (subscription, resource) do update set start = $3, position = $4, attempts = $5, retry_at = $6, error = $7
                        """,
                        id,
                        Value(parked.Resource),
                        Value(parked.Start),
                        Value(parked.Position),
                        Value(parked.Attempts),
                        Value(parked.RetryAt, NpgsqlDbType.TimestampTz),
                        Value(parked.Error),
                        Value(parked.Since)
                    );
                if (changes.EndedLeases is not [])
                    Add(
                        batch,
                        "delete from subscription_leases where subscription = $1 and id = any ($2)",
                        id,
                        Value(changes.EndedLeases.ToArray())
                    );
                foreach (var lease in changes.Leases)
                    Add(
                        batch,
                        """
                        insert into subscription_leases (subscription, id, consumer, until, positions) values ($1, $2, $3, $4, $5)
                        on conflict (id) do update set positions = $5
                        """,
                        id,
                        Value(lease.Id),
                        Value(lease.Consumer),
                        Value(lease.Until),
                        Value(lease.Positions)
                    );
                if (changes.Attempts is not [])
                    AddAttempts(batch, id, [.. changes.Attempts.TakeLast(KeptAttempts)]);
                await batch.ExecuteNonQueryAsync(ct);
                if (batch.BatchCommands[0].RecordsAffected is 0)
                    return false;
                await transaction.CommitAsync(ct);
                return true;
            },
            ct
        );

    static void AddAttempts(NpgsqlBatch batch, Guid id, AttemptRow[] attempts)
    {
        Add(
            batch,
            """
            insert into subscription_attempts (subscription, at, event, resource, position, attempt, outcome, status, detail, milliseconds)
            select $1, * from unnest($2::timestamptz[], $3::uuid[], $4::uuid[], $5::bigint[], $6::int[], $7::text[], $8::int[], $9::text[], $10::int[])
            """,
            id,
            Value(attempts.Select(row => row.At).ToArray()),
            Value(attempts.Select(row => row.Event).ToArray()),
            Value(attempts.Select(row => row.Resource).ToArray()),
            Value(attempts.Select(row => row.Position).ToArray()),
            Value(attempts.Select(row => row.Attempt).ToArray()),
            Value(attempts.Select(row => row.Outcome).ToArray()),
            Value(attempts.Select(row => row.Status).ToArray()),
            Value(attempts.Select(row => row.Detail).ToArray()),
            Value(attempts.Select(row => row.Milliseconds).ToArray())
        );
        Add(
            batch,
            """
            delete from subscription_attempts where subscription = $1
                and id <= (select id from subscription_attempts where subscription = $1 order by id desc offset $2 limit 1)
            """,
            id,
            Value(KeptAttempts)
        );
    }

    DeliveryTarget TargetOf(NpgsqlDataReader reader, int at, Guid id, Guid owner)
    {
        var settings = JsonElement.Parse(reader.GetString(at));
        var kind = settings.GetProperty("kind").GetString()!;
        byte[]? Secret(int column) =>
            reader.IsDBNull(column)
                ? null
                : master.Unprotect(reader.GetFieldValue<byte[]>(column), DeliverySecret.Purpose(kind, id));
        return new(owner, kind, settings, Secret(at + 1), Secret(at + 2), Time(reader, at + 3));
    }

    static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);

    /// <summary>How far a subscription's owner may read, and its key; the row begins with key and roles.</summary>
    Scope ScopeOf(NpgsqlDataReader row)
    {
        if (LacksKey(row))
            return Scope.Nothing;
        var ofOwner = book.PermissionsOf(row.GetFieldValue<string[]>(2));
        var allowed = row.IsDBNull(0) ? ofOwner : ofOwner.Intersect(PermissionSet.Of(row.GetFieldValue<string[]>(1)));
        return allowed.ScopeOf(Permissions.ResourceRead);
    }

    static bool LacksKey(NpgsqlDataReader row) => !row.IsDBNull(0) && row.IsDBNull(1);

    static void Add(NpgsqlBatch batch, string sql, Guid id, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql) { Parameters = { Value(id) } };
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
    }

    static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    static NpgsqlParameter Value(object? value, NpgsqlDbType type) =>
        new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
