using Microsoft.IdentityModel.Tokens;
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
    SigningKeyStore store,
    TokenOptions options,
    TimeProvider time,
    ILogger<SigningKeys> logger
) : BackgroundService
{
    /// <summary>From its publication until a key signs: longer than verifiers may keep the list.</summary>
    public static readonly TimeSpan Announcement = TimeSpan.FromSeconds(60);

    static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);

    /// <summary>The largest skew of a verifier's clock that is accepted.</summary>
    static readonly TimeSpan MaxSkew = TimeSpan.FromSeconds(30);

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
        await store.CreateFirstAsync(ct);
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
        await store.CreateNextAsync(Announcement, ct);
        await ReadAsync(ct);
    }

    /// <summary>
    /// Withdraws a key: its tokens are refused by every node within seconds. If it was the one that signs, a new one
    /// does so at once.
    /// </summary>
    /// <returns>Whether there was such a key.</returns>
    public async Task<bool> WithdrawAsync(string kid, CancellationToken ct)
    {
        var found = await store.WithdrawAsync(kid, ct);
        await store.CreateSigningAsync(ct);
        await ReadAsync(ct);
        return found;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Loop("Reading the signing keys", logger) { RetryDelay = TimeSpan.Zero }.RunAsync(LookAsync, stoppingToken);

    async Task LookAsync(CancellationToken ct)
    {
        // First of all: the start has just read them.
        await Task.Delay(PollInterval, time, ct);
        if (keys.All(key => key.CreatedAt < time.GetUtcNow().AddDays(-options.KeyDays)))
            await store.CreateNextAsync(Announcement, options.KeyDays, ct);
        await ReadAsync(ct);
    }

    async Task ReadAsync(CancellationToken ct)
    {
        var found = new List<SigningKey>();
        var now = time.GetUtcNow();
        var signs = false;
        var ended = DateTimeOffset.MaxValue;
        var over = false;
        foreach (var stored in await store.ReadAsync(ct))
        {
            // Its last token was issued when the next key began to sign.
            over = now - ended > TimeSpan.FromMinutes(options.AccessMinutes) + MaxSkew;
            if (over)
                break;
            var state =
                signs ? SigningKeyState.Verifying
                : stored.SignsAt <= now ? SigningKeyState.Signing
                : SigningKeyState.Announced;
            var key = Find(stored.Kid) ?? new(store.Open(stored)) { KeyId = stored.Kid };
            found.Add(new(key, state, stored.CreatedAt, stored.SignsAt));
            if (state is not SigningKeyState.Announced)
            {
                signs = true;
                ended = stored.SignsAt;
            }
        }
        // With clocks apart the only key may seem to sign in a moment.
        if (!signs && found is [.., var oldest])
            found[^1] = oldest with { State = SigningKeyState.Signing };
        var lost = keys.Any(before => found.All(key => key.Key.KeyId != before.Key.KeyId));
        keys = [.. found];
        if (lost)
            Lost?.Invoke();
        // However long tokens are good for at other nodes.
        if (over)
            await store.EndAsync(TimeSpan.FromMinutes(TokenOptions.MaxMinutes) + 2 * MaxSkew, ct);
    }
}
