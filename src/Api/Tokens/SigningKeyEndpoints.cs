using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A public key (RFC 7517).</summary>
public sealed record PublicKeyDocument(string Kty, string Crv, string X, string Y, string Kid, string Alg, string Use);

/// <summary>The public keys that verify access tokens.</summary>
public sealed record KeySetDocument(IReadOnlyList<PublicKeyDocument> Keys);

/// <summary>A signing key, for administrators.</summary>
/// <param name="State"><c>announced</c>, <c>signing</c> or <c>verifying</c>.</param>
public sealed record SigningKeyDocument(string Kid, string State, DateTimeOffset CreatedAt, DateTimeOffset SignsAt);

/// <summary>The keys of access tokens: public to verifiers, managed by administrators.</summary>
public static class SigningKeyEndpoints
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

    public static void MapSigningKeys(this RouteGroupBuilder api)
    {
        var keys = api.MapGroup("/admin/signing-keys").WithTags("operations");
        keys.MapRead("", List)
            .Require(Permissions.SigningKeyManage)
            .WithName("listSigningKeys")
            .WithSummary("List signing keys")
            .WithDescription("Newest first.")
            .Answers<Envelope<IReadOnlyList<SigningKeyDocument>>>(200);
        keys.MapPost("/rotate", RotateAsync)
            .Require(Permissions.SigningKeyManage)
            .WithName("rotateSigningKey")
            .WithSummary("Rotate the signing key")
            .WithDescription("Creates a key that starts signing after one minute.")
            .Answers<Envelope<IReadOnlyList<SigningKeyDocument>>>(200);
        keys.MapDelete("/{kid}", WithdrawAsync)
            .TakesPath(Parameter.Text("kid", "The `kid` of the signing key.", "01a211b9faa87e3b82b418342f59931d", 64))
            .Require(Permissions.SigningKeyManage)
            .WithName("withdrawSigningKey")
            .WithSummary("Withdraw a signing key")
            .WithDescription("For a leaked key: tokens signed with it are rejected within seconds.")
            .Produces(204)
            .Refuses(404);
    }

    static Answer KeySet(SigningKeys keys) =>
        new BareAnswer<KeySetDocument>(new([.. keys.All.Select(Public)]))
        {
            Headers = [("Cache-Control", $"public, max-age={CacheSeconds}")],
        };

    static Answer List(SigningKeys keys) =>
        Answer.Of<IReadOnlyList<SigningKeyDocument>>([
            .. keys.All.Select(key => new SigningKeyDocument(
                key.Key.KeyId,
                JsonNamingPolicy.CamelCase.ConvertName(key.State.ToString()),
                key.CreatedAt,
                key.SignsAt
            )),
        ]);

    static async Task<Answer> RotateAsync(HttpContext context, SigningKeys keys)
    {
        await keys.RotateAsync(context.RequestAborted);
        return List(keys);
    }

    static async Task<Answer> WithdrawAsync(HttpContext context, string kid, SigningKeys keys) =>
        await keys.WithdrawAsync(kid, context.RequestAborted)
            ? Answer.Empty()
            : Answer.Refused(ProblemType.NotFound, "There is no such signing key.");

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
