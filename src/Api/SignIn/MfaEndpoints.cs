using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OtpNet;
using QRCoder;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The answer to a login that needs a second factor.</summary>
/// <param name="MfaToken">For <c>POST /auth/mfa</c>. Expires after five minutes.</param>
/// <param name="Methods">
/// The methods to choose from: <c>totp</c>, <c>recovery_code</c>, and <c>passkey</c> by signing in with it.
/// </param>
public sealed record MfaDocument(bool MfaRequired, string MfaToken, string[] Methods);

/// <summary>A second factor.</summary>
/// <param name="Method"><c>totp</c> or <c>recovery_code</c>.</param>
public sealed record MfaRequest(string MfaToken, string Method, string Code);

/// <summary>Proof that the owner of a session is present.</summary>
/// <param name="Method">
/// <c>password</c>, for accounts without a second factor; <c>totp</c> or <c>recovery_code</c>.
/// </param>
public sealed record StepUpRequest(string Method, string Code);

/// <summary>A code from an authenticator app.</summary>
public sealed record CodeRequest(string Code);

/// <summary>The second factors of the caller's account.</summary>
public sealed record FactorsDocument(bool Totp, int RecoveryCodesLeft, int Passkeys);

/// <summary>A secret for one-time codes, returned only once.</summary>
/// <param name="Qr">The URI as a QR code: a data URI with an SVG.</param>
public sealed record TotpDocument(string Secret, string Uri, string Qr);

/// <summary>New recovery codes, returned only once.</summary>
public sealed record RecoveryCodesDocument(string[] Codes);

/// <summary>Second factors: enrolment, removal, use at login, and re-authentication before sensitive operations.</summary>
public static class MfaEndpoints
{
    const int SecretBytes = 20;

    /// <summary>Bounds the wrong codes for one login.</summary>
    const int MaxTries = 5;

    static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    public static void MapMfa(this RouteGroupBuilder api)
    {
        var auth = api.MapGroup("/auth").WithTags("auth").CarriesSecrets();
        auth.MapPost("/mfa", FinishLoginAsync)
            .AllowAnonymous()
            .LimitBy(RateLimits.Login)
            .WithName("finishLogin")
            .Audits("session.started", "account.login_failed")
            .Carries(AnswerHeaders.SetCookie)
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
            .Audits("session.authenticated", "account.login_failed")
            .Carries(AnswerHeaders.SetCookie)
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
            .Audits("account.totp_enrolled")
            .WithSummary("Start TOTP enrolment")
            .WithDescription("Returns a new secret. It becomes active when you confirm it with a code.")
            .Answers<Envelope<TotpDocument>>(201)
            .Refuses(409);
        mfa.MapPost("/totp/confirm", ConfirmAsync)
            .RequireSession()
            .LimitBy(RateLimits.Mfa)
            .WithName("confirmTotp")
            .Audits("account.totp_confirmed")
            .WithSummary("Confirm TOTP enrolment")
            .WithDescription("Takes a code generated from the new secret.")
            .TakesBody<CodeRequest>("""{"code":"123456"}""")
            .Produces(204)
            .Refuses(401, 409, 413, 415);
        mfa.MapDelete("/totp", RemoveAsync)
            .RequireSession(recent: true)
            .WithName("removeTotp")
            .Audits("account.totp_removed")
            .WithSummary("Remove TOTP")
            .Produces(204);
        mfa.MapPost("/recovery-codes", IssueAsync)
            .RequireSession(recent: true)
            .WithName("issueRecoveryCodes")
            .Audits("account.recovery_codes_issued")
            .WithSummary("Generate recovery codes")
            .WithDescription("Invalidates all earlier recovery codes.")
            .Answers<Envelope<RecoveryCodesDocument>>(201)
            .Refuses(409);
    }

