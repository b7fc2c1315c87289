using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Passwords, tokens, codes, keys and addresses do not leak.</summary>
public sealed class SecretLeakTests(Backend backend)
{
    const string Password = "canary password of nine pigs",
        Another = "canary password of ten pigs",
        Wrong = "canary password that is wrong";

    readonly Dictionary<string, string> canaries = new()
    {
        ["password"] = Password,
        ["second password"] = Another,
        ["wrong password"] = Wrong,
    };
    readonly Dictionary<string, byte[]> raw = [];
    readonly List<string> answers = [];

    [Fact]
    [Trait("Conformance", "J2")]
    public async Task Secrets_and_addresses_appear_in_no_log_metric_trace_problem_or_table()
    {
        var traces = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
                traces.Enqueue(
                    $"{activity.DisplayName} {string.Join(' ', activity.TagObjects)} "
                        + $"{string.Join(' ', activity.Events.SelectMany(each => each.Tags))} "
                        + $"{string.Join(' ', activity.Baggage)}"
                ),
        };
        ActivitySource.AddActivityListener(listener);
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartServerAsync([
            .. mailbox.ServerOptions,
            ("Accounts:Registration", "open"),
            ("Webhooks:AllowPrivateTargets", "true"),
            ("Logging:LogLevel:Default", "Debug"),
            ("RateLimits:LoginAccount:Permits", "5"),
        ]);
        await LiveAsync(node, mailbox);

