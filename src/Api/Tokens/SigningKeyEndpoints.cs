using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A key as everyone may know it (RFC 7517).</summary>
public sealed record PublicKeyDocument(string Kty, string Crv, string X, string Y, string Kid, string Alg, string Use);

/// <summary>The keys with which access tokens are checked.</summary>
public sealed record KeySetDocument(IReadOnlyList<PublicKeyDocument> Keys);

/// <summary>A signing key, for administrators.</summary>
/// <param name="State"><c>announced</c>, <c>signing</c> or <c>verifying</c>.</param>
public sealed record SigningKeyDocument(string Kid, string State, DateTimeOffset CreatedAt, DateTimeOffset SignsAt);

/// <summary>The keys of access tokens: published for verifiers, changed by administrators.</summary>
public static class SigningKeyEndpoints
{
    /// <summary>Shorter than the time between a key's publication and its first signature.</summary>
    const int CacheSeconds = 30;

    public static void MapKeySet(this IEndpointRouteBuilder app) =>
        app.MapRead("/.well-known/jwks.json", KeySetAsync)
            .AllowAnonymous()
            .WithName("getKeySet")
            .WithTags("auth")
            .WithSummary("Get the JSON Web Key Set")
            .WithDescription("The public keys that verify access tokens.")
            .Answers<KeySetDocument>(200);

    public static void MapSigningKeys(this RouteGroupBuilder api)
    {
        var keys = api.MapGroup("/admin/signing-keys").WithTags("operations");
        keys.MapRead("", ListAsync)
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

    static Task KeySetAsync(HttpContext context, SigningKeys keys)
    {
        context.Response.Headers.CacheControl = $"public, max-age={CacheSeconds}";
        return Responses.WriteAsync(
            context,
            new KeySetDocument([.. keys.All.Select(key => Public(key))]),
            TokenJson.Default.KeySetDocument,
            "application/json"
        );
    }

    static Task ListAsync(HttpContext context, SigningKeys keys) =>
        Responses.OkAsync<IReadOnlyList<SigningKeyDocument>>(
            context,
            [
                .. keys.All.Select(key => new SigningKeyDocument(
                    key.Key.KeyId,
                    JsonNamingPolicy.CamelCase.ConvertName(key.State.ToString()),
                    key.CreatedAt,
                    key.SignsAt
                )),
            ],
            TokenJson.Default.EnvelopeIReadOnlyListSigningKeyDocument
        );

    static async Task RotateAsync(HttpContext context, SigningKeys keys)
    {
        await keys.RotateAsync(context.RequestAborted);
        await ListAsync(context, keys);
    }

    static async Task WithdrawAsync(HttpContext context, string kid, SigningKeys keys)
    {
        if (await keys.WithdrawAsync(kid, context.RequestAborted))
            context.Response.StatusCode = 204;
        else
            await Problems.WriteAsync(context, ProblemType.NotFound, "There is no such key, or not any more.");
    }

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
