using Microsoft.IdentityModel.Tokens;

namespace Resources.Api;

/// <summary>A public key (RFC 7517).</summary>
public sealed record PublicKeyDocument(string Kty, string Crv, string X, string Y, string Kid, string Alg, string Use);

/// <summary>The public keys that verify access tokens.</summary>
public sealed record KeySetDocument(IReadOnlyList<PublicKeyDocument> Keys);

/// <summary>The public keys of access tokens, for those who verify them.</summary>
public static class KeySetEndpoint
{
    /// <summary>Shorter than the time between a key's publication and its first signature.</summary>
    const int CacheSeconds = 30;

    public static void MapKeySet(this IEndpointRouteBuilder app) =>
        app.MapRead("/.well-known/jwks.json", KeySet)
            .AllowAnonymous()
            .WithName("getKeySet")
            .WithTags("auth")
            .WithSummary("Get the JSON Web Key Set")
            .WithDescription("The public keys that verify access tokens.")
            .Answers<KeySetDocument>(200);

    static Answer KeySet(SigningKeys keys) =>
        new BareAnswer<KeySetDocument>(new([.. keys.All.Select(Public)]))
        {
            Headers = [("Cache-Control", $"public, max-age={CacheSeconds}")],
        };

    static PublicKeyDocument Public(SigningKey key)
    {
        var point = key.Key.ECDsa.ExportParameters(includePrivateParameters: false).Q;
        return new(
            "EC",
            "P-256",
            Base64UrlEncoder.Encode(point.X),
            Base64UrlEncoder.Encode(point.Y),
            key.Key.KeyId,
            SecurityAlgorithms.EcdsaSha256,
            "sig"
        );
    }
}
