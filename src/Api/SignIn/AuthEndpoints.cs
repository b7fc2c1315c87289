using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Credentials for a login.</summary>
/// <param name="Cookie">For browsers: sets a session cookie instead of returning tokens.</param>
public sealed record LoginRequest(
    string Email,
    [property: StringLength(Passwords.MaxLength, MinimumLength = 1)] string Password,
    bool? Cookie = null
);

/// <summary>A refresh token.</summary>
public sealed record RefreshRequest(string RefreshToken);

/// <summary>A change of the caller's password.</summary>
public sealed record PasswordRequest(string CurrentPassword, string NewPassword);

/// <summary>Login, refresh, logout and password change.</summary>
public static class AuthEndpoints
{
    const int MaxTokenLength = 512;

    public static void MapAuth(this RouteGroupBuilder api)
    {
        var auth = api.MapGroup("/auth").WithTags("auth").CarriesSecrets();
        auth.MapPost("/login", LoginAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Login)
            .WithName("login")
            .Audits("session.started", "account.login_failed")
            .Carries(AnswerHeaders.SetCookie)
            .WithSummary("Sign in with e-mail and password")
            .WithDescription(
                "If the account has a second factor, returns an `mfaToken` for `POST /api/v1/auth/mfa` instead of tokens. "
                    + "With `cookie: true`, sets a session cookie instead of returning tokens."
            )
            .TakesBody<LoginRequest>("""{"email":"admin@example.org","password":"the password that was printed"}""")
            .Answers<Envelope<TokenDocument>>(200)
            .OrAnswers<Envelope<CookieDocument>>()
            .OrAnswers<Envelope<MfaDocument>>()
            .Refuses(401, 403, 413, 415);
        auth.MapPost("/refresh", RefreshAsync)
            .AllowAnonymous()
            .WithName("refresh")
            .Audits("session.refreshed")
            .WithSummary("Refresh tokens")
            .WithDescription(
                "Exchanges a refresh token for a new pair of tokens. A refresh token is single-use; reusing it ends the session."
            )
            .TakesBody<RefreshRequest>(
                """{"refreshToken":"rrt_uhGiAVH6f4W1ZNPQe71yIgAAAAGMw10GAbzoy1-3tp8ZC000WKCpdZdzf69xBMmK2sLMDg"}"""
            )
            .Answers<Envelope<TokenDocument>>(200)
            .Refuses(401, 413, 415);
        auth.MapPost("/revoke", RevokeAsync)
            .AllowAnonymous()
            .WithName("revoke")
            .Audits("session.ended")
            .WithSummary("Revoke a refresh token")
            .WithDescription(
                "Ends the session of a refresh token, used or not. The answer does not tell whether there was one."
            )
            .TakesBody<RefreshRequest>(
                """{"refreshToken":"rrt_uhGiAVH6f4W1ZNPQe71yIgAAAAGMw10GAbzoy1-3tp8ZC000WKCpdZdzf69xBMmK2sLMDg"}"""
            )
            .Produces(204)
            .Refuses(413, 415);
        auth.MapPost("/logout", LogoutAsync)
            .RequireSession()
            .WithName("logout")
            .Audits("session.ended")
            .Carries(AnswerHeaders.SetCookie, AnswerHeaders.ClearSiteData)
            .WithSummary("Sign out")
            .WithDescription("Ends the session.")
            .Produces(204);
        auth.MapPost("/password", ChangeAsync)
            .RequireSession()
            .LimitBy(RateLimits.Login)
            .WithName("changePassword")
            .Carries(AnswerHeaders.SetCookie)
            .Audits("account.password_changed")
            .WithSummary("Change your password")
            .WithDescription("Ends all your other sessions.")
            .TakesBody<PasswordRequest>(
                """{"currentPassword":"at least fifteen characters","newPassword":"another of enough length"}"""
            )
            .Produces(204)
            .Refuses(413, 415);
    }

