using System.Text;
using System.Text.Json;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Second factors.</summary>
public sealed class MfaTests(Backend backend, JavaScriptProgram node)
{
    [Fact]
    [Trait("Conformance", "A12")]
    public async Task Password_alone_opens_nothing_when_a_second_factor_is_set()
    {
        var person = await backend.CreatePersonAsync("user");
        await Person.EnrollAsync((await person.LoginAsync()).Caller);
        foreach (var cookie in new[] { false, true })
        {
            var half = await person.TryAsync(cookie: cookie);
            Assert.Equal(
                (200, "true", "[\"totp\"]"),
                (half.Status, half.Text("/data/mfaRequired"), half.Text("/data/methods"))
            );
            Assert.Null(half.Text("/data/accessToken"));
            Assert.Null(half["Set-Cookie"]);
        }
    }

    [Fact]
    [Trait("Conformance", "A12")]
    public async Task Second_factor_is_required_where_a_password_would_be_weaker()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        var secret = await Person.EnrollAsync(session.Caller);
        Assert.Equal(
            "MFA_FAILED",
            (
                await session.Caller.SendAsync(
                    "POST",
                    "/api/v1/auth/step-up",
                    $$"""{"method":"password","code":"{{Person.Password}}"}"""
                )
            ).Code
        );
        Assert.Equal(
            200,
            (
                await session.Caller.SendAsync(
                    "POST",
                    "/api/v1/auth/step-up",
                    $$"""{"method":"totp","code":"{{Person.Code(secret)}}"}"""
                )
            ).Status
        );
    }

    [Fact]
    [Trait("Conformance", "A13")]
    public async Task Pending_login_is_not_a_session_and_ends_after_five_wrong_codes()
    {
        var person = await backend.CreatePersonAsync("user");
        var secret = await Person.EnrollAsync((await person.LoginAsync()).Caller);
        var half = await person.TryAsync();
        Assert.Equal(401, (await person.Guest.With(half.Text("/data/mfaToken")!).GetAsync("/api/v1/me")).Status);
        Assert.Equal(401, (await person.RefreshAsync(half.Text("/data/mfaToken")!)).Status);
        for (var i = 0; i < 5; i++)
            Assert.Equal("MFA_FAILED", (await person.FinishAsync(half, "totp", "000000")).Code);
        Assert.Equal("MFA_FAILED", (await person.FinishAsync(half, "totp", Person.Code(secret))).Code);
        Assert.Equal(200, (await person.FinishAsync(await person.TryAsync(), "totp", Person.Code(secret))).Status);
    }

    [Theory, InlineData("password"), InlineData("sessions"), InlineData("disabled")]
    [Trait("Conformance", "A13")]
    public async Task Ending_sessions_ends_pending_logins(string what)
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        var secret = await Person.EnrollAsync(session.Caller);
        var half = await person.TryAsync();
        Assert.Contains(
            (
                await (
                    what switch
                    {
                        "password" => session.Caller.SendAsync(
                            "POST",
                            "/api/v1/auth/password",
                            $$"""{"currentPassword":"{{Person.Password}}","newPassword":"nine pigs saw a grey kettle"}"""
                        ),
                        "sessions" => session.Caller.SendAsync("DELETE", "/api/v1/sessions"),
                        _ => backend.Admin.SendAsync("PATCH", $"/api/v1/users/{person.Id}", """{"disabled":true}"""),
                    }
                )
            ).Status,
            new[] { 200, 204 }
        );
        Assert.Equal("MFA_FAILED", (await person.FinishAsync(half, "totp", Person.Code(secret))).Code);
    }

    [Fact]
    [Trait("Conformance", "A14")]
    public async Task Independent_implementation_computes_the_same_codes()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        var secret = (await session.Caller.SendAsync("POST", "/api/v1/me/mfa/totp")).Text("/data/secret")!;
        var half = await person.TryAsync();
        Assert.Equal(200, half.Status);
        var codes = JsonElement.Parse(await node.RunAsync("totp.mjs", secret));
        Assert.Equal("MFA_FAILED", await ConfirmAsync("old"));
        Assert.Equal("MFA_FAILED", await ConfirmAsync("future"));
        Assert.Null(await ConfirmAsync("now"));
        Assert.Equal("true", (await session.Caller.GetAsync("/api/v1/me/mfa")).Text("/data/totp"));

        async Task<string?> ConfirmAsync(string which) =>
            (
                await session.Caller.SendAsync(
                    "POST",
                    "/api/v1/me/mfa/totp/confirm",
                    $$"""{"code":"{{codes.GetProperty(which).GetString()}}"}"""
                )
            )
                is { Status: not 204 } refused
                ? refused.Code
                : null;
    }

    [Fact]
    [Trait("Conformance", "A14")]
    public async Task Wrong_codes_are_limited_per_account_and_right_ones_do_not_count()
    {
        await using var limited = await backend.StartServerAsync(("RateLimits:Mfa:Permits", "3"));
        var admin = await limited.AdminAsync();
        var person = await Person.CreateAsync(admin, limited.Address, "user");
        var session = await person.LoginAsync();
        await Person.EnrollAsync(session.Caller);
        var codes = await CodesAsync(session.Caller);
        foreach (var code in codes[..4])
            Assert.Equal(200, (await person.FinishAsync(await person.TryAsync(), "recovery_code", code)).Status);
        var tries = new List<Answer>();
        for (var i = 0; i < 4; i++)
            tries.Add(await person.FinishAsync(await person.TryAsync(), "totp", "000000"));
        Assert.Contains("RATE_LIMITED", tries.Select(answer => answer.Code));
        Assert.Equal(
            (429, "\"mfa\""),
            (await person.FinishAsync(await person.TryAsync(), "recovery_code", codes[4])) is var over
                ? (over.Status, over["RateLimit-Policy"]!.Split(';')[0])
                : default
        );
        Assert.Equal(200, (await (await Person.CreateAsync(admin, limited.Address, "user")).TryAsync()).Status);
    }

    [Fact]
    public async Task Description_covers_every_login_response()
    {
        var document = (await backend.Guest.GetAsync("/openapi/v1.json")).At("")!.Value;
        var login = document
            .GetProperty("paths")
            .GetProperty("/api/v1/auth/login")
            .GetProperty("post")
            .GetProperty("responses")
            .GetProperty("200")
            .GetProperty("content")
            .GetProperty("application/json")
            .GetProperty("schema");
        var schemas = document.GetProperty("components").GetProperty("schemas");
        JsonElement Named(JsonElement reference) =>
            schemas.GetProperty(reference.GetProperty("$ref").GetString()!.Split('/')[^1]);
        var forms = Named(Named(login).GetProperty("properties").GetProperty("data"));
        // The members of tokens, of a cookie, and of a demand for a second factor; which of them depends on the account.
        Assert.All(["accessToken", "csrfToken", "mfaToken"], member =>
            Assert.True(forms.GetProperty("properties").TryGetProperty(member, out _), member)
        );
        Assert.False(forms.TryGetProperty("required", out _));
        // Not every code is one of ours.
        Assert.False(
            schemas
                .GetProperty("MfaRequest")
                .GetProperty("properties")
                .GetProperty("code")
                .TryGetProperty("pattern", out _)
        );
    }

    [Fact]
    [Trait("Conformance", "A14")]
    public async Task One_time_code_is_single_use_and_invalidates_older_codes()
    {
        var person = await backend.CreatePersonAsync("user");
        var secret = await Person.EnrollAsync((await person.LoginAsync()).Caller);
        Assert.Equal(
            "MFA_FAILED",
            (await person.FinishAsync(await person.TryAsync(), "totp", Person.Code(secret, -60))).Code
        );
        var code = Person.Code(secret);
        var half = await person.TryAsync();
        Assert.Equal(200, (await person.FinishAsync(half, "totp", code)).Status);
        Assert.Equal("MFA_FAILED", (await person.FinishAsync(half, "totp", Person.Code(secret, 30))).Code);
        Assert.Equal("MFA_FAILED", (await person.FinishAsync(await person.TryAsync(), "totp", code)).Code);
        Assert.Equal(
            "MFA_FAILED",
            (await person.FinishAsync(await person.TryAsync(), "totp", Person.Code(secret, -30))).Code
        );
    }

    [
        Theory,
        InlineData("+12345"),
        InlineData(" 12345"),
        InlineData("12345"),
        InlineData("1234567"),
        InlineData("１２３４５６"),
        InlineData("12345a")
    ]
    [Trait("Conformance", "A14")]
    public async Task One_time_code_has_exactly_six_digits(string code)
    {
        var refused = await backend.Guest.SendAsync(
            "POST",
            "/api/v1/auth/mfa",
            JsonSerializer.Serialize(
                new
                {
                    mfaToken = "x",
                    method = "totp",
                    code,
                }
            )
        );
        Assert.Equal((400, "/code"), (refused.Status, Assert.Single(refused.Faults)));
    }

    [Fact]
    [Trait("Conformance", "A14")]
    public async Task Concurrent_uses_of_one_code_succeed_once()
    {
        var person = await backend.CreatePersonAsync("user");
        var secret = await Person.EnrollAsync((await person.LoginAsync()).Caller);
        var halves = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => person.TryAsync()));
        var code = Person.Code(secret);
        var answers = await Task.WhenAll(halves.Select(half => person.FinishAsync(half, "totp", code)));
        Assert.Single(answers, answer => answer.Status is 200);
        Assert.Equal(7, answers.Count(answer => answer.Code is "MFA_FAILED"));
    }

    [Fact]
    [Trait("Conformance", "A15")]
    public async Task Recovery_code_is_single_use_and_new_codes_replace_the_old()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        Assert.Equal("NO_FACTOR", (await session.Caller.SendAsync("POST", "/api/v1/me/mfa/recovery-codes")).Code);
        await Person.EnrollAsync(session.Caller);
        var codes = await CodesAsync(session.Caller);
        Assert.Equal(10, codes.Distinct().Count());
        Assert.All(codes, code => Assert.True(code.Count(char.IsAsciiLetterOrDigit) >= 26, code));

        var answers = await Task.WhenAll(
            (await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => person.TryAsync()))).Select(half =>
                person.FinishAsync(half, "recovery_code", codes[0])
            )
        );
        Assert.Single(answers, answer => answer.Status is 200);
        Assert.Equal("MFA_FAILED", (await person.FinishAsync(await person.TryAsync(), "recovery_code", codes[0])).Code);
        Assert.Equal(
            200,
            (
                await person.FinishAsync(
                    await person.TryAsync(),
                    "recovery_code",
                    codes[1].Replace("-", " ", StringComparison.Ordinal).ToUpperInvariant()
                )
            ).Status
        );
        Assert.Equal("8", (await session.Caller.GetAsync("/api/v1/me/mfa")).Text("/data/recoveryCodesLeft"));

        var newer = await CodesAsync(session.Caller);
        Assert.Equal("MFA_FAILED", (await person.FinishAsync(await person.TryAsync(), "recovery_code", codes[2])).Code);
        Assert.Equal(200, (await person.FinishAsync(await person.TryAsync(), "recovery_code", newer[2])).Status);
    }

    [Fact]
    [Trait("Conformance", "A16")]
    public async Task Secret_is_shown_once_and_stored_encrypted()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        var enrolled = await session.Caller.SendAsync("POST", "/api/v1/me/mfa/totp");
        var secret = enrolled.Text("/data/secret")!;
        var uri = enrolled.Text("/data/uri")!;
        Assert.StartsWith("otpauth://totp/resources:", uri, StringComparison.Ordinal);
        Assert.Contains("secret=" + secret, uri, StringComparison.Ordinal);
        Assert.StartsWith(
            "<svg",
            Encoding.UTF8.GetString(
                Convert.FromBase64String(enrolled.Text("/data/qr")!["data:image/svg+xml;base64,".Length..])
            ),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            secret,
            (await session.Caller.GetAsync("/api/v1/me/mfa")).ToString(),
            StringComparison.Ordinal
        );

        var kept = await Dump.OfAsync(backend.Server.ConnectionString);
        Assert.DoesNotContain(secret, kept, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(
            Convert.ToHexStringLower(OtpNet.Base32Encoding.ToBytes(secret)),
            kept,
            StringComparison.OrdinalIgnoreCase
        );
    }

    [Fact]
    [Trait("Conformance", "A17")]
    public async Task Sensitive_changes_need_a_recent_authentication()
    {
        await using var node = await backend.StartServerAsync(
            ("Sessions:RecentMinutes", "1"),
            ("Webhooks:AllowPrivateTargets", "true")
        );
        var admin = await node.AdminAsync();
        var old = node.Guest().With(new Forge(node, admin.Token!).Age(TimeSpan.FromMinutes(2)));
        Assert.Equal(200, (await old.GetAsync("/api/v1/me")).Status);
        var hook = (
            await admin.SendAsync(
                "POST",
                "/api/v1/subscriptions",
                """{"name":"s","delivery":{"kind":"webhook","url":"http://127.0.0.1:9/hook"}}"""
            )
        )["Location"];
        var key = (
            await admin.SendAsync(
                "POST",
                "/api/v1/api-keys",
                """{"name":"rotates","permissions":["subscription:manage","resource:read"]}"""
            )
        ).Text("/data/key")!;
        foreach (
            var (method, path, body) in new (string, string, string?)[]
            {
                ("POST", hook + "/secret", null),
                (
                    "POST",
                    "/api/v1/subscriptions",
                    """{"name":"late","delivery":{"kind":"webhook","url":"http://127.0.0.1:9/hook"}}"""
                ),
                ("POST", "/api/v1/me/mfa/totp", null),
                ("DELETE", "/api/v1/me/mfa/totp", null),
                ("POST", "/api/v1/me/mfa/recovery-codes", null),
                ("POST", "/api/v1/me/passkeys/options", null),
                ("DELETE", $"/api/v1/me/passkeys/{Guid.NewGuid()}", null),
                ("POST", "/api/v1/api-keys", """{"name":"k","permissions":["resource:read"]}"""),
            }
        )
            Assert.Equal(
                (path, 403, "REAUTHENTICATION_REQUIRED"),
                (path, (await old.SendAsync(method, path, body)).Status, (await old.SendAsync(method, path, body)).Code)
            );
        var fresh = await old.SendAsync(
            "POST",
            "/api/v1/auth/step-up",
            $$"""{"method":"password","code":"{{TestServer.AdminPassword}}"}"""
        );
        Assert.Equal(200, fresh.Status);
        Assert.Equal(
            201,
            (await old.With(fresh.Text("/data/accessToken")!).SendAsync("POST", "/api/v1/me/mfa/totp")).Status
        );
        // A program that rotates secrets has an API key; nobody authenticates there.
        foreach (var token in new[] { fresh.Text("/data/accessToken")!, key })
        {
            var caller = old.With(token);
            Assert.Equal(200, (await caller.SendAsync("POST", hook + "/secret")).Status);
            var delivery = new { kind = "webhook", url = "http://127.0.0.1:9/hook" };
            Assert.Equal(201, (await caller.PostAsync("/subscriptions", new { name = token[^8..], delivery })).Status);
        }
        // Who pulls needs a credential for each pull.
        Assert.Equal(
            201,
            (await old.PostAsync("/subscriptions", new { name = "p", delivery = new { kind = "pull" } })).Status
        );
    }

    static async Task<string[]> CodesAsync(ApiClient caller) =>
        [
            .. (await caller.SendAsync("POST", "/api/v1/me/mfa/recovery-codes"))
                .At("/data/codes")!
                .Value.EnumerateArray()
                .Select(code => code.GetString()!),
        ];
}
