using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Access tokens: ES256, typed <c>at+jwt</c>, verified without a look-up.</summary>
public sealed class Tokens(SigningKeys keys, TokenOptions options, TimeProvider time)
{
    readonly JsonWebTokenHandler handler = new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false };

    readonly TokenValidationParameters rules = new()
    {
        ValidIssuer = options.Issuer,
        ValidAudience = options.Issuer,
        ValidTypes = ["at+jwt"],
        ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
        RequireExpirationTime = true,
        RequireSignedTokens = true,
        ClockSkew = TimeSpan.FromSeconds(30),
        IssuerSigningKeyResolver = (_, _, kid, _) => keys.All.Where(key => key.KeyId == kid),
    };

    /// <summary>Issues a token for an account.</summary>
    public TokenDocument Issue(Account account)
    {
        var now = time.GetUtcNow();
        var token = handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = "at+jwt",
            Issuer = options.Issuer,
            Audience = options.Issuer,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = now.AddMinutes(options.AccessMinutes).UtcDateTime,
            SigningCredentials = keys.Newest,
            Claims = new Dictionary<string, object>
            {
                ["sub"] = account.Id.ToString(), ["jti"] = Guid.CreateVersion7().ToString(), ["email"] = account.Email, [Access.RoleClaim] = account.Roles,
            },
        });
        return new(token, "Bearer", options.AccessMinutes * 60);
    }

    /// <summary>Checks a token that did not come in the header, by the same rules; null when it is not valid.</summary>
    public async Task<ClaimsPrincipal?> ValidateAsync(string token)
    {
        var result = await handler.ValidateTokenAsync(token, rules);
        return result.IsValid ? new(result.ClaimsIdentity) : null;
    }

    /// <summary>Adds bearer authentication with these tokens.</summary>
    public static void Configure(JwtBearerOptions bearer, Tokens tokens)
    {
        bearer.MapInboundClaims = false;
        bearer.TokenValidationParameters = tokens.rules;
        // Verifying a signature costs more than everything else in a read, so a verified token is remembered until it expires.
        var verified = new MemoryCache(new MemoryCacheOptions { SizeLimit = 10_000 });
        bearer.Events = new()
        {
            OnMessageReceived = context =>
            {
                if (Bearer(context.Request) is { } token && verified.TryGetValue(token, out ClaimsPrincipal? principal))
                {
                    context.Principal = principal;
                    context.Success();
                }
                return Task.CompletedTask;
            },
            OnTokenValidated = context =>
            {
                if (Bearer(context.Request) is { } token)
                    verified.Set(token, context.Principal, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpiration = context.SecurityToken.ValidTo });
                return Task.CompletedTask;
            },
        };
    }

    static string? Bearer(HttpRequest request) =>
        request.Headers.Authorization is [{ } header] && header.StartsWith("Bearer ", StringComparison.Ordinal) ? header : null;
}
