using Npgsql;
using NpgsqlTypes;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>A subscription to be made.</summary>
/// <param name="Delivery">As <see cref="Deliveries.ReadAsync"/> has read it.</param>
/// <param name="Position">Events behind this are delivered.</param>
public sealed record NewSubscription(
    Guid Id,
    Guid Owner,
    string Name,
    SubscriptionFilter Filter,
    JsonText Delivery,
    long Position
);

/// <summary>What came of making a subscription.</summary>
public enum Creation
{
    Done,

    /// <summary>The owner has one of this name.</summary>
    NameTaken,

    /// <summary>The owner has as many as allowed.</summary>
    TooMany,
}

/// <summary>
/// Makes subscriptions and changes their settings. A change raises the revision; the activation that delivers takes it
/// over when it is woken, or within a second.
/// </summary>
public sealed class Subscriptions(
    NpgsqlDataSource database,
    StoreContact contact,
    MasterKey master,
    IGrainFactory grains,
    Deliveries deliveries,
    SubscriptionOptions options
)
{
    const string Changed = "revision = revision + 1";

    /// <summary>Makes a subscription.</summary>
    /// <returns>What came of it, and the secret, if its kind has one; it is never shown again.</returns>
    public async Task<(Creation Creation, string? Secret)> CreateAsync(NewSubscription asked, CancellationToken ct)
    {
        var kind = KindOf(asked.Delivery);
        var secret = deliveries.Find(kind)!.CreateSecret();
        var creation = await contact.WhileAvailableAsync(ct => InsertAsync(asked, kind, secret, ct), ct);
        if (creation is Creation.Done)
            await WakeAsync(asked.Id);
        return (creation, creation is Creation.Done ? secret?.Text : null);
    }

    /// <summary>Deletes a subscription and all that belongs to it.</summary>
    public Task DeleteAsync(Guid id, CancellationToken ct) =>
        ChangeAsync(id, "delete from subscriptions where id = $1", [], ct);

    /// <summary>Stops deliveries; events stay in the log until they are resumed.</summary>
    public Task PauseAsync(Guid id, CancellationToken ct) =>
        ChangeAsync(id, $"update subscriptions set state = 'paused', {Changed} where id = $1", [], ct);

    /// <summary>Goes on where deliveries stopped. A kind that sends retries at once what its target has failed on.</summary>
    public Task ResumeAsync(Guid id, CancellationToken ct) =>
        ChangeAsync(
            id,
            $"""
            with resumed as (update subscriptions set state = 'active', {Changed}, last_error = null, last_error_at = null where id = $1 and state <> 'active' returning delivery ->> 'kind' as kind)
            update subscription_parked set retry_at = clock_timestamp(), attempts = 0, since = clock_timestamp() where subscription = $1 and exists (select from resumed where kind = any ($2))
            """,
            [new NpgsqlParameter<string[]> { TypedValue = [.. deliveries.Pushing] }],
            ct
        );

    /// <summary>
    /// Makes a new secret; the old one stays good for some hours. Null when the kind has no secret.
    /// </summary>
    public async Task<string?> RotateAsync(Guid id, string kind, CancellationToken ct)
    {
        if (deliveries.Find(kind)?.CreateSecret() is not { } secret)
            return null;
        var rotated = await ChangeAsync(
            id,
            $"""
            update subscriptions set previous_secret = secret, previous_until = clock_timestamp() + $3, secret = $2, {Changed} where id = $1
            """,
            [
                new NpgsqlParameter<byte[]>
                {
                    TypedValue = master.Protect(secret.Bytes, DeliverySecret.Purpose(kind, id)),
                },
                new NpgsqlParameter<TimeSpan> { TypedValue = secret.Overlap },
            ],
            ct
        );
        return rotated ? secret.Text : null;
    }

    /// <summary>Delivers everything behind a position again. False when the subscription has not come so far.</summary>
    public Task<bool> ReplayAsync(Guid id, long position, CancellationToken ct) =>
        ChangeAsync(
            id,
            """
            with freed as (delete from subscription_parked p using subscriptions s where s.id = $1 and s.position >= $2 and p.subscription = s.id and p.position > $2),
            ended as (delete from subscription_leases l using subscriptions s where s.id = $1 and s.position >= $2 and l.subscription = s.id)
            update subscriptions set position = $2, epoch = epoch + 1, revision = revision + 1 where id = $1 and position >= $2
            """,
            [new NpgsqlParameter<long> { TypedValue = position }],
            ct
        );

    /// <summary>Tries a parked resource again now. False when it is not parked.</summary>
    public Task<bool> RetryAsync(Guid id, Guid resource, CancellationToken ct) =>
        ChangeAsync(
            id,
            $"""
            with due as (update subscription_parked set retry_at = clock_timestamp(), attempts = 0, since = clock_timestamp() where subscription = $1 and resource = $2 returning subscription)
            update subscriptions set {Changed} where id in (select subscription from due)
            """,
            [new NpgsqlParameter<Guid> { TypedValue = resource }],
            ct
        );

    async Task<Creation> InsertAsync(NewSubscription asked, string kind, DeliverySecret? secret, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // One after the other for each owner, so that none passes the count of another.
        await using (
            var alone = new NpgsqlCommand(
                "select pg_advisory_xact_lock(hashtextextended('subscriptions of ' || $1::text, 0))",
                connection,
                transaction
            )
        )
        {
            alone.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = asked.Owner });
            await alone.ExecuteNonQueryAsync(ct);
        }
        await using (
            var count = new NpgsqlCommand(
                "select count(*), count(*) filter (where name = $2) from subscriptions where owner = $1",
                connection,
                transaction
            )
        )
        {
            count.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = asked.Owner });
            count.Parameters.Add(new NpgsqlParameter<string> { TypedValue = asked.Name });
            await using var row = await count.ExecuteReaderAsync(ct);
            await row.ReadAsync(ct);
            if (row.GetInt64(1) > 0)
                return Creation.NameTaken;
            if (row.GetInt64(0) >= options.MaxPerOwner)
                return Creation.TooMany;
        }
        await using var insert = new NpgsqlCommand(
            "insert into subscriptions (id, owner, name, filter, delivery, secret, position) values ($1, $2, $3, $4, $5, $6, $7)",
            connection,
            transaction
        );
        insert.Parameters.AddRange(
            (NpgsqlParameter[])
                [
                    new NpgsqlParameter<Guid> { TypedValue = asked.Id },
                    new NpgsqlParameter<Guid> { TypedValue = asked.Owner },
                    new NpgsqlParameter<string> { TypedValue = asked.Name },
                    new() { Value = asked.Filter.ToJson(), NpgsqlDbType = NpgsqlDbType.Jsonb },
                    new() { Value = asked.Delivery.ToString(), NpgsqlDbType = NpgsqlDbType.Jsonb },
                    new()
                    {
                        Value = secret is null
                            ? DBNull.Value
                            : master.Protect(secret.Bytes, DeliverySecret.Purpose(kind, asked.Id)),
                        NpgsqlDbType = NpgsqlDbType.Bytea,
                    },
                    new NpgsqlParameter<long> { TypedValue = asked.Position },
                ]
        );
        await insert.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return Creation.Done;
    }

    static string KindOf(JsonText delivery) => delivery.ToElement().GetProperty("kind").GetString()!;

    /// <summary>Runs a statement on a subscription and wakes it; whether the statement found something to do.</summary>
    async Task<bool> ChangeAsync(Guid id, string sql, NpgsqlParameter[] more, CancellationToken ct)
    {
        var rows = await contact.WhileAvailableAsync(
            async ct =>
            {
                await using var command = database.CreateCommand(sql);
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
                command.Parameters.AddRange(more);
                return await command.ExecuteNonQueryAsync(ct);
            },
            ct
        );
        await WakeAsync(id);
        return rows > 0;
    }

    /// <summary>
    /// So that the change counts at once. Where this fails, every node's look at the subscriptions does the same within
    /// a second or two.
    /// </summary>
    Task WakeAsync(Guid id) =>
        grains
            .GetGrain<ISubscriptionGrain>(id)
            .Wake(long.MaxValue)
            .ContinueWith(
                _ => { },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
}
