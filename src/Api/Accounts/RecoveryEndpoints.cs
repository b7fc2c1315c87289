using System.Text.Json;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A registration.</summary>
public sealed record RegisterRequest(string Email, string Password);

/// <summary>An e-mail address.</summary>
public sealed record EmailRequest(string Email);

/// <summary>A token from a mailed link, and the password of the registration.</summary>
public sealed record VerifyRequest(string Token, string Password);

/// <summary>A token from a mailed link, and a new password.</summary>
public sealed record SetPasswordRequest(string Token, string NewPassword);

/// <summary>
/// Registration, address verification and password reset. Answers do not reveal whether an address has an account.
/// </summary>
public static class RecoveryEndpoints
{
    const int MaxTokenLength = 256;

    public static void MapRecovery(this RouteGroupBuilder api)
    {
        var auth = api.MapGroup("/auth").WithTags("auth").CarriesSecrets();
        auth.MapPost("/register", RegisterAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Reset)
            .WithName("register")
            .Audits("account.registered")
            .WithSummary("Register an account")
            .WithDescription("Sends a mail with the next step. Registration must be open.")
            .TakesBody<RegisterRequest>("""{"email":"user@example.org","password":"a few words that say nothing"}""")
            .Produces(202)
            .Refuses(403, 413, 415);
        auth.MapPost("/verify-email", VerifyAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Reset)
            .WithName("verifyEmail")
            .Audits("account.email_verified")
            .WithSummary("Verify an e-mail address")
            .WithDescription("Takes the token from the mail and the password given at registration.")
            .TakesBody<VerifyRequest>("""{"token":"ArkRogF3…","password":"a few words that say nothing"}""")
            .Produces(204)
            .Refuses(401, 413, 415);
        auth.MapPost("/forgot-password", ForgotAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Reset)
            .WithName("forgotPassword")
            .AuditsNothing()
            .WithSummary("Send a password-reset mail")
            .TakesBody<EmailRequest>("""{"email":"user@example.org"}""")
            .Produces(202)
            .Refuses(403, 413, 415);
        auth.MapPost("/set-password", SetAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Reset)
            .WithName("setPassword")
            .Audits("account.password_changed")
            .WithSummary("Set a password with a mailed token")
            .WithDescription("Ends all sessions of the account.")
            .TakesBody<SetPasswordRequest>("""{"token":"ArkRogF3…","newPassword":"a few words that say nothing"}""")
            .Produces(204)
            .Refuses(413, 415);
    }

    static Task<Answer> RegisterAsync(
        HttpContext context,
        AccountOptions options,
        Accounts accounts,
        Passwords passwords,
        Mailer mailer,
        MailTemplates templates,
        RateLimits limits
    ) => RequestBody.TakeAsync(context, ReadRegistration, async asked =>
        {
            if (options.Registration is not Registration.Open)
                return Answer.Refused(
                    ProblemType.RegistrationClosed,
                    "Only administrators can create accounts on this server."
                );
            var address = AccountDirectory.Normalize(asked.Email);
            if (await limits.RefusalAsync(context, RateLimits.Reset, address) is { } refusal)
                return refusal;
            var hash = await passwords.HashAsync(asked.Password, HashCaller.Of(context, isKnown: false));
            var intent = context.Intend(Guid.Empty) with { Actor = "guest" };
            return Accept(mailer, async () =>
            {
                var (id, reply) = await accounts.RegisterAsync(
                    new(asked.Email, hash, options.FirstRoles, EmailVerified: false),
                    intent
                );
                if (
                    reply.Rejection is not null
                    && await accounts.FindAsync(asked.Email) is { Account.EmailVerified: false } waiting
                )
                {
                    if (waiting.Account.Password is null)
                        return templates.Invite(waiting);
                    // The owner may have lost the first mail, or somebody else may have registered first. Nothing is
                    // proved yet, so the latest registration wins.
                    reply = await accounts
                        .Grain(id)
                        .Execute(
                            new ChangePassword(hash, waiting.Account.Password, PasswordMeans.Registration, null),
                            intent with
                            {
                                CommandId = Guid.CreateVersion7(),
                            }
                        );
                }
                return reply.Rejection is null
                    ? templates.VerifyEmail((await accounts.Grain(id).GetSecrets())!)
                    : MailTemplates.Exists(asked.Email);
            });
        });

