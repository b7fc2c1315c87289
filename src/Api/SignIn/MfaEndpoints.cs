using System.Security.Cryptography;
using System.Text.Json;
using OtpNet;
using QRCoder;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The answer of a login that is half done.</summary>
/// <param name="MfaToken">For <c>POST /auth/mfa</c>, within five minutes.</param>
/// <param name="Methods">
/// What may be shown: <c>totp</c>, <c>recovery_code</c>; <c>passkey</c> by logging in with it.
/// </param>
public sealed record MfaDocument(bool MfaRequired, string MfaToken, string[] Methods);

/// <summary>A second factor.</summary>
/// <param name="Method"><c>totp</c> or <c>recovery_code</c>.</param>
public sealed record MfaRequest(string MfaToken, string Method, string Code);

/// <summary>What proves that a session's owner is there.</summary>
/// <param name="Method">
/// <c>password</c>, for accounts without a second factor; <c>totp</c> or <c>recovery_code</c>.
/// </param>
public sealed record StepUpRequest(string Method, string Code);

/// <summary>A code of an authenticator.</summary>
public sealed record CodeRequest(string Code);

/// <summary>The factors of the caller's account.</summary>
public sealed record FactorsDocument(bool Totp, int RecoveryCodesLeft, int Passkeys);

/// <summary>A secret for one-time codes, shown once.</summary>
/// <param name="Qr">The same as an image: a data URI with an SVG.</param>
public sealed record TotpDocument(string Secret, string Uri, string Qr);

/// <summary>New recovery codes, shown once.</summary>
public sealed record RecoveryCodesDocument(string[] Codes);

/// <summary>
/// Second factors: asked for at login, set up and taken away, and asked for again before what matters.
/// </summary>
public static class MfaEndpoints
{
    const int SecretBytes = 20;

    /// <summary>Wrong codes for one login.</summary>
    const int Tries = 5;

    static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    public static void MapMfa(this RouteGroupBuilder api)
    {
        var auth = api.MapGroup("/auth").WithTags("auth").CarriesSecrets();
        auth.MapPost("/mfa", FinishLoginAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Login)
            .WithName("finishLogin")
            .WithSummary("Complete sign-in with a second factor")
            .TakesBody<MfaRequest>(
                """{"mfaToken":"5bX0c1mYyKQn7mR0q9mXn3yq7rQ2v8Jw1uZk4dTfGhI","method":"totp","code":"123456"}"""
            )
            .Answers<Envelope<TokenDocument>>(200)
            .OrAnswers<Envelope<CookieDocument>>()
            .Refuses(401, 403, 413, 415);
        auth.MapPost("/step-up", StepUpAsync)
            .RequireSession()
            .LimitBy(RateLimits.Mfa)
            .WithName("stepUp")
            .WithSummary("Re-authenticate")
            .WithDescription(
                "Some operations require recent authentication. The previous refresh token or cookie becomes invalid."
            )
            .TakesBody<StepUpRequest>("""{"method":"totp","code":"123456"}""")
            .Answers<Envelope<TokenDocument>>(200)
            .OrAnswers<Envelope<CookieDocument>>()
            .Refuses(401, 413, 415);
        var mfa = api.MapGroup("/me/mfa").WithTags("mfa").CarriesSecrets();
        mfa.MapRead("", ShowAsync)
            .RequireSession()
            .WithName("getFactors")
            .WithSummary("Get your second factors")
            .Answers<Envelope<FactorsDocument>>(200);
        mfa.MapPost("/totp", EnrollAsync)
            .RequireSession(recent: true)
            .WithName("enrollTotp")
            .WithSummary("Start TOTP enrolment")
            .WithDescription("Returns a new secret. It becomes active when you confirm it with a code.")
            .Answers<Envelope<TotpDocument>>(201)
            .Refuses(409);
        mfa.MapPost("/totp/confirm", ConfirmAsync)
            .RequireSession()
            .LimitBy(RateLimits.Mfa)
            .WithName("confirmTotp")
            .WithSummary("Confirm TOTP enrolment")
            .WithDescription("Takes a code generated from the new secret.")
            .TakesBody<CodeRequest>("""{"code":"123456"}""")
            .Produces(204)
            .Refuses(401, 409, 413, 415);
        mfa.MapDelete("/totp", RemoveAsync)
            .RequireSession(recent: true)
            .WithName("removeTotp")
            .WithSummary("Remove TOTP")
            .Produces(204);
        mfa.MapPost("/recovery-codes", IssueAsync)
            .RequireSession(recent: true)
            .WithName("issueRecoveryCodes")
            .WithSummary("Generate recovery codes")
            .WithDescription("Invalidates all earlier recovery codes.")
            .Answers<Envelope<RecoveryCodesDocument>>(201)
            .Refuses(409);
    }

