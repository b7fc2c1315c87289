using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;
using Npgsql;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Where a key stands in its life.</summary>
public enum SigningKeyState
{
    /// <summary>Published, so that everyone knows it when it begins to sign.</summary>
    Announced,
    Signing,

    /// <summary>Another one signs; tokens of this one are still about.</summary>
    Verifying,
}

/// <summary>A key that signs, will sign, or has signed tokens that are still good.</summary>
public sealed record SigningKey(
    ECDsaSecurityKey Key,
    SigningKeyState State,
    DateTimeOffset CreatedAt,
    DateTimeOffset SignsAt
);

/// <summary>
/// The ES256 keys that all nodes share, by the database. A new one is made by the node that first finds the newest too
/// old.
/// </summary>
public sealed class SigningKeys(
    NpgsqlDataSource database,
    StoreContact contact,
    MasterKey master,
    TokenOptions options,
    TimeProvider time,
    ILogger<SigningKeys> log
) : BackgroundService
{
    /// <summary>From its publication until a key signs: longer than verifiers may keep the list.</summary>
    public static readonly TimeSpan Announcement = TimeSpan.FromSeconds(60);

    static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    /// <summary>The longest skew of a verifier's clock that is taken.</summary>
    static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    volatile SigningKey[] keys = [];
    long lookedAt;

    /// <summary>Every key whose tokens are good, newest first.</summary>
    public IReadOnlyList<SigningKey> All => keys;

    /// <summary>The key that signs.</summary>
    public SigningCredentials Newest =>
        new(keys.First(key => key.State is SigningKeyState.Signing).Key, SecurityAlgorithms.EcdsaSha256);

    /// <summary>Tells that some key is not good any more.</summary>
    public event Action? Lost;

    /// <summary>The key of a name; null when there is none.</summary>
    public ECDsaSecurityKey? Find(string? kid) => keys.FirstOrDefault(key => key.Key.KeyId == kid)?.Key;

    /// <summary>Reads the keys; the first node to come makes one.</summary>
    /// <exception cref="ConfigurationException">
    /// The master key is not the one that the keys were encrypted with.
    /// </exception>
    public async Task LoadAsync(CancellationToken ct)
    {
        await CreateAsync("not exists (select from signing_keys where withdrawn_at is null)", TimeSpan.Zero, ct);
        await ReadAsync(ct);
    }

    /// <summary>
    /// Reads the keys anew, for a token of a key that is not known here; no more than once a second, whatever is sent.
    /// </summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        var before = Volatile.Read(ref lookedAt);
        var now = time.GetTimestamp();
        if (
            time.GetElapsedTime(before, now) < TimeSpan.FromSeconds(1)
            || Interlocked.CompareExchange(ref lookedAt, now, before) != before
        )
            return;
        await ReadAsync(ct);
    }

    /// <summary>Makes a new key, which signs after its announcement.</summary>
    public async Task RotateAsync(CancellationToken ct)
    {
        await CreateAsync("true", Announcement, ct);
        await ReadAsync(ct);
    }

    /// <summary>
    /// Withdraws a key: its tokens are refused by every node within seconds. If it was the one that signs, a new one
    /// does so at once.
    /// </summary>
    /// <returns>Whether there was such a key.</returns>
    public async Task<bool> WithdrawAsync(string kid, CancellationToken ct)
    {
        var found =
            await contact.WhileAvailableAsync(
                async ct =>
                {
                    await using var command = database.CreateCommand(
                        "update signing_keys set withdrawn_at = clock_timestamp(), protected_key = null where kid = $1 and withdrawn_at is null"
                    );
                    command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kid });
                    return await command.ExecuteNonQueryAsync(ct);
                },
                ct
            ) > 0;
        await CreateAsync(
            "not exists (select from signing_keys where withdrawn_at is null and signs_at <= clock_timestamp())",
            TimeSpan.Zero,
            ct
        );
        await ReadAsync(ct);
        return found;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Look, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
                return;
            try
            {
                if (keys.All(key => key.CreatedAt < time.GetUtcNow().AddDays(-options.KeyDays)))
                    await CreateAsync(
                        $"not exists (select from signing_keys where created_at > clock_timestamp() - interval '{options.KeyDays} days')",
                        Announcement,
                        stoppingToken
                    );
                await ReadAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (e is not StoreUnavailableException)
                    log.LogError(e, "The signing keys cannot be read");
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>
    /// Makes a key where a condition holds. Nodes that find so at once agree on one: the table lock lets them decide
    /// one after the other.
    /// </summary>
    Task CreateAsync(string condition, TimeSpan announcement, CancellationToken ct) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                var kid = Guid.CreateVersion7().ToString("N");
                await using var connection = await database.OpenConnectionAsync(ct);
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await using (
                    var alone = new NpgsqlCommand(
                        "lock table signing_keys in share row exclusive mode",
                        connection,
                        transaction
                    )
                )
                    await alone.ExecuteNonQueryAsync(ct);
                await using var insert = new NpgsqlCommand(
                    $"insert into signing_keys (kid, protected_key, signs_at) select $1, $2, clock_timestamp() + $3 where {condition}",
                    connection,
                    transaction
                );
                insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kid });
                insert.Parameters.Add(
                    new NpgsqlParameter<byte[]> { TypedValue = master.Protect(key.ExportPkcs8PrivateKey(), kid) }
                );
                insert.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = announcement });
                await insert.ExecuteNonQueryAsync(ct);
                await transaction.CommitAsync(ct);
                return true;
            },
            ct
        );

    Task ReadAsync(CancellationToken ct) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                await using var command = database.CreateCommand(
                    "select kid, protected_key, created_at, signs_at from signing_keys where withdrawn_at is null and protected_key is not null order by signs_at desc, kid desc"
                );
                var found = new List<SigningKey>();
                var now = time.GetUtcNow();
                var signs = false;
                var ended = DateTimeOffset.MaxValue;
                var over = false;
                await using (var row = await command.ExecuteReaderAsync(ct))
                {
                    while (await row.ReadAsync(ct))
                    {
                        var kid = row.GetString(0);
                        var signsAt = row.GetFieldValue<DateTimeOffset>(3);
                        // Its last token was issued when the next key began to sign.
                        if (over = now - ended > TimeSpan.FromMinutes(options.AccessMinutes) + Skew)
                            break;
                        var state =
                            signs ? SigningKeyState.Verifying
                            : signsAt <= now ? SigningKeyState.Signing
                            : SigningKeyState.Announced;
                        found.Add(
                            new(
                                Find(kid) ?? Open(kid, row.GetFieldValue<byte[]>(1)),
                                state,
                                row.GetFieldValue<DateTimeOffset>(2),
                                signsAt
                            )
                        );
                        if (state is not SigningKeyState.Announced)
                        {
                            signs = true;
                            ended = signsAt;
                        }
                    }
                }
                // With clocks apart the only key may seem to sign in a moment.
                if (!signs && found is [.., var oldest])
                    found[^1] = oldest with { State = SigningKeyState.Signing };
                var lost = keys.Any(before => found.All(key => key.Key.KeyId != before.Key.KeyId));
                keys = [.. found];
                if (lost)
                    Lost?.Invoke();
                if (over)
                    await EndAsync(ct);
                return true;
            },
            ct
        );

    /// <summary>
    /// Deletes the private parts of keys of which no token is left, however long tokens are good for at other nodes.
    /// </summary>
    async Task EndAsync(CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            """
            update signing_keys ended set withdrawn_at = clock_timestamp(), protected_key = null where withdrawn_at is null and exists
                (select from signing_keys next where next.withdrawn_at is null and next.signs_at > ended.signs_at and next.signs_at < clock_timestamp() - $1)
            """
        );
        command.Parameters.Add(
            new NpgsqlParameter<TimeSpan> { TypedValue = TimeSpan.FromMinutes(TokenOptions.MostMinutes) + 2 * Skew }
        );
        await command.ExecuteNonQueryAsync(ct);
    }

    ECDsaSecurityKey Open(string kid, byte[] sealedKey)
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(master.Unprotect(sealedKey, kid), out _);
        return new(key) { KeyId = kid };
    }
}
