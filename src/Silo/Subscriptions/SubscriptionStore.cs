using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>A subscription as an activation has taken it.</summary>
/// <param name="Epoch">Whoever takes it later has a higher one; then this activation writes no more.</param>
/// <param name="Scope">How far its owner may read resources.</param>
sealed record TakenSubscription(
    Guid Id,
    long Epoch,
    long Revision,
    Guid Owner,
    Scope Scope,
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
sealed record SubscriptionGlance(Guid Id, long Epoch, long Revision, string Kind, Scope Scope);

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
sealed class SubscriptionStore(FollowDb db, MasterKey master, AccessBook book)
{
    /// <summary>Attempts that are kept of a subscription.</summary>
    const int KeptAttempts = 1_000;

    /// <summary>
    /// The owner's roles, as the log has them at this moment. <see cref="AccessBook"/> knows what the roles allow, but of
    /// accounts only what changed in the last minutes: it checks tokens, which carry the rest.
    /// </summary>
    const string Roles = "(select roles from account_roles(s.owner))";

    /// <summary>Every subscription that is active.</summary>
    public Task<List<SubscriptionGlance>> ActiveAsync(CancellationToken ct) =>
        db.RunAsync(
            async (connection, ct) =>
            {
                await using var command = new NpgsqlCommand(
                    $"select s.id, s.epoch, s.revision, s.delivery ->> 'kind', {Roles} from subscriptions s where s.state = 'active'",
                    connection
                );
                var active = new List<SubscriptionGlance>();
                await using var row = await command.ExecuteReaderAsync(ct);
                while (await row.ReadAsync(ct))
                    active.Add(
                        new(
                            row.GetGuid(0),
                            row.GetInt64(1),
                            row.GetInt64(2),
                            row.GetString(3),
                            ScopeOf(row.GetFieldValue<string[]>(4))
                        )
                    );
                return active;
            },
            ct
        );

    /// <summary>Takes a subscription from whoever has it; null when it is not there or not active.</summary>
    public Task<TakenSubscription?> TakeAsync(Guid id, CancellationToken ct) =>
        db.RunAsync(
            async (connection, ct) =>
            {
                await using var batch = connection.CreateBatch();
                foreach (
                    var sql in (string[])
                        [
                            $"""
                                update subscriptions s set epoch = epoch + 1 where id = $1 and state = 'active'
                                returning epoch, revision, owner, {Roles}, filter::text, delivery::text, secret, previous_secret, previous_until,
                                    position, last_error, last_error_at, last_success_at
                                """,
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
                    row.GetInt64(0),
                    row.GetInt64(1),
                    row.GetGuid(2),
                    ScopeOf(row.GetFieldValue<string[]>(3)),
                    SubscriptionFilter.FromJson(row.GetString(4)),
                    TargetOf(row, 5, id),
                    row.GetInt64(9),
                    row.IsDBNull(10) ? null : new(row.GetString(10), row.GetFieldValue<DateTimeOffset>(11)),
                    Time(row, 12),
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
                    "select delivery::text, secret, previous_secret, previous_until from subscriptions where id = $1",
                    connection
                );
                command.Parameters.Add(Value(id));
                await using var row = await command.ExecuteReaderAsync(ct);
                return await row.ReadAsync(ct) ? TargetOf(row, 0, id) : null;
            },
            ct
        );

    /// <summary>
    /// Writes changes, all or none. False when somebody else has taken the subscription, or its position was set, or it
    /// is gone: then nothing is written.
    /// </summary>
    public Task<bool> SaveAsync(Guid id, long epoch, SubscriptionChanges changes, CancellationToken ct) =>
        db.RunAsync(
            async (connection, ct) =>
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await using var batch = new NpgsqlBatch(connection, transaction);
                // This row's lock keeps others from taking the subscription before the rest is written.
                Add(
                    batch,
                    """
                    update subscriptions set position = $3, last_error = $4, last_error_at = $5, last_success_at = $6
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

    DeliveryTarget TargetOf(NpgsqlDataReader reader, int at, Guid id)
    {
        var settings = JsonElement.Parse(reader.GetString(at));
        var kind = settings.GetProperty("kind").GetString()!;
        byte[]? Secret(int column) =>
            reader.IsDBNull(column)
                ? null
                : master.Unprotect(reader.GetFieldValue<byte[]>(column), DeliverySecret.Purpose(kind, id));
        return new(kind, settings, Secret(at + 1), Secret(at + 2), Time(reader, at + 3));
    }

    static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);

    Scope ScopeOf(string[] roles) => book.PermissionsOf(roles).ScopeOf(Permissions.ResourceRead);

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