        var metrics = Encoding.UTF8.GetString((await node.Guest().GetAsync("/metrics")).Body);
        var places = new Dictionary<string, string>
        {
            ["logs"] = string.Join('\n', node.Logs),
            ["traces"] = string.Join('\n', traces),
            ["metrics"] = metrics,
            ["problems"] = string.Join('\n', answers),
            ["database"] = await Dump.OfAsync(node.ConnectionString),
        };
        // The places are those where one would look: each holds what is to be expected of it.
        Assert.Contains("session.started", places["database"], StringComparison.Ordinal);
        Assert.Contains("Resources listens at", places["logs"], StringComparison.Ordinal);
        Assert.Contains("/api/v1/auth/login", places["traces"], StringComparison.Ordinal);
        Assert.Contains("INVALID_CREDENTIALS", places["problems"], StringComparison.Ordinal);
        Assert.Contains("resources_", places["metrics"], StringComparison.Ordinal);
        Assert.True(canaries.Count >= 15, string.Join(", ", canaries.Keys));
        foreach (var (place, text) in places)
        foreach (var (name, canary) in canaries)
        foreach (var form in Forms(canary).Concat(raw.TryGetValue(name, out var bytes) ? Forms(bytes) : []))
            Assert.False(
                text.Contains(form, StringComparison.OrdinalIgnoreCase),
                $"The {name} is in the {place}: {Around(text, form)}"
            );
    }

    /// <summary>Uses an account in every way, and records every secret on the way.</summary>
    async Task LiveAsync(InProcessServer node, Mailbox mailbox)
    {
        var guest = node.Guest();
        var email = canaries["address"] = $"canary{Guid.NewGuid():n}@example.org";
        await PostAsync(guest, "/auth/register", new { email, password = Password });
        var verify = canaries["token of a mail"] = Mailbox.Token(await mailbox.MailToAsync(email));
        await PostAsync(guest, "/auth/verify-email", new { token = verify + "x", password = Password });
        await PostAsync(guest, "/auth/verify-email", new { token = verify, password = Wrong });
        await PostAsync(guest, "/auth/verify-email", new { token = verify, password = Password });
        await PostAsync(guest, "/auth/login", new { email, password = Wrong });
        var login = await PostAsync(guest, "/auth/login", new { email, password = Password });
        var session = guest.With(Note("access token", login, "/data/accessToken"));
        var refresh = Note("refresh token", login, "/data/refreshToken");
        Note(
            "second refresh token",
            await PostAsync(guest, "/auth/refresh", new { refreshToken = refresh }),
            "/data/refreshToken"
        );

        var cookie = await PostAsync(
            guest,
            "/auth/login",
            new
            {
                email,
                password = Password,
                cookie = true,
            }
        );
        Note("CSRF token", cookie, "/data/csrfToken");
        canaries["cookie"] = cookie.Cookie("__Host-session")!.Split('=')[1];
        canaries["device cookie"] = cookie.Cookie("__Host-device")!.Split('=')[1];
        await Take(guest.GetAsync("/api/v1/me", ("Cookie", $"__Host-session={canaries["cookie"]}")));

        var key = Note(
            "API key",
            await PostAsync(session, "/api-keys", new { name = "k", permissions = new[] { "resource:read" } }),
            "/data/key"
        )[37..];
        canaries["API key"] = key;
        await Take(guest.With($"rsk_{Guid.NewGuid():n}_{key}").GetAsync("/api/v1/me"));
        var totp = await PostAsync(session, "/me/mfa/totp", new { });
        var secret = raw["secret of one-time codes"] = OtpNet.Base32Encoding.ToBytes(
            Note("secret of one-time codes", totp, "/data/secret")
        );
        await PostAsync(session, "/me/mfa/totp/confirm", new { code = Person.Code(secret, -30) });
        var codes = (await PostAsync(session, "/me/mfa/recovery-codes", new { }))
            .At("/data/codes")!
            .Value.EnumerateArray()
            .Select(code => code.GetString()!)
            .ToArray();
        canaries["recovery code"] = codes[0];
        canaries["spent recovery code"] = codes[1];
        var half = Note(
            "token of a half login",
            await PostAsync(guest, "/auth/login", new { email, password = Password }),
            "/data/mfaToken"
        );
        await PostAsync(
            guest,
            "/auth/mfa",
            new
            {
                mfaToken = half,
                method = "recovery_code",
                code = "wrong-" + codes[0],
            }
        );
        await PostAsync(
            guest,
            "/auth/mfa",
            new
            {
                mfaToken = half,
                method = "recovery_code",
                code = codes[1],
            }
        );
        Note("state of a ceremony", await PostAsync(guest, "/auth/passkey/options", new { }), "/data/state");

        await PostAsync(guest, "/auth/forgot-password", new { email });
        var reset = canaries["token of a reset"] = Mailbox.Token(await mailbox.MailToAsync(email));
        await PostAsync(guest, "/auth/set-password", new { token = reset, newPassword = Another });
        await PostAsync(guest, "/auth/set-password", new { token = reset, newPassword = Another });

        // Where they do not belong: in addresses, headers and faulty bodies.
        await Take(guest.GetAsync($"/api/v1/me?access_token={canaries["access token"]}"));
        await PostAsync(
            guest,
            "/auth/login",
            new
            {
                email,
                password = Password,
                more = Another,
            }
        );
        await Take(guest.SendAsync("POST", "/api/v1/auth/login", $"{{\"email\":\"{email}\",\"password\":\"{Password}"));
        await PostAsync(guest, "/auth/refresh", new { refreshToken = refresh });
        for (var i = 0; i < 6; i++)
            await PostAsync(guest, "/auth/login", new { email, password = Wrong });

        var admin = await guest.LoginAsAdminAsync();
        canaries["administrator's token"] = admin.Token!;
        var hook = await PostAsync(
            admin,
            "/subscriptions",
            new { name = "s", delivery = new { kind = "webhook", url = "http://127.0.0.1:9/hook" } }
        );
        canaries["secret of a webhook"] = hook.Text("/data/secret")!["whsec_".Length..];
        raw["secret of a webhook"] = Convert.FromBase64String(canaries["secret of a webhook"]);
        await PostAsync(admin, hook["Location"]!["/api/v1".Length..] + "/test", new { });
        Note(
            "new secret of a webhook",
            await PostAsync(admin, hook["Location"]!["/api/v1".Length..] + "/secret", new { }),
            "/data/secret"
        );
        canaries["new secret of a webhook"] = canaries["new secret of a webhook"]["whsec_".Length..];
        await Take(admin.GetAsync("/api/v1/audit?limit=200"));
    }

    Task<Answer> PostAsync(ApiClient caller, string path, object body) =>
        Take(caller.SendAsync("POST", "/api/v1" + path, JsonSerializer.Serialize(body)));

    async Task<Answer> Take(Task<Answer> request)
    {
        var answer = await request;
        // What an owner is told of their own is in its place; refusals and the audit are read by others.
        if (answer.Status >= 400 || answer.Text("/data/0/actor") is not null)
            answers.Add(answer.ToString());
        return answer;
    }

    string Note(string name, Answer answer, string pointer) =>
        canaries[name] = answer.Text(pointer) ?? throw new InvalidOperationException($"No {name}: {answer}");

    /// <summary>A secret as it is, and in its usual encodings.</summary>
    static IEnumerable<string> Forms(string canary) =>
        new[] { canary, Uri.EscapeDataString(canary) }.Concat(Forms(Encoding.UTF8.GetBytes(canary))).Distinct();

    /// <summary>Bytes as hexadecimal, and as base64 at every alignment.</summary>
    static IEnumerable<string> Forms(byte[] bytes) =>
        [
            Convert.ToHexStringLower(bytes),
            .. Enumerable
                .Range(0, 3)
                .Select(before =>
                    Convert.ToBase64String([.. new byte[before], .. bytes])[(before is 0 ? 0 : before + 1)..^4]
                )
                .SelectMany(text => new[] { text, text.Replace('+', '-').Replace('/', '_') })
                .Distinct(),
        ];

    static string Around(string text, string form)
    {
        var at = text.IndexOf(form, StringComparison.OrdinalIgnoreCase);
        return text[Math.Max(0, at - 200)..Math.Min(text.Length, at + form.Length + 50)];
    }
}
