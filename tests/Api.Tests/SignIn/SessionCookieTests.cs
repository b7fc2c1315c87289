using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>The cookie of a session, and its protection against CSRF.</summary>
public sealed class SessionCookieTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "B10")]
    public async Task Cookie_is_replaced_at_login_and_step_up()
    {
        var person = await backend.CreatePersonAsync("user");
        var (cookie, csrf, _) = await person.LoginByCookieAsync();
        var again = await person.Guest.SendAsync(
            "POST",
            "/api/v1/auth/login",
            JsonSerializer.Serialize(
                new
                {
                    email = person.Email,
                    password = Person.Password,
                    cookie = true,
                }
            ),
            "application/json",
            ("Cookie", cookie)
        );
        Assert.NotEqual(cookie, again.Cookie("__Host-session"));

        var stepped = await person.Guest.SendAsync(
            "POST",
            "/api/v1/auth/step-up",
            $$"""{"method":"password","code":"{{Person.Password}}"}""",
            "application/json",
            ("Cookie", cookie),
            ("X-CSRF-Token", csrf)
        );
        Assert.Equal(200, stepped.Status);
        await Eventually.HoldsAsync(async () =>
            (await person.Guest.GetAsync("/api/v1/me", ("Cookie", cookie))).Status is 401
        );
        Assert.Equal(
            200,
            (await person.Guest.GetAsync("/api/v1/me", ("Cookie", stepped.Cookie("__Host-session")!))).Status
        );
    }

    [Fact]
    [Trait("Conformance", "B12")]
    public async Task Cookie_has_every_protective_attribute_and_logout_clears_it()
    {
        var person = await backend.CreatePersonAsync("user");
        var (cookie, csrf, answer) = await person.LoginByCookieAsync();
        var cookies = answer["Set-Cookie"]!.Split(", ");
        foreach (
            var (text, name, seconds) in new[]
            {
                (cookies[0], "__Host-session=", 2_592_000),
                // Browsers keep none for more than 400 days.
                (cookies[1], "__Host-device=", 34_560_000),
            }
        )
        {
            var parts = text.Split("; ");
            Assert.StartsWith(name, parts[0], StringComparison.Ordinal);
            Assert.Equal(
                ["httponly", $"max-age={seconds}", "path=/", "samesite=strict", "secure"],
                parts[1..].Select(part => part.ToLowerInvariant()).Order(StringComparer.Ordinal)
            );
            Assert.True(text.Length < 4096);
        }
        Assert.Equal(2, cookies.Length);
        Assert.Null(answer.Text("/data/accessToken"));

        var gone = await person.Guest.SendAsync(
            "POST",
            "/api/v1/auth/logout",
            null,
            "application/json",
            ("Cookie", cookie),
            ("X-CSRF-Token", csrf)
        );
        Assert.Equal(204, gone.Status);
        Assert.StartsWith("__Host-session=; expires=Thu, 01 Jan 1970", gone["Set-Cookie"], StringComparison.Ordinal);
        // Not all cookies: the browser stays known to the account.
        Assert.Equal("\"cache\", \"storage\"", gone["Clear-Site-Data"]);
        await Eventually.HoldsAsync(async () =>
            (await person.Guest.GetAsync("/api/v1/me", ("Cookie", cookie))).Status is 401
        );
    }

    [Fact]
    [Trait("Conformance", "B13")]
    public async Task Cookie_writes_need_the_CSRF_token_of_their_session()
    {
        var person = await backend.CreatePersonAsync("user");
        var other = await backend.CreatePersonAsync("user");
        var (cookie, csrf, _) = await person.LoginByCookieAsync();
        var stranger = await other.LoginByCookieAsync();
        var own = backend.Server.Address.GetLeftPart(UriPartial.Authority);
        Task<Answer> EndOthers(params (string, string)[] headers) =>
            person.Guest.SendAsync(
                "DELETE",
                "/api/v1/sessions",
                null,
                "application/json",
                [("Cookie", cookie), .. headers]
            );
        foreach (
            var refused in new[]
            {
                await EndOthers(),
                await EndOthers(("X-CSRF-Token", stranger.Csrf)),
                await EndOthers(("X-CSRF-Token", "")),
                await EndOthers(("X-CSRF-Token", csrf), ("Origin", "https://evil.example")),
                await EndOthers(("X-CSRF-Token", csrf), ("Origin", "null")),
                await EndOthers(("X-CSRF-Token", csrf), ("Sec-Fetch-Site", "cross-site")),
                await EndOthers(("X-CSRF-Token", csrf), ("Sec-Fetch-Site", "same-site")),
                await person.Guest.GetAsync("/api/v1/me", ("Cookie", cookie), ("Origin", "https://evil.example")),
                await person.Guest.GetAsync("/api/v1/events", ("Cookie", cookie), ("Sec-Fetch-Site", "cross-site")),
            }
        )
            Assert.Equal((403, "CSRF_REJECTED"), (refused.Status, refused.Code));
        foreach (
            var type in new[] { "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x" }
        )
            Assert.Equal(
                415,
                (
                    await person.Guest.SendAsync(
                        "POST",
                        "/api/v1/auth/step-up",
                        "{}",
                        type,
                        ("Cookie", cookie),
                        ("X-CSRF-Token", csrf)
                    )
                ).Status
            );
        var login = JsonSerializer.Serialize(
            new
            {
                email = person.Email,
                password = Person.Password,
                cookie = true,
            }
        );
        Assert.Equal(
            "CSRF_REJECTED",
            (
                await person.Guest.SendAsync(
                    "POST",
                    "/api/v1/auth/login",
                    login,
                    "application/json",
                    ("Origin", "https://evil.example")
                )
            ).Code
        );
        Assert.Equal(
            204,
            (await EndOthers(("X-CSRF-Token", csrf), ("Origin", own), ("Sec-Fetch-Site", "same-origin"))).Status
        );
        Assert.Equal(204, (await EndOthers(("X-CSRF-Token", csrf))).Status);
        Assert.Equal(204, (await (await person.LoginAsync()).Caller.SendAsync("DELETE", "/api/v1/sessions")).Status);
    }

    [Fact]
    [Trait("Conformance", "B12")]
    public async Task Only_a_cookie_of_exactly_that_name_counts()
    {
        var person = await backend.CreatePersonAsync("user");
        var (cookie, _, _) = await person.LoginByCookieAsync();
        var value = cookie.Split('=')[1];
        // Browsers guard the prefix as it is written: anybody may set these.
        foreach (
            var name in new[] { "__host-session", "__HOST-SESSION", "__Host-Session", "x__Host-session", "session" }
        )
        {
            Assert.Equal(401, (await person.Guest.GetAsync("/api/v1/me", ("Cookie", $"{name}={value}"))).Status);
            foreach (
                var header in new[]
                {
                    $"{cookie}; {name}=other",
                    $"{name}=other; {cookie}",
                    $"a=b;{cookie};{name}={value}",
                    $"{cookie}; {name}; =; ;",
                }
            )
                Assert.Equal(200, (await person.Guest.GetAsync("/api/v1/me", ("Cookie", header))).Status);
        }
    }

    [Fact]
    [Trait("Conformance", "B14")]
    public async Task Authorization_header_overrides_the_cookie()
    {
        var person = await backend.CreatePersonAsync("user");
        var (cookie, _, _) = await person.LoginByCookieAsync();
        Assert.Equal(
            TestServer.AdminEmail,
            (await backend.Admin.GetAsync("/api/v1/me", ("Cookie", cookie))).Text("/data/email")
        );
        Assert.Equal(401, (await person.Guest.With("nonsense").GetAsync("/api/v1/me", ("Cookie", cookie))).Status);
        Assert.Equal(403, (await person.Guest.GetAsync("/api/v1/users", ("Cookie", cookie))).Status);
    }
}
