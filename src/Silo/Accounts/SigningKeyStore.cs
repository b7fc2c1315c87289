using System.Security.Cryptography;
using Npgsql;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>A signing key as it is stored: its private part is encrypted.</summary>
public sealed record StoredSigningKey(string Kid, byte[] Sealed, DateTimeOffset CreatedAt, DateTimeOffset SignsAt);

/// <summary>
/// The ES256 keys that all nodes share. Nodes that find at the same moment that one is needed make one: a table lock
/// lets them decide one after the other.
/// </summary>
public sealed class SigningKeyStore(ControlDb db, MasterKey master)
{
    /// <summary>Makes the first key, which signs at once.</summary>
    public Task CreateFirstAsync(CancellationToken ct) =>
        CreateAsync("not exists (select from signing_keys where withdrawn_at is null)", TimeSpan.Zero, ct);

    /// <summary>Makes a key that signs at once, if none does.</summary>
    public Task CreateSigningAsync(CancellationToken ct) =>
        CreateAsync(
            "not exists (select from signing_keys where withdrawn_at is null and signs_at <= clock_timestamp())",
            TimeSpan.Zero,
            ct
        );

    /// <summary>Makes a key that signs after its announcement.</summary>
    public Task CreateNextAsync(TimeSpan announcement, CancellationToken ct) => CreateAsync("true", announcement, ct);

    /// <summary>The same, if the newest key is older than some days.</summary>
    public Task CreateNextAsync(TimeSpan announcement, int days, CancellationToken ct) =>
        CreateAsync(
            $"not exists (select from signing_keys where created_at > clock_timestamp() - interval '{days} days')",
            announcement,
            ct
        );

    /// <summary>The keys that are not withdrawn, newest first.</summary>
    public Task<List<StoredSigningKey>> ReadAsync(CancellationToken ct) =>
        db.QueryAsync(
            """
            select kid, protected_key, created_at, signs_at from signing_keys where withdrawn_at is null and protected_key is not null order by signs_at desc, kid desc
            """,
            [],
            static reader => new StoredSigningKey(
                reader.GetString(0),
                reader.GetFieldValue<byte[]>(1),
                reader.GetFieldValue<DateTimeOffset>(2),
                reader.GetFieldValue<DateTimeOffset>(3)
            ),
            ct
        );

    /// <summary>Decrypts a key.</summary>
    /// <exception cref="ConfigurationException">It was encrypted with another master key.</exception>
    public ECDsa Open(StoredSigningKey stored)
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(master.Unprotect(stored.Sealed, stored.Kid), out _);
        return key;
    }

    /// <summary>Checks at the start that the master key is the one of this database.</summary>
    /// <exception cref="ConfigurationException">It is another one.</exception>
    public async Task CheckAsync(CancellationToken ct = default)
    {
        foreach (var stored in await ReadAsync(ct))
            Open(stored).Dispose();
    }

    /// <summary>Withdraws a key and deletes its private part; whether there was such a key.</summary>
    public async Task<bool> WithdrawAsync(string kid, CancellationToken ct) =>
        await db.ExecuteAsync(
            "update signing_keys set withdrawn_at = clock_timestamp(), protected_key = null where kid = $1 and withdrawn_at is null",
            [Arg.Of(kid)],
            ct
        ) > 0;

    /// <summary>Withdraws the keys whose successor has signed for longer than any of their tokens lives.</summary>
    public Task EndAsync(TimeSpan lifetime, CancellationToken ct) =>
        db.ExecuteAsync(
            """
            update signing_keys ended set withdrawn_at = clock_timestamp(), protected_key = null where withdrawn_at is null and exists
                (select from signing_keys next where next.withdrawn_at is null and next.signs_at > ended.signs_at and next.signs_at < clock_timestamp() - $1)
            """,
            [Arg.Of(lifetime)],
            ct
        );

    Task CreateAsync(string condition, TimeSpan announcement, CancellationToken ct) =>
        db.RunAsync(
            async (connection, ct) =>
            {
                using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                var kid = Guid.CreateVersion7().ToString("N");
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await using var batch = new NpgsqlBatch(connection, transaction)
                {
                    BatchCommands =
                    {
                        new("lock table signing_keys in share row exclusive mode"),
                        new(
                            $"""
                            insert into signing_keys (kid, protected_key, signs_at) select $1, $2, clock_timestamp() + $3 where {condition}
                            """
                        )
                        {
                            Parameters =
                            {
                                Arg.Of(kid),
                                Arg.Of(master.Protect(key.ExportPkcs8PrivateKey(), kid)),
                                Arg.Of(announcement),
                            },
                        },
                    },
                };
                await batch.ExecuteNonQueryAsync(ct);
                await transaction.CommitAsync(ct);
                return true;
            },
            ct
        );
}