    /// <summary>Answers a login whose password was right, and whose account has a second factor.</summary>
    public static async Task AskAsync(HttpContext context, Tickets tickets, AccountSecrets found, bool byCookie)
    {
        var factors = found.Account.Factors;
        string[] methods =
        [
            .. factors.TotpConfirmed ? (string[])["totp"] : [],
            .. factors.UnusedCodes is [] ? (string[])[] : ["recovery_code"],
            .. factors.Passkeys is [] ? (string[])[] : ["passkey"],
        ];
        var token = await tickets.BeginAsync(
            JsonSerializer.SerializeToUtf8Bytes(new HalfLogin(found.Id, found.Version, byCookie)),
            Life,
            Tries
        );
        context.Response.Headers.CacheControl = "no-store";
        await Responses.OkAsync(context, new MfaDocument(true, token, methods), SignInJson.Default.EnvelopeMfaDocument);
    }

    static Task FinishLoginAsync(
        HttpContext context,
        Tickets tickets,
        RateLimits limits,
        IClusterClient cluster,
        SignIn signIn,
        SessionCookie cookies
    ) => RequestBody.TakeAsync(context, ReadMfa, async asked =>
        {
            if (await tickets.TryAsync(asked.MfaToken) is not { } content)
            {
                await RefuseAsync(context, "The login has ended, or was never begun. Log in again.");
                return;
            }
            var half = JsonSerializer.Deserialize<HalfLogin>(content)!;
            if (half.ByCookie && !cookies.IsOurs(context.Request))
            {
                await Problems.WriteAsync(
                    context,
                    ProblemType.CsrfRejected,
                    "Pages of this origin may not begin sessions here."
                );
                return;
            }
            if (!await limits.TryAsync(context, RateLimits.Mfa, half.Account.ToString()))
                return;
            var intent = context.Intend(half.Account);
            var spent = await ClusterCalls.SendAsync(intent, sent =>
                cluster.GetGrain<IAccountGrain>(half.Account).Execute(new SpendFactor(asked.Method, asked.Code), sent)
            );
            if (spent.Rejection is not null)
            {
                await RefuseAsync(context, "The code is wrong, or was used already.");
                return;
            }
            limits.Refund(RateLimits.Mfa, half.Account.ToString());
            var account = spent.Value!;
            // What ends sessions, such as another password, ends a login that began before it.
            if (!account.Allows(Guid.Empty, half.Version) || !await tickets.EndAsync(asked.MfaToken))
                await RefuseAsync(context, "The login has ended. Log in again.");
            else
                await signIn.BeginAsync(
                    context,
                    half.Account,
                    account,
                    spent.Version,
                    ["pwd", MethodOf(asked.Method)],
                    half.ByCookie
                );
        });

    static Task StepUpAsync(
        HttpContext context,
        Accounts accounts,
        Passwords passwords,
        RateLimits limits,
        IClusterClient cluster,
        SignIn signIn
    ) => RequestBody.TakeAsync(context, ReadStepUp, async asked =>
        {
            var caller = context.Caller();
            var intent = context.Intend();
            var found = await ClusterCalls.SendAsync(_ => accounts.Grain(caller.Account).GetSecrets());
            var isProven = asked.Method is "password"
                // With a second factor at hand a password alone proves less than the login did.
                ? found is { Account.Factors.AreAsked: false }
                    && await passwords.VerifyAsync(found.PasswordHash, asked.Code) is not PasswordCheck.Wrong
                : (
                    await ClusterCalls.SendAsync(intent, sent =>
                        cluster
                            .GetGrain<IAccountGrain>(caller.Account)
                            .Execute(new SpendFactor(asked.Method, asked.Code), sent)
                    )
                ).Rejection
                    is null;
            if (!isProven)
            {
                await RefuseAsync(context, "That proves nothing. Accounts with a second factor need it here.");
                return;
            }
            limits.Refund(RateLimits.Mfa, caller.Id);
            await signIn.StepUpAsync(context, [MethodOf(asked.Method)]);
        });

    static async Task ShowAsync(HttpContext context, IClusterClient cluster)
    {
        var factors = (
            await ClusterCalls.SendAsync(_ => cluster.GetGrain<IAccountGrain>(context.Caller().Account).Get())
        )
            .Value!
            .Factors;
        await Responses.OkAsync(
            context,
            new FactorsDocument(factors.TotpConfirmed, factors.UnusedCodes.Length, factors.Passkeys.Length),
            SignInJson.Default.EnvelopeFactorsDocument
        );
    }

