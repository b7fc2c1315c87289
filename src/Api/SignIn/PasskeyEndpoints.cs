using System.Buffers.Text;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A passkey.</summary>
/// <param name="UsedAt">When it was last used; null when never.</param>
public sealed record PasskeyDocument(
    Guid Id,
    string Name,
    DateTimeOffset CreatedAt,
    DateTimeOffset? UsedAt,
    bool BackedUp
);

/// <summary>What an authenticator has made.</summary>
/// <param name="Credential">
/// The credential that <c>navigator.credentials.create</c> has answered, in its JSON form.
/// </param>
public sealed record PasskeyRequest(string State, string Name, JsonElement Credential);

/// <summary>What an authenticator has signed.</summary>
/// <param name="Credential">
/// The credential that <c>navigator.credentials.get</c> has answered, in its JSON form.
/// </param>
/// <param name="Cookie">For browsers: the session is kept in a cookie.</param>
public sealed record PasskeyLogin(string State, JsonElement Credential, bool? Cookie = null);

/// <summary>Passkeys: registered by sessions, and a way in by themselves.</summary>
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
            .WithSummary("Start passkey registration")
            .WithDescription("Returns the options for `navigator.credentials.create`.")
            .Answers<Envelope<CeremonyDocument>>(200);
        mine.MapPost("", FinishRegistrationAsync)
            .RequireSession(recent: true)
            .WithName("addPasskey")
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
            .WithSummary("Remove a passkey")
            .Produces(204)
            .Refuses(404);
        var auth = api.MapGroup("/auth").WithTags("auth").CarriesSecrets();
        auth.MapPost("/passkey/options", BeginUseAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Login)
            .WithName("beginPasskeyLogin")
            .WithSummary("Start passkey sign-in")
            .WithDescription("Returns the options for `navigator.credentials.get`.")
            .Answers<Envelope<CeremonyDocument>>(200);
        auth.MapPost("/passkey", FinishUseAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Login)
            .WithName("passkeyLogin")
            .WithSummary("Sign in with a passkey")
            .WithDescription("If the caller already has a session, re-authenticates that session instead.")
            .TakesBody<PasskeyLogin>(
                """{"state":"5bX0c1mYyKQn7mR0q9mXn3yq7rQ2v8Jw1uZk4dTfGhI","credential":{"id":"…","type":"public-key","rawId":"…","response":{}}}"""
            )
            .Answers<Envelope<TokenDocument>>(200)
            .OrAnswers<Envelope<CookieDocument>>()
            .Refuses(401, 403, 413, 415);
    }

    static async Task ListAsync(HttpContext context, IClusterClient cluster)
    {
        var passkeys = await ClusterCalls.SendAsync(_ =>
            cluster.GetGrain<IAccountGrain>(context.Caller().Account).GetPasskeys()
        );
        await Responses.OkAsync<IReadOnlyList<PasskeyDocument>>(
            context,
            [.. passkeys.Select(Document)],
            SignInJson.Default.EnvelopeIReadOnlyListPasskeyDocument
        );
    }

    static async Task BeginRegistrationAsync(HttpContext context, Passkeys passkeys, Accounts accounts)
    {
        var email = (await ClusterCalls.SendAsync(_ => accounts.Grain(context.Caller().Account).GetSecrets()))!.Email;
        await Responses.OkAsync(
            context,
            await passkeys.BeginRegistrationAsync(context, email),
            SignInJson.Default.EnvelopeCeremonyDocument
        );
    }

    static Task FinishRegistrationAsync(HttpContext context, Passkeys passkeys, IClusterClient cluster) =>
        RequestBody.TakeAsync(context, ReadRegistration, async asked =>
        {
            if (
                await passkeys.FinishRegistrationAsync(context, asked.State, asked.Credential, asked.Name)
                is not var (credential, count)
            )
            {
                await RefuseAsync(context);
                return;
            }
            var grain = cluster.GetGrain<IAccountGrain>(context.Caller().Account);
            var intent = context.Intend();
            var added = await ClusterCalls.SendAsync(intent, sent =>
                grain.Execute(new AddPasskey(credential, count), sent)
            );
            if (added.Rejection is { } rejection)
                await Problems.RefuseAsync(context, rejection);
            else
                await Responses.OkAsync(
                    context,
                    Document(new(added.Value!.Factors.Passkeys[^1], credential)),
                    SignInJson.Default.EnvelopePasskeyDocument,
                    status: 201
                );
        });

    static async Task RemoveAsync(HttpContext context, string id, IClusterClient cluster)
    {
        if (!Ids.TryParse(id, out var passkey))
        {
            await Problems.WriteAsync(context, ProblemType.PasskeyNotFound, "There is no such passkey.");
            return;
        }
        var intent = context.Intend();
        await MfaEndpoints.AnswerAsync(
            context,
            await ClusterCalls.SendAsync(intent, sent =>
                cluster.GetGrain<IAccountGrain>(context.Caller().Account).Execute(new RemovePasskey(passkey), sent)
            )
        );
    }

    static async Task BeginUseAsync(HttpContext context, Passkeys passkeys) =>
        await Responses.OkAsync(
            context,
            await passkeys.BeginUseAsync(context),
            SignInJson.Default.EnvelopeCeremonyDocument
        );

    static Task FinishUseAsync(
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
            {
                await Problems.WriteAsync(
                    context,
                    ProblemType.CsrfRejected,
                    "Pages of this origin may not begin sessions here."
                );
                return;
            }
            if (await passkeys.FinishUseAsync(context, asked.State, asked.Credential) is not var (id, passkey, count))
            {
                if (
                    IdOf(asked.Credential) is { } credential
                    && await directory.FindPasskeyAsync(credential) is { } owner
                )
                    await accounts.Grain(owner).Execute(new NoteFailedLogin("passkey"), context.Intend(owner));
                await RefuseAsync(context);
                return;
            }
            var intent = context.Intend(id);
            var used = await ClusterCalls.SendAsync(intent, sent =>
                cluster.GetGrain<IAccountGrain>(id).Execute(new UsePasskey(passkey, count), sent)
            );
            var caller = Caller.Of(context.User);
            if (used.Rejection is not null || caller is not null && caller.Account != id)
                await RefuseAsync(context);
            else if (used.Value is not { IsActive: true, EmailVerified: true } account)
                await Problems.WriteAsync(
                    context,
                    ProblemType.AccountInactive,
                    "The account is disabled, or its e-mail address is not verified yet."
                );
            else if (caller is { Kind: CredentialKind.Token or CredentialKind.Cookie })
                await signIn.StepUpAsync(context, ["hwk"]);
            else
                await signIn.BeginAsync(context, id, account, used.Version, ["hwk"], asked.ByCookie);
        });

    static Task RefuseAsync(HttpContext context) =>
        Problems.WriteAsync(
            context,
            ProblemType.PasskeyRefused,
            "The passkey's answer is not good, or not to what was asked."
        );

    /// <summary>The id of a credential as its JSON form has it.</summary>
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
