using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>A subscription to be created.</summary>
/// <param name="Delivery">As <see cref="Deliveries.ReadAsync"/> has read it.</param>
/// <param name="Position">Events after this position are delivered.</param>
/// <param name="ApiKey">The API key that creates it: it delivers no more than that key may read, and ends with it.</param>
public sealed record NewSubscription(
    Guid Id,
    Guid Owner,
    string Name,
    SubscriptionFilter Filter,
    JsonText Delivery,
    long Position,
    Guid? ApiKey = null
);

/// <summary>The result of creating a subscription.</summary>
public enum Creation
{
    Done,

    /// <summary>The owner has one of this name.</summary>
    NameTaken,

    /// <summary>The owner has as many as allowed.</summary>
    TooMany,
}

/// <summary>
/// Creates subscriptions and changes their settings, each by a command to <see cref="ISubscriptionSettingsGrain"/>. The
/// activation that delivers takes a change over when it is woken, or within a second.
/// </summary>
public sealed class Subscriptions(
    FollowDb db,
    MasterKey master,
    IGrainFactory grains,
    Deliveries deliveries,
    SubscriptionOptions options,
    TimeProvider time
)
{
    /// <summary>Subscriptions that one account may have.</summary>
    public int MaxPerOwner => options.MaxPerOwner;

    /// <summary>Whether an account could create a subscription of a name now. Creating it decides.</summary>
    public Task<Creation> PreviewAsync(Guid owner, string name, CancellationToken ct) =>
        db.RunAsync((connection, ct) => CountAsync(connection, null, owner, name, ct), ct);

    /// <summary>
    /// Creates a subscription. Its row is claimed first: that keeps the owner's names unique and their number bounded. A
    /// claim whose event never came is released after some minutes.
    /// </summary>
    /// <returns>The result, and the secret, if the kind has one; it is never shown again.</returns>
    public async Task<(Creation Creation, string? Secret)> CreateAsync(
        NewSubscription asked,
        Intent intent,
        CancellationToken ct
    )
    {
        var kind = asked.Delivery.ToElement().GetProperty("kind").GetString()!;
        var secret = deliveries.Find(kind)!.CreateSecret();
        var kept = secret is null ? null : Keep(asked.Id, kind, secret);
        var creation = await db.RunAsync((connection, ct) => ClaimAsync(connection, asked, kept, ct), ct);
        if (creation is not Creation.Done)
            return (creation, null);
        await ChangeAsync(
            asked.Id,
            new CreateSubscription(
                asked.Owner,
                asked.Name,
                asked.Filter,
                deliveries.ForLog(kind, asked.Delivery),
                asked.Position,
                kept?.Name,
                asked.ApiKey
            ),
            intent
        );
        return (Creation.Done, secret?.Text);
    }

    /// <summary>Deletes a subscription and all that belongs to it.</summary>
    public Task DeleteAsync(Guid id, Intent intent) => ChangeAsync(id, new DeleteSubscription(), intent);

    /// <summary>Stops deliveries; events stay in the log until they are resumed.</summary>
    public Task PauseAsync(Guid id, Intent intent) => ChangeAsync(id, new PauseSubscription(), intent);

    /// <summary>
    /// Continues where deliveries stopped. A kind that sends retries at once what its target has failed on.
    /// </summary>
    public Task ResumeAsync(Guid id, Intent intent) => ChangeAsync(id, new ResumeSubscription(), intent);

    /// <summary>
    /// Creates a new secret; the old one stays valid for some hours. Null when the kind has no secret, or the
    /// subscription is gone.
    /// </summary>
    public async Task<string?> RotateAsync(Guid id, string kind, Intent intent, CancellationToken ct)
    {
        if (deliveries.Find(kind)?.CreateSecret() is not { } secret)
            return null;
        var kept = Keep(id, kind, secret);
        var isKept = await db.RunAsync(
            async (connection, ct) =>
            {
                await using var insert = kept.Insert(connection);
                return await insert.ExecuteNonQueryAsync(ct) > 0;
            },
            ct
        );
        return
            isKept
            && await ChangeAsync(id, new RotateSubscriptionSecret(kept.Name, time.GetUtcNow() + secret.Overlap), intent)
            ? secret.Text
            : null;
    }

    /// <summary>Delivers everything after a position again. Nothing changes where it has not come so far.</summary>
    public Task ReplayAsync(Guid id, long position, Intent intent) =>
        ChangeAsync(id, new ReplaySubscription(position), intent);

    /// <summary>Retries a parked resource now. False when it is not parked.</summary>
    public async Task<bool> RetryAsync(Guid id, Guid resource, Intent intent, CancellationToken ct) =>
        await IsParkedAsync(id, resource, ct) && await ChangeAsync(id, new RetryParkedResource(resource), intent);

    async Task<Creation> ClaimAsync(
        NpgsqlConnection connection,
        NewSubscription asked,
        KeptSecret? secret,
        CancellationToken ct
    )
    {
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
            alone.Parameters.Add(Value(asked.Owner));
            await alone.ExecuteNonQueryAsync(ct);
        }
        if (await CountAsync(connection, transaction, asked.Owner, asked.Name, ct) is not Creation.Done and var refusal)
            return refusal;
        await using var insert = new NpgsqlCommand(
            $"""
            insert into subscriptions (id, owner, name, filter, delivery, position, api_key, state)
            values ($1, $2, $3, $4, $5, $6, $7, '{SubscriptionRow.Creating}')
            """,
            connection,
            transaction
        );
        insert.Parameters.AddRange(
            (NpgsqlParameter[])
                [
                    Value(asked.Id),
                    Value(asked.Owner),
                    Value(asked.Name),
                    new() { Value = asked.Filter.ToJson(), NpgsqlDbType = NpgsqlDbType.Jsonb },
                    new() { Value = asked.Delivery.ToString(), NpgsqlDbType = NpgsqlDbType.Jsonb },
                    Value(asked.Position),
                    new() { Value = (object?)asked.ApiKey ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
                ]
        );
        await insert.ExecuteNonQueryAsync(ct);
        if (secret is not null)
        {
            await using var keep = secret.Insert(connection, transaction);
            await keep.ExecuteNonQueryAsync(ct);
        }
        await transaction.CommitAsync(ct);
        return Creation.Done;
    }

    async Task<Creation> CountAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction? transaction,
        Guid owner,
        string name,
        CancellationToken ct
    )
    {
        await using var count = new NpgsqlCommand(
            "select count(*), count(*) filter (where name = $2) from subscriptions where owner = $1",
            connection,
            transaction
        );
        count.Parameters.Add(Value(owner));
        count.Parameters.Add(Value(name));
        await using var reader = await count.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return reader.GetInt64(1) > 0 ? Creation.NameTaken
            : reader.GetInt64(0) >= MaxPerOwner ? Creation.TooMany
            : Creation.Done;
    }

    /// <summary>Seals a secret, and gives it a name for the event.</summary>
    KeptSecret Keep(Guid id, string kind, DeliverySecret secret) =>
        new(Guid.CreateVersion7(), id, master.Protect(secret.Bytes, DeliverySecret.Purpose(kind, id)));

    Task<bool> IsParkedAsync(Guid id, Guid resource, CancellationToken ct) =>
        db.ScalarAsync<bool>(
            "select exists (select from subscription_parked where subscription = $1 and resource = $2)",
            [Value(id), Value(resource)],
            ct
        );

    /// <summary>Runs a command and wakes the activation that delivers; false when the command is rejected.</summary>
    async Task<bool> ChangeAsync(Guid id, SubscriptionCommand command, Intent intent)
    {
        var settings = grains.GetGrain<ISubscriptionSettingsGrain>(id);
        var reply = await ClusterCalls.SendAsync(intent, sent => settings.Execute(command, sent));
        await WakeAsync(id);
        return reply.Rejection is null;
    }

    /// <summary>
    /// So that the change takes effect at once. Where this fails, the watch of every node does the same within a second
    /// or two.
    /// </summary>
    async Task WakeAsync(Guid id) =>
        await grains
            .GetGrain<ISubscriptionGrain>(id)
            .Wake(long.MaxValue)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    /// <summary>A sealed secret that waits for the event that names it.</summary>
    sealed record KeptSecret(Guid Name, Guid Subscription, byte[] Sealed)
    {
        /// <summary>Stores it, unless the subscription is gone.</summary>
        public NpgsqlCommand Insert(NpgsqlConnection connection, NpgsqlTransaction? transaction = null) =>
            new(
                """
                insert into subscription_secrets (id, subscription, sealed)
                select $1, s.id, $3 from subscriptions s where s.id = $2 for key share of s
                """,
                connection,
                transaction
            )
            {
                Parameters = { Value(Name), Value(Subscription), Value(Sealed) },
            };
    }
}
