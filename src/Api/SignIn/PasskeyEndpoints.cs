using System.Buffers.Text;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A passkey.</summary>
/// <param name="UsedAt">When it was last used; null if never.</param>
public sealed record PasskeyDocument(
    Guid Id,
    string Name,
    DateTimeOffset CreatedAt,
    DateTimeOffset? UsedAt,
    bool BackedUp
);

/// <summary>A credential that an authenticator created.</summary>
/// <param name="Credential">The JSON form of the result of <c>navigator.credentials.create</c>.</param>
public sealed record PasskeyRequest(string State, string Name, JsonElement Credential);

/// <summary>An assertion that an authenticator signed.</summary>
/// <param name="Credential">The JSON form of the result of <c>navigator.credentials.get</c>.</param>
/// <param name="Cookie">For browsers: sets a session cookie instead of returning tokens.</param>
public sealed record PasskeyLogin(string State, JsonElement Credential, bool? Cookie = null);

/// <summary>Passkeys: registration by sessions, and sign-in without a password.</summary>
public static class PasskeyEndpoints
{
    public static void MapPasskeys(this RouteGroupBuilder api)
    {
        var mine = api.MapGroup("/me/passkeys").WithTags("mfa").CarriesSecrets().RequireSession();
        mine.MapRead("", ListAsync)
            .WithName("listPasskeys")
            .WithSummary("List your passkeys")
            .Answers<Envelope<IReadOnlyList<PasskeyDocument>>>(200);
        mine.MapPost("/options", BeginRegistrationAsync)
            .RequireSession(recent: true)
            .WithName("beginPasskey")
            .AuditsNothing()
            .WithSummary("Start passkey registration")
            .WithDescription("Returns the options for `navigator.credentials.create`.")
            .Answers<Envelope<CeremonyDocument>>(200);
        mine.MapPost("", FinishRegistrationAsync)
            .RequireSession(recent: true)
            .WithName("addPasskey")
            .Audits("account.passkey_added")
            .WithSummary("Register a passkey")
            .WithDescription("Takes the credential that the browser created.")
            .TakesBody<PasskeyRequest>(
                """{"state":"5bX0c1mYyKQn7mR0q9mXn3yq7rQ2v8Jw1uZk4dTfGhI","name":"my phone","credential":{"id":"…","type":"public-key","rawId":"…","response":{}}}"""
            )
            .Answers<Envelope<PasskeyDocument>>(201)
            .Refuses(401, 409, 413, 415);
        mine.MapDelete("/{id}", RemoveAsync)
            .TakesPath(Parameter.Id("id", "The id of the passkey."))
            .RequireSession(recent: true)
            .WithName("removePasskey")
            .Audits("account.passkey_removed")
            .WithSummary("Remove a passkey")
            .Produces(204)
            .Refuses(404);
        var auth = api.MapGroup("/auth").WithTags("auth").CarriesSecrets();
        auth.MapPost("/passkey/options", BeginUseAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Login)
            .WithName("beginPasskeyLogin")
            .AuditsNothing()
            .WithSummary("Start passkey sign-in")
            .WithDescription("Returns the options for `navigator.credentials.get`.")
            .Answers<Envelope<CeremonyDocument>>(200);
        auth.MapPost("/passkey", FinishUseAsync)
            .AllowAnonymous()
            // An assertion may carry extensions of the authenticator.
            .WithMetadata(new MaxBody(64 * 1024))
            .LimitBy(RateLimits.Login)
            .WithName("passkeyLogin")
            .Audits("session.started", "account.passkey_used", "session.authenticated")
            .Carries(AnswerHeaders.SetCookie)
            .WithSummary("Sign in with a passkey")
            .WithDescription("If the caller already has a session, re-authenticates that session instead.")
            .TakesBody<PasskeyLogin>(
                """{"state":"5bX0c1mYyKQn7mR0q9mXn3yq7rQ2v8Jw1uZk4dTfGhI","credential":{"id":"…","type":"public-key","rawId":"…","response":{}}}"""
            )
            .Answers<Envelope<TokenDocument>>(200)
            .OrAnswers<Envelope<CookieDocument>>()
            .Refuses(401, 403, 413, 415);
    }

    static async Task<Answer> ListAsync(HttpContext context, IClusterClient cluster)
    {
        var passkeys = await ClusterCalls.ReadAsync(() =>
            cluster.GetGrain<IAccountGrain>(context.Caller().Account).GetPasskeys()
        );
        return new Answer<IReadOnlyList<PasskeyDocument>>([.. passkeys.Select(Document)]);
    }