    static Task<Answer> ForgotAsync(
        HttpContext context,
        Accounts accounts,
        Mailer mailer,
        MailTemplates templates,
        RateLimits limits
    ) => RequestBody.TakeAsync(context, "email", AccountDirectory.MaxEmailLength, async email =>
        {
            if (!mailer.IsAvailable)
                return Answer.Refused(
                    ProblemType.MailUnavailable,
                    "This server cannot send mail; ask an administrator."
                );
            return await limits.RefusalAsync(context, RateLimits.Reset, AccountDirectory.Normalize(email))
                ?? Accept(mailer, async () =>
                    await accounts.FindAsync(email) is { Account.IsActive: true } found
                        ? templates.SetPassword(found)
                        : null
                );
        });

    /// <summary>
    /// Also requires the password: somebody else may have registered the address of whoever follows the link, with a
    /// password that they know.
    /// </summary>
    static Task<Answer> VerifyAsync(HttpContext context, Accounts accounts, PasswordGuard guard, LinkTokens tokens) =>
        RequestBody.TakeAsync(context, ReadVerification, async asked =>
        {
            if (tokens.Read(LinkPurpose.VerifyEmail, asked.Token) is not var (account, email))
                return Spent;
            if (await ClusterCalls.ReadAsync(() => accounts.Grain(account).GetSecrets()) is not { } found)
                return Spent;
            var (owner, refusal) = await guard.CheckAsync(context, found, asked.Password);
            if (owner is null)
                return refusal
                    ?? Answer.Refused(
                        ProblemType.InvalidCredentials,
                        "The password is not that of the latest registration. Register again, or reset the password."
                    );
            return await ExecuteAsync(context, accounts, account, new VerifyEmail(email, found.Account.Password));
        });

    static Task<Answer> SetAsync(HttpContext context, Accounts accounts, Passwords passwords, LinkTokens tokens) =>
        RequestBody.TakeAsync(context, ReadPassword, async asked =>
        {
            if (tokens.Read(LinkPurpose.SetPassword, asked.Token) is not var (account, replaces))
                return Spent;
            var found = await ClusterCalls.ReadAsync(() => accounts.Grain(account).GetSecrets());
            if (found is null || (found.Account.Password ?? Guid.Empty) != replaces)
                return Spent;
            var faults = new List<Fault>();
            PasswordRules.Check(asked.NewPassword, found.Email, "/newPassword", faults);
            if (faults is not [])
                return Answer.Invalid(faults);
            var hash = await passwords.HashAsync(asked.NewPassword, HashCaller.Of(context, isKnown: true));
            return await ExecuteAsync(
                context,
                accounts,
                account,
                new ChangePassword(hash, found.Account.Password, PasswordMeans.Reset, null)
            );
        });

    static Answer Spent =>
        Answer.Refused(ProblemType.TokenSpent, "The token is invalid or expired. Request another mail.");

    /// <summary>Queues work that ends in a mail; the answer does not wait for it.</summary>
    static Answer Accept(Mailer mailer, Func<Task<Letter?>> write) =>
        mailer.Enqueue(write)
            ? Answer.Empty(StatusCodes.Status202Accepted)
            : Answer.Refused(ProblemType.Overloaded, "Too many mails are waiting to be sent.");

    /// <summary>Applies what a token allows. Each rejection means that the token is spent.</summary>
    static async Task<Answer> ExecuteAsync(HttpContext context, Accounts accounts, Guid id, AccountCommand command)
    {
        var intent = context.Intend(id);
        var reply = await ClusterCalls.SendAsync(intent, sent => accounts.Grain(id).Execute(command, sent));
        return reply.Rejection is null ? Answer.Empty() : Spent;
    }

    static RegisterRequest ReadRegistration(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new RegisterRequest(
            reader.Text("email", 3, AccountDirectory.MaxEmailLength)!,
            reader.Text("password", Passwords.MinLength, Passwords.MaxLength)!
        );
        reader.RefuseOthers();
        AccountEndpoints.CheckEmail(asked.Email, faults);
        PasswordRules.Check(asked.Password, asked.Email, "/password", faults);
        return asked;
    }

    static VerifyRequest ReadVerification(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new VerifyRequest(
            reader.Text("token", 1, MaxTokenLength)!,
            reader.Text("password", 1, Passwords.MaxLength)!
        );
        reader.RefuseOthers();
        return asked;
    }

    static SetPasswordRequest ReadPassword(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new SetPasswordRequest(
            reader.Text("token", 1, MaxTokenLength)!,
            reader.Text("newPassword", Passwords.MinLength, Passwords.MaxLength)!
        );
        reader.RefuseOthers();
        return asked;
    }
}
