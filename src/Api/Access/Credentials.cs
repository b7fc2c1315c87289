using System.Collections.Concurrent;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>
/// Finds the caller behind a request's credential: an access token, an API key or a session cookie. What is good is
/// remembered for some minutes; whether it was ended meanwhile stands in the <see cref="AccessBook"/>, which every use
/// asks.
/// </summary>
public sealed class Credentials(
    Tokens tokens,
    SessionTokens sessionTokens,
    ApiKeyText keyTexts,
    AccessBook book,
    AccountQueries accounts,
    IClusterClient cluster,
    TimeProvider time,
    ILogger<Credentials> logger
) : BackgroundService
{
    const string Scheme = "Bearer ";
    const int MaxRemembered = 20_000;

    /// <summary>No longer than the book remembers what has happened.</summary>
    static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    static readonly TimeSpan NoteUses = TimeSpan.FromSeconds(5);

    readonly ConcurrentDictionary<Guid, (Caller Caller, string Proof, DateTimeOffset Until)> remembered = new();
    readonly ConcurrentDictionary<Guid, bool> used = new();
    long changes;

    /// <summary>The caller of a request.</summary>
    /// <returns>
    /// The caller, or null; and whether a credential was sent. A header wins over a cookie, whatever becomes of it:
    /// rights are never joined.
    /// </returns>
    public async ValueTask<(Caller? Caller, bool Sent)> FindAsync(HttpRequest request)
    {
        if (request.Headers.Authorization is { Count: > 0 } headers)
            return (
                headers is [{ } header] && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
                    ? await FindAsync(header, Scheme.Length)
                    : null,
                true
            );
        return SessionCookie.Read(request) is { } cookie
            ? (Checked(await FindCookieAsync(cookie)), true)
            : (null, false);
    }

    /// <summary>The caller behind an access token or API key; null when it is not good.</summary>
    /// <param name="text">What holds it.</param>
    /// <param name="start">Where it begins in that.</param>
    public async ValueTask<Caller?> FindAsync(string text, int start = 0)
    {
        return Checked(
            text.AsSpan(start).StartsWith(ApiKeyText.Prefix, StringComparison.Ordinal)
                ? await FindKeyAsync(text[start..])
                : await tokens.FindAsync(text, start)
        );
    }

    /// <summary>The caller as far as the book knows; null when the credential is over.</summary>
    /// <exception cref="ProblemException">This node cannot tell: another one may.</exception>
    static Caller? Checked(Caller? caller) =>
        caller switch
        {
            { IsUncertain: true } => throw new ProblemException(
                ProblemType.AccessUnknown,
                "This node has not seen the latest changes of access, or does not understand them. Nothing was done; try again."
            ),
            { IsOver: false } => caller,
            _ => null,
        };

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        book.Changed += Forget;
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(NoteUses, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await NoteAsync();
        }
    }

    async ValueTask<Caller?> FindKeyAsync(string text)
    {
        if (keyTexts.Read(text) is not var (id, hash))
            return null;
        if (Recall(id, hash) is { } known)
        {
            used.TryAdd(id, true);
            return known;
        }
        var before = Volatile.Read(ref changes);
        var found = await ClusterCalls.ReadAsync(() => cluster.GetGrain<IApiKeyGrain>(id).Find());
        if (found is null || !ApiKeyText.Same(found.Key.SecretHash, hash))
            return null;
        used.TryAdd(id, true);
        return Remember(
            id,
            hash,
            before,
            new(
                found.Key.Account,
                found.AccountVersion,
                found.Account.Roles,
                PermissionSet.Of(found.Key.Permissions),
                book
            )
            {
                Kind = CredentialKind.ApiKey,
                Credential = id,
                Expires = found.Key.ExpiresAt ?? DateTimeOffset.MaxValue,
            }
        );
    }

    async ValueTask<Caller?> FindCookieAsync(string text)
    {
        if (sessionTokens.ReadCookie(text) is not var (id, generation))
            return null;
        if (Recall(id, text) is { } known)
            return known;
        var before = Volatile.Read(ref changes);
        var session = cluster.GetGrain<ISessionGrain>(id);
        var found = await ClusterCalls.ReadAsync(() => session.Find());
        if (found is null || found.Session is not { Kind: Session.Cookie } state || state.Generation != generation)
            return null;
        // Looked up every few minutes while it is used, which keeps it from being idle.
        if (
            await ClusterCalls.SendAsync(Intent.OfNode() with { Session = id }, sent =>
                session.Use(new TouchSession(generation), sent)
            )
            is null
        )
            return null;
        return Remember(
            id,
            text,
            before,
            new(state.Account, found.AccountVersion, found.Account.Roles, null, book)
            {
                Kind = CredentialKind.Cookie,
                Credential = id,
                Expires = state.ExpiresAt,
                AuthenticatedAt = state.AuthenticatedAt,
            }
        );
    }

    Caller? Recall(Guid id, string proof)
    {
        if (!remembered.TryGetValue(id, out var entry) || !ApiKeyText.Same(entry.Proof, proof))
            return null;
        var now = time.GetUtcNow();
        return now < entry.Until && now < entry.Caller.Expires ? entry.Caller : null;
    }

    Caller Remember(Guid id, string proof, long before, Caller caller)
    {
        if (remembered.Count >= MaxRemembered)
            remembered.Clear();
        remembered[id] = (caller, proof, time.GetUtcNow() + Remembered);
        // What was found may be from before a change that was already noted here.
        if (Volatile.Read(ref changes) != before)
            remembered.TryRemove(id, out _);
        return caller;
    }

    /// <summary>A cookie changes when its owner authenticates again; everything else the book itself knows.</summary>
    void Forget(Guid changed)
    {
        Interlocked.Increment(ref changes);
        if (changed == Guid.Empty)
            remembered.Clear();
        else
            remembered.TryRemove(changed, out _);
    }

    async Task NoteAsync()
    {
        var keys = used.Keys.ToArray();
        if (keys is [])
            return;
        foreach (var key in keys)
            used.TryRemove(key, out _);
        try
        {
            await accounts.NoteUsesAsync(keys, time.GetUtcNow(), CancellationToken.None);
        }
        catch (Exception e)
        {
            logger.LogWarning("The use of {Count} API keys was not noted: {Reason}", keys.Length, e.Message);
        }
    }
}
