using System.Text.Json;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Access tokens: ES256, typed <c>at+jwt</c>, verified without a look-up.</summary>
public sealed class Tokens
{
    /// <summary>Longer ones are none of ours, and would only cost time.</summary>
    const int MaxLength = 8_192;

    readonly JsonWebTokenHandler handler = new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false };

    // Verifying a signature costs more than everything else in a read, so a verified token is remembered until it
    // expires.
    readonly MemoryCache verified = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    static readonly TimeSpan MaxSkew = TimeSpan.FromSeconds(30);

    readonly SigningKeys keys;
    readonly ExternalIssuers others;
    readonly TokenOptions options;
    readonly AccessBook book;
    readonly TimeProvider time;
    readonly TokenValidationParameters rules;

    public Tokens(SigningKeys keys, ExternalIssuers others, TokenOptions options, AccessBook book, TimeProvider time)
    {
        this.keys = keys;
        this.others = others;
        this.options = options;
        this.book = book;
        this.time = time;
        rules = new()
        {
            ValidIssuer = options.Issuer,
            ValidAudience = options.Issuer,
            ValidTypes = ["at+jwt"],
            ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            LifetimeValidator = (notBefore, expires, _, _) => IsNow(notBefore, expires),
            IssuerSigningKeyResolver = (_, _, kid, _) => keys.Find(kid) is { } key ? [key] : [],
        };
        keys.Lost += verified.Clear;
    }

    /// <summary>Issues a token for a session, which it does not outlive.</summary>
    public (string Token, int Seconds) Issue(Guid session, Session state, Account account, long accountVersion)
    {
        var now = time.GetUtcNow();
        var expires = now.AddMinutes(options.AccessMinutes);
        if (expires > state.ExpiresAt)
            expires = state.ExpiresAt;
        var token = handler.CreateToken(
            new SecurityTokenDescriptor
            {
                TokenType = "at+jwt",
                Issuer = options.Issuer,
                Audience = options.Issuer,
                IssuedAt = now.UtcDateTime,
                NotBefore = now.UtcDateTime,
                Expires = expires.UtcDateTime,
                SigningCredentials = keys.Newest,
                Claims = new Dictionary<string, object>
                {
                    ["sub"] = state.Account.ToString(),
                    ["jti"] = Guid.CreateVersion7().ToString(),
                    ["sid"] = session.ToString(),
                    ["ver"] = accountVersion,
                    ["roles"] = account.Roles,
                    ["auth_time"] = state.AuthenticatedAt.ToUnixTimeSeconds(),
                    ["amr"] = state.Methods,
                },
            }
        );
        return (token, (int)(expires - now).TotalSeconds);
    }

    /// <summary>
    /// The caller whom a token names; null when it is not good. What has become of its session is another question.
    /// </summary>
    /// <param name="text">
    /// What holds the token: known ones are told by it as a whole, so that nothing is cut off each time.
    /// </param>
    /// <param name="start">Where the token begins in it.</param>
    public ValueTask<Caller?> FindAsync(string text, int start = 0) =>
        text.Length > MaxLength ? default
        : verified.TryGetValue(text, out Caller? known) ? new(known?.Expires > time.GetUtcNow() ? known : null)
        : CheckAsync(text, text[start..]);

    async ValueTask<Caller?> CheckAsync(string text, string token)
    {
        if (!handler.CanReadToken(token) || Parse(token) is not { } parsed)
            return null;
        var caller = others.Knows(parsed.Issuer) ? await others.FindAsync(parsed) : await VerifyAsync(parsed);
        if (caller is null)
            return null;
        verified.Set(text, caller, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpiration = caller.Expires });
        // The key may have been withdrawn since it was found, and the memory cleared before this entry came.
        if (caller.Kind is not CredentialKind.Token || keys.Find(parsed.Kid) is not null)
            return caller;
        verified.Remove(text);
        return null;
    }

    JsonWebToken? Parse(string token)
    {
        try
        {
            var parsed = handler.ReadJsonWebToken(token);
            // Critical header parameters must be understood, and none is here (RFC 7515, 4.1.11).
            return parsed.TryGetHeaderValue<object>("crit", out _) ? null : parsed;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or JsonException)
        {
            // Three parts separated by dots do not make a token.
            return null;
        }
    }

    async Task<Caller?> VerifyAsync(JsonWebToken token)
    {
        if (keys.Find(token.Kid) is null)
            await keys.RefreshAsync(CancellationToken.None);
        var result = await handler.ValidateTokenAsync(token, rules);
        return result.IsValid && TokenShape.IsPlain(token) ? Read(token) : null;
    }

    /// <summary>
    /// By this node's clock, as that of sessions. A moment early is forgiven, as another node's clock may be ahead; but
    /// no token outlives its end, which may be its session's.
    /// </summary>
    bool IsNow(DateTime? notBefore, DateTime? expires)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return expires > now && !(notBefore > now + MaxSkew);
    }

    Caller? Read(JsonWebToken token)
    {
        string? Claim(string name) => token.TryGetPayloadValue<string>(name, out var text) ? text : null;
        if (
            !Guid.TryParse(Claim("sub"), out var account)
            || !Guid.TryParse(Claim("sid"), out var session)
            || !token.TryGetPayloadValue<long>("ver", out var version)
        )
            return null;
        if (
            !token.TryGetPayloadValue<long>("auth_time", out var authenticated)
            || !token.TryGetPayloadValue<string[]>("roles", out var roles)
        )
            return null;
        return new(account, version, roles, null, book)
        {
            Kind = CredentialKind.Token,
            Credential = session,
            Expires = new(token.ValidTo, TimeSpan.Zero),
            AuthenticatedAt = DateTimeOffset.FromUnixTimeSeconds(authenticated),
        };
    }
}