    static async Task EnrollAsync(HttpContext context, Accounts accounts, IClusterClient cluster, TokenOptions tokens)
    {
        var caller = context.Caller();
        var intent = context.Intend();
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        var enrolled = await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<IAccountGrain>(caller.Account).Execute(new EnrollTotp(secret), sent)
        );
        if (enrolled.Rejection is { } rejection)
        {
            await Problems.RefuseAsync(context, rejection);
            return;
        }
        var email = (await ClusterCalls.SendAsync(_ => accounts.Grain(caller.Account).GetSecrets()))!.Email;
        var uri = new OtpUri(OtpType.Totp, secret, email, tokens.Issuer).ToString();
        using var qr = QRCodeGenerator.GenerateQrCode(uri, QRCodeGenerator.ECCLevel.M);
        var svg = new SvgQRCode(qr).GetGraphic(4);
        await Responses.OkAsync(
            context,
            new TotpDocument(
                Base32Encoding.ToString(secret).TrimEnd('='),
                uri,
                "data:image/svg+xml;base64," + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(svg))
            ),
            SignInJson.Default.EnvelopeTotpDocument,
            status: 201
        );
    }

    static Task ConfirmAsync(HttpContext context, IClusterClient cluster) =>
        RequestBody.TakeAsync(context, ReadCode, async code =>
        {
            var intent = context.Intend();
            await AnswerAsync(
                context,
                await ClusterCalls.SendAsync(intent, sent =>
                    cluster.GetGrain<IAccountGrain>(context.Caller().Account).Execute(new ConfirmTotp(code), sent)
                )
            );
        });

    static async Task RemoveAsync(HttpContext context, IClusterClient cluster)
    {
        var intent = context.Intend();
        await AnswerAsync(
            context,
            await ClusterCalls.SendAsync(intent, sent =>
                cluster.GetGrain<IAccountGrain>(context.Caller().Account).Execute(new RemoveTotp(), sent)
            )
        );
    }

    static async Task IssueAsync(HttpContext context, IClusterClient cluster)
    {
        var intent = context.Intend();
        var codes = RecoveryCodes.Create();
        string[] hashes = [.. codes.Select(RecoveryCodes.Hash)];
        var issued = await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<IAccountGrain>(context.Caller().Account).Execute(new IssueRecoveryCodes(hashes), sent)
        );
        if (issued.Rejection is { } rejection)
            await Problems.RefuseAsync(context, rejection);
        else
            await Responses.OkAsync(
                context,
                new RecoveryCodesDocument(codes),
                SignInJson.Default.EnvelopeRecoveryCodesDocument,
                status: 201
            );
    }

    internal static Task AnswerAsync(HttpContext context, Reply<Account> reply)
    {
        if (reply.Rejection is { } rejection)
            return Problems.RefuseAsync(context, rejection);
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    internal static Task RefuseAsync(HttpContext context, string why) =>
        Problems.WriteAsync(context, ProblemType.MfaFailed, why);

    /// <summary>A method as tokens name it (RFC 8176, and <c>rc</c> for what that does not have).</summary>
    static string MethodOf(string method) =>
        method switch
        {
            "totp" => "otp",
            "recovery_code" => "rc",
            _ => "pwd",
        };

    static MfaRequest ReadMfa(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new MfaRequest(
            reader.Text("mfaToken", 1, 512)!,
            reader.Text("method", 1, 32)!,
            reader.Text("code", 1, RecoveryCodes.MaxLength)!
        );
        reader.RefuseOthers();
        Check(asked.Method, ["totp", "recovery_code"], asked.Code, faults);
        return asked;
    }

    static StepUpRequest ReadStepUp(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new StepUpRequest(reader.Text("method", 1, 32)!, reader.Text("code", 1, Passwords.MaxLength)!);
        reader.RefuseOthers();
        Check(asked.Method, ["password", "totp", "recovery_code"], asked.Code, faults);
        return asked;
    }

    static string ReadCode(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var code = reader.Text("code", 1, 64);
        reader.RefuseOthers();
        Check("totp", ["totp"], code, faults);
        return code!;
    }

    static void Check(string? method, string[] known, string? code, List<Fault> faults)
    {
        if (method is not null && !known.Contains(method))
            faults.Report("/method", "UNKNOWN_METHOD", $"The methods are {string.Join(", ", known)}.");
        if (method is "totp" && code is not null && (code.Length is not 6 || !code.All(char.IsAsciiDigit)))
            faults.Report("/code", "INVALID_CODE", "A one-time code has six digits.");
    }

    sealed record HalfLogin(Guid Account, long Version, bool ByCookie);
}
