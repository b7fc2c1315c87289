using System.ComponentModel.DataAnnotations;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>An OpenID Connect provider whose tokens are taken.</summary>
public sealed class ExternalIssuer
{
    /// <summary>
    /// The <c>iss</c> of its tokens; discovery is at <c>/.well-known/openid-configuration</c> below it.
    /// </summary>
    [Required]
    public string Issuer { get; set; } = "";

    /// <summary>The <c>aud</c> that tokens for this server have.</summary>
    [Required]
    public string Audience { get; set; } = "";

    /// <summary>The claim that holds a caller's groups: a text or a list of them.</summary>
    [Required]
    public string RolesClaim { get; set; } = "roles";

    /// <summary>Which of our roles a value of that claim gives.</summary>
    public Dictionary<string, string> Roles { get; set; } = [];

    /// <summary>Roles that every caller of this provider has.</summary>
    public string[] DefaultRoles { get; set; } = [];

    /// <summary>
    /// Whether its access tokens are of the type <c>JWT</c>, as before RFC 9068. An ID token of the same audience is then
    /// told apart by its members only.
    /// </summary>
    public bool AcceptsJwt { get; set; }

    /// <summary>How far ahead a token may end, in minutes.</summary>
    public int MaxMinutes { get; set; } = 1_440;
}

/// <summary>Section <c>Identity</c>.</summary>
public sealed class IdentityProviderOptions : IValidatableObject
{
    public ExternalIssuer[] Issuers { get; set; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext context)
    {
        for (var i = 0; i < Issuers.Length; i++)
        {
            var issuer = Issuers[i];
            if (issuer.Audience is "")
                yield return new("is required.", [$"Issuers:{i}:Audience"]);
            if (issuer.MaxMinutes is < 1 or > 525_600)
                yield return new("takes 1 to 525600.", [$"Issuers:{i}:MaxMinutes"]);
            if (
                !Uri.TryCreate(issuer.Issuer, UriKind.Absolute, out var uri)
                || uri.Scheme != Uri.UriSchemeHttps && !uri.IsLoopback
            )
                yield return new("is no https address.", [$"Issuers:{i}:Issuer"]);
            else if (Issuers.Take(i).Any(other => other.Issuer == issuer.Issuer))
                yield return new("is given twice.", [$"Issuers:{i}:Issuer"]);
        }
    }
}

/// <summary>
/// Callers by tokens of other issuers. Only those that are configured are ever asked for their keys, whatever a token
/// says.
/// </summary>
public sealed class ExternalIssuers(
    IdentityProviderOptions options,
    AccessBook book,
    TimeProvider time,
    ILogger<ExternalIssuers> logger
)
{
    readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false };

    readonly Dictionary<string, (ExternalIssuer Issuer, TokenValidationParameters Rules)> issuers =
        options.Issuers.ToDictionary(
            issuer => issuer.Issuer,
            issuer =>
                (
                    issuer,
                    new TokenValidationParameters
                    {
                        ConfigurationManager = new ConfigurationManager<OpenIdConnectConfiguration>(
                            issuer.Issuer.TrimEnd('/') + "/.well-known/openid-configuration",
                            new OpenIdConnectConfigurationRetriever(),
                            new KeyRetriever(issuer.Issuer, logger, time)
                        )
                        {
                            RefreshInterval = KeyRetriever.Pause,
                        },
                        ValidIssuer = issuer.Issuer,
                        ValidAudience = issuer.Audience,
                        // Asymmetric only: a public key must never be accepted as an HMAC secret.
                        ValidAlgorithms =
                        [
                            SecurityAlgorithms.RsaSha256,
                            SecurityAlgorithms.RsaSha384,
                            SecurityAlgorithms.RsaSha512,
                            SecurityAlgorithms.RsaSsaPssSha256,
                            SecurityAlgorithms.EcdsaSha256,
                            SecurityAlgorithms.EcdsaSha384,
                        ],
                        RequireExpirationTime = true,
                        RequireSignedTokens = true,
                        ClockSkew = TimeSpan.FromSeconds(30),
                    }
                )
        );

    /// <summary>Whether tokens of an issuer are taken.</summary>
    public bool Knows(string issuer) => issuers.ContainsKey(issuer);

    /// <summary>
    /// The caller whom a token of a known issuer names; null when it is not good, or its issuer's keys cannot be had.
    /// </summary>
    public async Task<Caller?> FindAsync(JsonWebToken token)
    {
        var (issuer, rules) = issuers[token.Issuer];
        var result = await handler.ValidateTokenAsync(token, rules);
        if (!result.IsValid)
        {
            if (result.Exception is not SecurityTokenException)
                logger.LogWarning(
                    "A token of {Issuer} was not checked: {Reason}",
                    issuer.Issuer,
                    result.Exception?.Message
                );
            return null;
        }
        if (token.Subject is not { Length: > 0 } subject || !TokenShape.IsAccessToken(token, issuer, time.GetUtcNow()))
            return null;
        string[] roles =
        [
            .. issuer
                .DefaultRoles.Concat(
                    token
                        .Claims.Where(claim => claim.Type == issuer.RolesClaim)
                        .Select(claim => issuer.Roles.GetValueOrDefault(claim.Value))
                        .OfType<string>()
                )
                .Distinct(),
        ];
        return new(DerivedId.Of("external account", issuer.Issuer, subject), 0, roles, null, book)
        {
            Kind = CredentialKind.External,
            Expires = new(token.ValidTo, TimeSpan.Zero),
        };
    }
}

/// <summary>
/// Fetches an issuer's documents from where the configuration says and nowhere else. Requests wait for it, so not for
/// long, and not each anew while the issuer is away.
/// </summary>
sealed class KeyRetriever(string issuer, ILogger logger, TimeProvider time) : IDocumentRetriever
{
    /// <summary>From one attempt to the next.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        Timeout = TimeSpan.FromSeconds(5),
        MaxResponseContentBufferSize = 1 << 20,
    };

    readonly HttpDocumentRetriever documents = new(Http) { RequireHttps = !new Uri(issuer).IsLoopback };
    long failedAt;

    /// <exception cref="IOException">The issuer is away, or was so a moment ago.</exception>
    public async Task<string> GetDocumentAsync(string address, CancellationToken cancel)
    {
        if (Volatile.Read(ref failedAt) is not 0 and var before && time.GetElapsedTime(before) < Pause)
            throw new IOException($"{issuer} was away a moment ago.");
        try
        {
            return await documents.GetDocumentAsync(address, cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            Volatile.Write(ref failedAt, time.GetTimestamp());
            logger.LogWarning("The keys of {Issuer} cannot be had: {Reason}", issuer, e.Message);
            throw new IOException($"{address} cannot be had.", e);
        }
    }
}