    static async Task<Answer> BeginRegistrationAsync(HttpContext context, Passkeys passkeys, Accounts accounts)
    {
        var email = (await ClusterCalls.ReadAsync(() => accounts.Grain(context.Caller().Account).GetSecrets()))!.Email;
        return Answer.Of(await passkeys.BeginRegistrationAsync(context, email));
    }

    static Task<Answer> FinishRegistrationAsync(HttpContext context, Passkeys passkeys, IClusterClient cluster) =>
        RequestBody.TakeAsync(context, ReadRegistration, async asked =>
        {
            if (
                await passkeys.FinishRegistrationAsync(context, asked.State, asked.Credential, asked.Name)
                is not var (credential, count)
            )
                return Rejected;
            var added = await OwnAccount.ExecuteAsync(context, cluster, new AddPasskey(credential, count));
            if (added.Rejection is { } rejection)
                return rejection;
            return new Answer<PasskeyDocument>(Document(new(added.Value!.Factors.Passkeys[^1], credential)))
            {
                Status = StatusCodes.Status201Created,
            };
        });

    static async Task<Answer> RemoveAsync(HttpContext context, string id, IClusterClient cluster) =>
        Ids.TryParse(id, out var passkey)
            ? await OwnAccount.ChangeAsync(context, cluster, new RemovePasskey(passkey))
            : Answer.Refused(ProblemType.PasskeyNotFound, "There is no such passkey.");

    static async Task<Answer> BeginUseAsync(HttpContext context, Passkeys passkeys) =>
        Answer.Of(await passkeys.BeginUseAsync(context));

    static Task<Answer> FinishUseAsync(
        HttpContext context,
        Passkeys passkeys,
        AccountDirectory directory,
        Accounts accounts,
        IClusterClient cluster,
        SignIn signIn,
        SessionCookie cookies
    ) => RequestBody.TakeAsync(context, ReadUse, async asked =>
        {
            if (asked.ByCookie && !cookies.IsOurs(context.Request))
                return SessionCookie.ForeignLogin;
            if (await passkeys.FinishUseAsync(context, asked.State, asked.Credential) is not var (id, passkey, count))
            {
                if (
                    IdOf(asked.Credential) is { } credential
                    && await directory.FindPasskeyAsync(credential) is { } owner
                )
                    await accounts.Grain(owner).Execute(new NoteFailedLogin("passkey"), context.Intend(owner));
                return Rejected;
            }
            var intent = context.Intend(id);
            var used = await ClusterCalls.SendAsync(intent, sent =>
                cluster.GetGrain<IAccountGrain>(id).Execute(new UsePasskey(passkey, count), sent)
            );
            var caller = Caller.Of(context.User);
            if (used.Rejection is not null || caller is not null && caller.Account != id)
                return Rejected;
            if (!SignInPolicy.Admits(used.Value))
                return SignIn.Inactive;
            return caller is { Kind: CredentialKind.Token or CredentialKind.Cookie }
                ? await signIn.StepUpAsync(context, ["hwk"])
                : await signIn.BeginAsync(context, id, used.Value, used.Version, ["hwk"], asked.ByCookie);
        });

    static Answer Rejected =>
        Answer.Refused(ProblemType.PasskeyRefused, "The passkey's response is invalid, or does not match the request.");

    /// <summary>The id in the JSON form of a credential.</summary>
    static byte[]? IdOf(JsonText credential) =>
        credential.ToElement().TryGetProperty("id", out var id)
        && id.ValueKind is JsonValueKind.String
        && id.GetString()! is var text
        && Base64Url.IsValid(text)
            ? Base64Url.DecodeFromChars(text)
            : null;

    static PasskeyDocument Document(KnownPasskey known) =>
        new(
            known.Passkey.Id,
            known.Credential.Label,
            known.Passkey.CreatedAt,
            known.Passkey.UsedAt,
            known.Credential.BackedUp
        );

    static (string State, string Name, JsonText Credential) ReadRegistration(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = (reader.Text("state", 1, 128)!, reader.Text("name", 1, 100)!, reader.Object("credential")!);
        reader.RefuseOthers();
        return asked;
    }

    static (string State, JsonText Credential, bool ByCookie) ReadUse(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = (
            reader.Text("state", 1, 128)!,
            reader.Object("credential")!,
            reader.Flag("cookie", optional: true) is true
        );
        reader.RefuseOthers();
        return asked;
    }
}
