using System.Text.Json;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What registering takes.</summary>
public sealed record RegisterRequest(string Email, string Password);

/// <summary>An e-mail address.</summary>
public sealed record EmailRequest(string Email);

/// <summary>A token from a link in a mail, and the password that was registered.</summary>
public sealed record VerifyRequest(string Token, string Password);

/// <summary>A token from a link in a mail, and a new password.</summary>
public sealed record SetPasswordRequest(string Token, string NewPassword);

/// <summary>
/// Registering, and what is proved by reading one's mail. Answers tell nothing of whether an address has an account.
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
            .WithSummary("Register an account")
            .WithDescription("Sends a mail with the next step. Registration must be open.")
            .TakesBody<RegisterRequest>("""{"email":"user@example.org","password":"a few words that say nothing"}""")
            .Produces(202)
            .Refuses(403, 413, 415);
        auth.MapPost("/verify-email", VerifyAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Reset)
            .WithName("verifyEmail")
            .WithSummary("Verify an e-mail address")
            .WithDescription("Takes the token from the mail and the password given at registration.")
            .TakesBody<VerifyRequest>("""{"token":"ArkRogF3…","password":"a few words that say nothing"}""")
            .Produces(204)
            .Refuses(401, 413, 415);
        auth.MapPost("/forgot-password", ForgotAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Reset)
            .WithName("forgotPassword")
            .WithSummary("Send a password-reset mail")
            .TakesBody<EmailRequest>("""{"email":"user@example.org"}""")
            .Produces(202)
            .Refuses(403, 413, 415);
        auth.MapPost("/set-password", SetAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Reset)
            .WithName("setPassword")
            .WithSummary("Set a password with a mailed token")
            .WithDescription("Ends all sessions of the account.")
            .TakesBody<SetPasswordRequest>("""{"token":"ArkRogF3…","newPassword":"a few words that say nothing"}""")
            .Produces(204)
            .Refuses(413, 415);
    }

    static Task RegisterAsync(
        HttpContext context,
        AccountOptions options,
        Accounts accounts,
        Passwords passwords,
        Mailer mailer,
        MailTemplates letters,
        RateLimits limits
    ) => RequestBody.TakeAsync(context, ReadRegistration, async asked =>
        {
            if (options.Registration is not Registration.Open)
            {
                await Problems.WriteAsync(
                    context,
                    ProblemType.RegistrationClosed,
                    "Accounts are made by administrators here."
                );
                return;
            }
            if (!await limits.TryAsync(context, RateLimits.Reset, AccountDirectory.Normalize(asked.Email)))
                return;
            var hash = await passwords.HashAsync(asked.Password);
            var intent = context.Intend(Guid.Empty) with { Actor = "guest" };
            await AcceptAsync(context, mailer, async () =>
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
                        return letters.Invite(waiting);
                    // The owner may have lost the first mail, or somebody else was the first to register: nothing is
                    // proved yet, so the last one counts.
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
                    ? letters.VerifyEmail((await accounts.Grain(id).GetSecrets())!)
                    : MailTemplates.Exists(asked.Email);
            });
        });

    static Task ForgotAsync(
        HttpContext context,
        Accounts accounts,
        Mailer mailer,
        MailTemplates letters,
        RateLimits limits
    ) => RequestBody.TakeAsync(context, "email", AuthEndpoints.MaxEmailLength, async email =>
        {
            if (!mailer.IsAvailable)
            {
                await Problems.WriteAsync(
                    context,
                    ProblemType.MailUnavailable,
                    "No mail is sent from here; ask an administrator."
                );
                return;
            }
            if (!await limits.TryAsync(context, RateLimits.Reset, AccountDirectory.Normalize(email)))
                return;
            await AcceptAsync(context, mailer, async () =>
                await accounts.FindAsync(email) is { Account.IsActive: true } found ? letters.SetPassword(found) : null
            );
        });

    /// <summary>
    /// The password has to be told, too: somebody else may have registered the address of whoever follows the link,
    /// with a password that they know.
    /// </summary>
    static Task VerifyAsync(HttpContext context, Accounts accounts, Passwords passwords, LinkTokens tokens) =>
        RequestBody.TakeAsync(context, ReadVerification, async asked =>
        {
            if (tokens.Read(LinkPurpose.VerifyEmail, asked.Token) is not var (account, email))
            {
                await RefuseAsync(context);
                return;
            }
            var found = await ClusterCalls.SendAsync(_ => accounts.Grain(account).GetSecrets());
            if (found is null)
            {
                await RefuseAsync(context);
                return;
            }
            if (await passwords.VerifyAsync(found.PasswordHash, asked.Password) is PasswordCheck.Wrong)
            {
                await Problems.WriteAsync(
                    context,
                    ProblemType.InvalidCredentials,
                    "This is not the password that was registered last. Register again, or have it reset."
                );
                return;
            }
            var intent = context.Intend(account);
            await AnswerAsync(
                context,
                await ClusterCalls.SendAsync(intent, sent =>
                    accounts.Grain(account).Execute(new VerifyEmail(email, found.Account.Password), sent)
                )
            );
        });

    static Task SetAsync(HttpContext context, Accounts accounts, Passwords passwords, LinkTokens tokens) =>
        RequestBody.TakeAsync(context, ReadPassword, async asked =>
        {
            if (tokens.Read(LinkPurpose.SetPassword, asked.Token) is not var (account, replaces))
            {
                await RefuseAsync(context);
                return;
            }
            var found = await ClusterCalls.SendAsync(_ => accounts.Grain(account).GetSecrets());
            if (found is null || (found.Account.Password ?? Guid.Empty) != replaces)
            {
                await RefuseAsync(context);
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
            var intent = context.Intend(account);
            await AnswerAsync(
                context,
                await ClusterCalls.SendAsync(intent, sent =>
                    accounts
                        .Grain(account)
                        .Execute(new ChangePassword(hash, found.Account.Password, PasswordMeans.Reset, null), sent)
                )
            );
        });

    /// <summary>Has something done that ends in a mail, and answers that it will be.</summary>
    internal static async Task AcceptAsync(HttpContext context, Mailer mailer, Func<Task<Letter?>> write)
    {
        if (mailer.Enqueue(write))
            context.Response.StatusCode = 202;
        else
            await Problems.WriteAsync(context, ProblemType.Overloaded, "Too many mails wait to be sent.");
    }

    static Task AnswerAsync(HttpContext context, Reply<Account> reply)
    {
        if (reply.Rejection is not null)
            return RefuseAsync(context);
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    static Task RefuseAsync(HttpContext context) =>
        Problems.WriteAsync(
            context,
            ProblemType.TokenSpent,
            "The token is not good, or not any more. Ask for another mail."
        );

    static RegisterRequest ReadRegistration(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new RegisterRequest(
            reader.Text("email", 3, AuthEndpoints.MaxEmailLength)!,
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
