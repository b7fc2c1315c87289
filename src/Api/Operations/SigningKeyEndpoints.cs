using System.Text.Json;
using Resources.Grains;

namespace Resources.Api;

/// <summary>A signing key, for administrators.</summary>
/// <param name="State"><c>announced</c>, <c>signing</c> or <c>verifying</c>.</param>
public sealed record SigningKeyDocument(string Kid, string State, DateTimeOffset CreatedAt, DateTimeOffset SignsAt);

/// <summary>The signing keys of access tokens, for operators.</summary>
public static class SigningKeyEndpoints
{
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
            .Audits("signing_key.rotated")
            .WithSummary("Rotate the signing key")
            .WithDescription("Creates a key that starts signing after one minute.")
            .Answers<Envelope<IReadOnlyList<SigningKeyDocument>>>(200);
        keys.MapDelete("/{kid}", WithdrawAsync)
            .TakesPath(Parameter.Text("kid", "The `kid` of the signing key.", "01a211b9faa87e3b82b418342f59931d", 64))
            .Require(Permissions.SigningKeyManage)
            .WithName("withdrawSigningKey")
            .Audits("signing_key.withdrawn")
            .WithSummary("Withdraw a signing key")
            .WithDescription("For a leaked key: tokens signed with it are rejected within seconds.")
            .Produces(204)
            .Refuses(404);
    }

    static Answer List(SigningKeys keys) =>
        Answer.Of<IReadOnlyList<SigningKeyDocument>>([
            .. keys.All.Select(key => new SigningKeyDocument(
                key.Key.KeyId,
                JsonNamingPolicy.CamelCase.ConvertName(key.State.ToString()),
                key.CreatedAt,
                key.SignsAt
            )),
        ]);

    static async Task<Answer> RotateAsync(HttpContext context, SigningKeys keys, AuditNotes notes)
    {
        await keys.RotateAsync(context.RequestAborted);
        await notes.NoteAsync(context, new SigningKeyRotated());
        return List(keys);
    }

    static async Task<Answer> WithdrawAsync(HttpContext context, string kid, SigningKeys keys, AuditNotes notes)
    {
        if (!await keys.WithdrawAsync(kid, context.RequestAborted))
            return Answer.Refused(ProblemType.NotFound, "There is no such signing key.");
        await notes.NoteAsync(context, new SigningKeyWithdrawn(kid));
        return Answer.Empty();
    }
}
