using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What login takes.</summary>
/// <param name="Cookie">For browsers: the session is kept in a cookie, and the answer has no tokens.</param>
public sealed record LoginRequest(
    string Email,
    [property: StringLength(Passwords.MaxLength, MinimumLength = 1)] string Password,
    bool? Cookie = null
);

/// <summary>What a refresh takes.</summary>
public sealed record RefreshRequest(string RefreshToken);

/// <summary>What changing one's password takes.</summary>
public sealed record PasswordRequest(string CurrentPassword, string NewPassword);

/// <summary>The ways in and out.</summary>
public static class AuthEndpoints
{
    internal const int MaxEmailLength = 254;
    const int MaxTokenLength = 512;

    public static void MapAuth(this RouteGroupBuilder api)
    {
        var auth = api.MapGroup("/auth").WithTags("auth").CarriesSecrets();
        auth.MapPost("/login", LoginAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Login)
            .WithName("login")
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

    static Task LoginAsync(
        HttpContext context,
        Accounts accounts,
        Passwords passwords,
        SignIn signIn,
        SessionCookie cookies,
        RateLimits limits,
        Tickets tickets,
        ILogger<Accounts> log
    ) => RequestBody.TakeAsync(context, ReadLogin, async asked =>
        {
            // A page of another site may not log its visitor in, as whomever it likes.
            if (asked.Cookie is true && !cookies.IsOurs(context.Request))
            {
                await Problems.WriteAsync(
                    context,
                    ProblemType.CsrfRejected,
                    "Pages of this origin may not begin sessions here."
                );
                return;
            }
            passwords.ThrowIfBusy();
            // By what was asked for, known or not: an answer tells nothing of either.
            var tried = AccountDirectory.Normalize(asked.Email);
            if (!await limits.TryAsync(context, RateLimits.LoginAccount, tried))
                return;
            var found = await accounts.FindAsync(asked.Email);
            var check = await passwords.VerifyAsync(found?.PasswordHash, asked.Password);
            if (check is PasswordCheck.Wrong)
            {
                // Not waited for: the time it takes would tell that there is an account.
                if (found is not null)
                    _ = NoteAsync(accounts.Grain(found.Id), context.Intend(found.Id), log);
                await Problems.WriteAsync(context, ProblemType.InvalidCredentials, "E-mail or password is wrong.");
            }
            else
            {
                limits.Refund(RateLimits.LoginAccount, tried);
                if (check is PasswordCheck.RightButOld)
                    await accounts
                        .Grain(found!.Id)
                        .Execute(
                            new ChangePassword(
                                await passwords.HashAsync(asked.Password),
                                found.Account.Password,
                                PasswordMeans.Rehash,
                                null
                            ),
                            context.Intend(found.Id)
                        );
                if (found is not { Account: { IsActive: true, EmailVerified: true } account })
                    await Problems.WriteAsync(
                        context,
                        ProblemType.AccountInactive,
                        "The account is disabled, or its e-mail address is not verified yet."
                    );
                else if (account.Factors.AreAsked)
                    await MfaEndpoints.AskAsync(context, tickets, found, asked.Cookie is true);
                else
                    await signIn.BeginAsync(context, found.Id, account, found.Version, ["pwd"], asked.Cookie is true);
            }
        });

    static async Task NoteAsync(IAccountGrain account, Intent intent, ILogger log)
    {
        try
        {
            await account.Execute(new NoteFailedLogin("password"), intent);
        }
        catch (Exception e)
        {
            log.LogWarning("A failed login was not noted: {Reason}", e.Message);
        }
    }

    static Task RefreshAsync(HttpContext context, SignIn signIn) =>
        RequestBody.TakeAsync(context, "refreshToken", MaxTokenLength, token => signIn.RefreshAsync(context, token));

    static async Task LogoutAsync(HttpContext context, IClusterClient cluster)
    {
        var caller = context.Caller();
        var intent = context.Intend();
        await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<ISessionGrain>(caller.Credential!.Value).Execute(new EndSession("logout"), sent)
        );
        if (caller.Kind is CredentialKind.Cookie)
            SessionCookie.Clear(context.Response);
        context.Response.StatusCode = 204;
    }

    static Task ChangeAsync(HttpContext context, Accounts accounts, Passwords passwords) =>
        RequestBody.TakeAsync(context, ReadPasswords, async asked =>
        {
            var caller = context.Caller();
            var found = await accounts.Grain(caller.Account).GetSecrets();
            if (
                found is null
                || await passwords.VerifyAsync(found.PasswordHash, asked.CurrentPassword) is PasswordCheck.Wrong
            )
            {
                await Problems.WriteAsync(context, ProblemType.Forbidden, "The current password is wrong.");
                return;
            }
            var faults = new List<Fault>();
            PasswordRules.Check(asked.NewPassword, found.Email, "/newPassword", faults);
            if (faults is not [])
            {
                await Problems.InvalidAsync(context, faults);
                return;
            }
            var hash = await passwords.HashAsync(asked.NewPassword);
            var intent = context.Intend();
            var changed = await ClusterCalls.SendAsync(intent, sent =>
                accounts
                    .Grain(caller.Account)
                    .Execute(
                        new ChangePassword(hash, found.Account.Password, PasswordMeans.Change, caller.Credential),
                        sent
                    )
            );
            if (changed.Rejection is { } rejection)
                await Problems.RefuseAsync(context, rejection);
            else
                context.Response.StatusCode = 204;
        });

    static LoginRequest ReadLogin(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new LoginRequest(
            reader.Text("email", 1, MaxEmailLength)!,
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
