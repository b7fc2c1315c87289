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
            .WithSummary("Refresh tokens")
            .WithDescription(
                "Exchanges a refresh token for a new pair of tokens. A refresh token is single-use; reusing it ends the session."
            )
            .TakesBody<RefreshRequest>(
                """{"refreshToken":"rrt_uhGiAVH6f4W1ZNPQe71yIgAAAAGMw10GAbzoy1-3tp8ZC000WKCpdZdzf69xBMmK2sLMDg"}"""
            )
            .Answers<Envelope<TokenDocument>>(200)
            .Refuses(401, 413, 415);
        auth.MapPost("/logout", LogoutAsync)
            .RequireSession()
            .WithName("logout")
            .Carries(AnswerHeaders.SetCookie, AnswerHeaders.ClearSiteData)
            .WithSummary("Sign out")
            .WithDescription("Ends the session.")
            .Produces(204);
        auth.MapPost("/password", ChangeAsync)
            .RequireSession()
            .LimitBy(RateLimits.Login)
            .WithName("changePassword")
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
        Accounts accounts,
        Passwords passwords,
        SignIn signIn,
        SessionCookie cookies,
        RateLimits limits,
        Tickets tickets,
        ILogger<Accounts> logger
    ) => RequestBody.TakeAsync(context, ReadLogin, async asked =>
        {
            var byCookie = asked.Cookie is true;
            if (byCookie && !cookies.IsOurs(context.Request))
                return SessionCookie.ForeignLogin;
            passwords.ThrowIfBusy();
            // Rate-limit by the address as given, so that answers do not reveal whether it exists.
            var address = AccountDirectory.Normalize(asked.Email);
            if (await limits.RefusalAsync(context, RateLimits.LoginAccount, address) is { } refusal)
                return refusal;
            var found = await accounts.FindAsync(asked.Email);
            var check = await passwords.VerifyAsync(found?.PasswordHash, asked.Password);
            if (found is null || check is PasswordCheck.Wrong)
            {
                // Not awaited: the time it takes would reveal that the account exists.
                if (found is not null)
                    _ = RecordFailureAsync(accounts.Grain(found.Id), context.Intend(found.Id), logger);
                return Answer.Refused(ProblemType.InvalidCredentials, "The e-mail address or the password is wrong.");
            }
            limits.Refund(RateLimits.LoginAccount, address);
            if (check is PasswordCheck.RightButOld)
                await accounts
                    .Grain(found.Id)
                    .Execute(
                        new ChangePassword(
                            await passwords.HashAsync(asked.Password),
                            found.Account.Password,
                            PasswordMeans.Rehash,
                            null
                        ),
                        context.Intend(found.Id)
                    );
            if (!SignInPolicy.Admits(found.Account))
                return SignIn.Inactive;
            return found.Account.Factors.AreAsked
                ? await MfaEndpoints.AskAsync(tickets, found, byCookie)
                : await signIn.BeginAsync(context, found.Id, found.Account, found.Version, ["pwd"], byCookie);
        });

    static async Task RecordFailureAsync(IAccountGrain account, Intent intent, ILogger logger)
    {
        try
        {
            await account.Execute(new NoteFailedLogin("password"), intent);
        }
        catch (Exception e)
        {
            logger.LogWarning("A failed login was not recorded: {Reason}", e.Message);
        }
    }

    static Task<Answer> RefreshAsync(HttpContext context, SignIn signIn) =>
        RequestBody.TakeAsync(context, "refreshToken", MaxTokenLength, token => signIn.RefreshAsync(context, token));

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

    static Task<Answer> ChangeAsync(HttpContext context, Accounts accounts, Passwords passwords) =>
        RequestBody.TakeAsync(context, ReadPasswords, async asked =>
        {
            var caller = context.Caller();
            var found = await accounts.Grain(caller.Account).GetSecrets();
            if (
                found is null
                || await passwords.VerifyAsync(found.PasswordHash, asked.CurrentPassword) is PasswordCheck.Wrong
            )
                return Answer.Refused(ProblemType.Forbidden, "The current password is wrong.");
            var faults = new List<Fault>();
            PasswordRules.Check(asked.NewPassword, found.Email, "/newPassword", faults);
            if (faults is not [])
                return Answer.Invalid(faults);
            var hash = await passwords.HashAsync(asked.NewPassword);
            var change = new ChangePassword(hash, found.Account.Password, PasswordMeans.Change, caller.Credential);
            var intent = context.Intend();
            var changed = await ClusterCalls.SendAsync(intent, sent =>
                accounts.Grain(caller.Account).Execute(change, sent)
            );
            return changed.Rejection is { } rejection ? rejection : Answer.Empty();
        });

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