    /// <summary>Answers a login with the right password whose account has a second factor.</summary>
    public static async Task<Answer> AskAsync(Tickets tickets, AccountSecrets found, bool byCookie)
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
            Lifetime,
            MaxTries
        );
        return Answer.Of(new MfaDocument(true, token, methods));
    }

    static Task<Answer> FinishLoginAsync(
        HttpContext context,
        Tickets tickets,
        RateLimits limits,
        IClusterClient cluster,
        SignIn signIn,
        SessionCookie cookies
    ) => RequestBody.TakeAsync(context, ReadMfa, async asked =>
        {
            if (await tickets.TryAsync(asked.MfaToken) is not { } content)
                return Failed("The login has ended or was never started. Log in again.");
            var half = JsonSerializer.Deserialize<HalfLogin>(content)!;
            if (half.ByCookie && !cookies.IsOurs(context.Request))
                return SessionCookie.ForeignLogin;
            if (await limits.RefusalAsync(context, RateLimits.Mfa, half.Account.ToString()) is { } refusal)
                return refusal;
            var spend = new SpendFactor(asked.Method, asked.Code);
            var intent = context.Intend(half.Account);
            var spent = await ClusterCalls.SendAsync(intent, sent =>
                cluster.GetGrain<IAccountGrain>(half.Account).Execute(spend, sent)
            );
            if (spent.Rejection is not null)
                return Failed("The code is wrong or already used.");
            limits.Refund(RateLimits.Mfa, half.Account.ToString());
            var account = spent.Value!;
            // An event that ends sessions, such as a new password, also ends logins that started before it.
            if (!account.Allows(Guid.Empty, half.Version) || !await tickets.EndAsync(asked.MfaToken))
                return Failed("The login has ended. Log in again.");
            return await signIn.BeginAsync(
                context,
                half.Account,
                account,
                spent.Version,
                ["pwd", MethodOf(asked.Method)],
                half.ByCookie
            );
        });

    static Task<Answer> StepUpAsync(
        HttpContext context,
        Accounts accounts,
        PasswordGuard guard,
        RateLimits limits,
        IClusterClient cluster,
        SignIn signIn
    ) => RequestBody.TakeAsync(context, ReadStepUp, async asked =>
        {
            var caller = context.Caller();
            var isProven = false;
            if (asked.Method is "password")
            {
                var found = await ClusterCalls.ReadAsync(() => accounts.Grain(caller.Account).GetSecrets());
                // With a second factor set up, the password alone would prove less than the login did.
                if (found is { Account.Factors.AreAsked: false })
                {
                    var (owner, refusal) = await guard.CheckAsync(context, found, asked.Code);
                    if (refusal is not null)
                        return refusal;
                    isProven = owner is not null;
                }
            }
            else
            {
                var spend = new SpendFactor(asked.Method, asked.Code);
                isProven = (await OwnAccount.ExecuteAsync(context, cluster, spend)).Rejection is null;
            }
            if (!isProven)
                return Failed("Wrong password or code. An account with a second factor must confirm with it.");
            limits.Refund(RateLimits.Mfa, caller.Id);
            return await signIn.StepUpAsync(context, [MethodOf(asked.Method)]);
        });

    static async Task<Answer> ShowAsync(HttpContext context, IClusterClient cluster)
    {
        var account = await ClusterCalls.ReadAsync(() =>
            cluster.GetGrain<IAccountGrain>(context.Caller().Account).Get()
        );
        var factors = account.Value!.Factors;
        return Answer.Of(
            new FactorsDocument(factors.TotpConfirmed, factors.UnusedCodes.Length, factors.Passkeys.Length)
        );
    }

    static async Task<Answer> EnrollAsync(
        HttpContext context,
        Accounts accounts,
        IClusterClient cluster,
        TokenOptions tokens
    )
    {
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        var enrolled = await OwnAccount.ExecuteAsync(context, cluster, new EnrollTotp(secret));
        if (enrolled.Rejection is { } rejection)
            return rejection;
        var account = context.Caller().Account;
        var email = (await ClusterCalls.ReadAsync(() => accounts.Grain(account).GetSecrets()))!.Email;
        var uri = new OtpUri(OtpType.Totp, secret, email, tokens.Issuer).ToString();
        using var qr = QRCodeGenerator.GenerateQrCode(uri, QRCodeGenerator.ECCLevel.M);
        var svg = new SvgQRCode(qr).GetGraphic(4);
        return new Answer<TotpDocument>(
            new(
                Base32Encoding.ToString(secret).TrimEnd('='),
                uri,
                "data:image/svg+xml;base64," + Convert.ToBase64String(Encoding.UTF8.GetBytes(svg))
            )
        )
        {
            Status = StatusCodes.Status201Created,
        };
    }

    static Task<Answer> ConfirmAsync(HttpContext context, IClusterClient cluster) =>
        RequestBody.TakeAsync(context, ReadCode, code =>
            OwnAccount.ChangeAsync(context, cluster, new ConfirmTotp(code))
        );

    static Task<Answer> RemoveAsync(HttpContext context, IClusterClient cluster) =>
        OwnAccount.ChangeAsync(context, cluster, new RemoveTotp());

    static async Task<Answer> IssueAsync(HttpContext context, IClusterClient cluster)
    {
        var codes = RecoveryCodes.Create();
        var issued = await OwnAccount.ExecuteAsync(
            context,
            cluster,
            new IssueRecoveryCodes([.. codes.Select(RecoveryCodes.Hash)])
        );
        return issued.Rejection is { } rejection
            ? rejection
            : new Answer<RecoveryCodesDocument>(new(codes)) { Status = StatusCodes.Status201Created };
    }

    static Answer Failed(string why) => Answer.Refused(ProblemType.MfaFailed, why);

    /// <summary>The name of a method in tokens: of RFC 8176, which lacks <c>rc</c> for recovery codes.</summary>
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
            faults.Report("/method", "UNKNOWN_METHOD", $"Unknown method. Known methods: {string.Join(", ", known)}.");
        if (method is "totp" && code is not null && (code.Length is not 6 || !code.All(char.IsAsciiDigit)))
            faults.Report("/code", "INVALID_CODE", "A one-time code has six digits.");
    }

    sealed record HalfLogin(Guid Account, long Version, bool ByCookie);
}