    static Task<Answer> LoginAsync(
        HttpContext context,
        PasswordGuard guard,
        SignIn signIn,
        SessionCookie cookies,
        Tickets tickets
    ) => RequestBody.TakeAsync(context, ReadLogin, async asked =>
        {
            var byCookie = asked.Cookie is true;
            if (byCookie && !cookies.IsOurs(context.Request))
                return SessionCookie.ForeignLogin;
            var (found, refusal) = await guard.CheckLoginAsync(context, asked.Email, asked.Password);
            if (found is null)
                return refusal
                    ?? Answer.Refused(ProblemType.InvalidCredentials, "The e-mail address or the password is wrong.");
            if (!SignInPolicy.Admits(found.Account))
                return SignIn.Inactive;
            return found.Account.Factors.AreAsked
                ? await MfaEndpoints.AskAsync(tickets, found, byCookie)
                : await signIn.BeginAsync(context, found.Id, found.Account, found.Version, ["pwd"], byCookie);
        });

    static Task<Answer> RefreshAsync(HttpContext context, SignIn signIn) =>
        RequestBody.TakeAsync(context, "refreshToken", MaxTokenLength, token => signIn.RefreshAsync(context, token));

    static Task<Answer> RevokeAsync(HttpContext context, SignIn signIn) =>
        RequestBody.TakeAsync(context, "refreshToken", MaxTokenLength, async token =>
        {
            await signIn.RevokeAsync(context, token);
            return Answer.Empty();
        });

    static async Task<Answer> LogoutAsync(HttpContext context, IClusterClient cluster)
    {
        var caller = context.Caller();
        var intent = context.Intend();
        await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<ISessionGrain>(caller.Credential!.Value).Execute(new EndSession("logout"), sent)
        );
        if (caller.Kind is CredentialKind.Cookie)
            SessionCookie.Clear(context.Response);
        return Answer.Empty();
    }

    static Task<Answer> ChangeAsync(
        HttpContext context,
        Accounts accounts,
        PasswordGuard guard,
        Passwords passwords,
        DeviceCookie devices
    ) => RequestBody.TakeAsync(context, ReadPasswords, async asked =>
        {
            var caller = context.Caller();
            if (await ClusterCalls.ReadAsync(() => accounts.Grain(caller.Account).GetSecrets()) is not { } found)
                return WrongCurrent;
            var (owner, refusal) = await guard.CheckAsync(context, found, asked.CurrentPassword);
            if (owner is null)
                return refusal ?? WrongCurrent;
            var faults = new List<Fault>();
            PasswordRules.Check(asked.NewPassword, found.Email, "/newPassword", faults);
            if (faults is not [])
                return Answer.Invalid(faults);
            var hash = await passwords.HashAsync(asked.NewPassword, HashCaller.Of(context, isKnown: true));
            var change = new ChangePassword(hash, found.Account.Password, PasswordMeans.Change, caller.Credential);
            var intent = context.Intend();
            var changed = await ClusterCalls.SendAsync(intent, sent =>
                accounts.Grain(caller.Account).Execute(change, sent)
            );
            if (changed.Rejection is { } rejection)
                return rejection;
            devices.Set(context, caller.Account, changed.Value!);
            return Answer.Empty();
        });

    static Answer WrongCurrent => Answer.Refused(ProblemType.Forbidden, "The current password is wrong.");

    static LoginRequest ReadLogin(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new LoginRequest(
            reader.Text("email", 1, AccountDirectory.MaxEmailLength)!,
            reader.Text("password", 1, Passwords.MaxLength)!,
            reader.Flag("cookie", optional: true)
        );
        reader.RefuseOthers();
        return asked;
    }

    static PasswordRequest ReadPasswords(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new PasswordRequest(
            reader.Text("currentPassword", 1, Passwords.MaxLength)!,
            reader.Text("newPassword", Passwords.MinLength, Passwords.MaxLength)!
        );
        reader.RefuseOthers();
        return asked;
    }
}
