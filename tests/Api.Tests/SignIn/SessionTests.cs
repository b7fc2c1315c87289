using System.Diagnostics;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Sessions, refresh tokens, cookies (A9, B7 to B14, B16, B18).</summary>
public sealed class SessionTests(Backend backend)
{
    Task<Person> PersonAsync() => Person.CreateAsync(backend.Admin, backend.Node.Address, "user");

    [Fact]
    public async Task A9_A_changed_password_ends_all_other_sessions()
    {
        var person = await PersonAsync();
        var one = await person.LoginAsync();
        var other = await person.LoginAsync();
        var browser = await person.LoginByCookieAsync();
        Assert.Equal(
            403,
            (
                await one.Caller.SendAsync(
                    "POST",
                    "/api/v1/auth/password",
                    """{"currentPassword":"not this one at all","newPassword":"another long password"}"""
                )
            ).Status
        );
        Assert.Equal(
            400,
            (
                await one.Caller.SendAsync(
                    "POST",
                    "/api/v1/auth/password",
                    """{"newPassword":"another long password"}"""
                )
            ).Status
        );
        Assert.Equal(
            204,
            (
                await one.Caller.SendAsync(
                    "POST",
                    "/api/v1/auth/password",
                    $$"""{"currentPassword":"{{Person.Password}}","newPassword":"another long password"}"""
                )
            ).Status
        );

        await Eventually.HoldsAsync(async () => (await other.Caller.GetAsync("/api/v1/me")).Status is 401);
        Assert.Equal(401, (await person.RefreshAsync(other.RefreshToken)).Status);
        Assert.Equal(401, (await person.Guest.GetAsync("/api/v1/me", ("Cookie", browser.Cookie))).Status);
        Assert.Equal(200, (await one.Caller.GetAsync("/api/v1/me")).Status);
        Assert.Equal(200, (await person.RefreshAsync(one.RefreshToken)).Status);
        Assert.Equal(401, (await person.TryAsync()).Status);
        Assert.Equal(200, (await person.TryAsync("another long password")).Status);
    }

    [Fact]
    public async Task B7_A_refresh_token_is_good_once_and_its_second_use_ends_the_session()
    {
        var person = await PersonAsync();
        var first = await person.LoginAsync();
        var second = person.Of(await person.RefreshAsync(first.RefreshToken));
        var third = person.Of(await person.RefreshAsync(second.RefreshToken));
        Assert.Equal(200, (await third.Caller.GetAsync("/api/v1/me")).Status);
        Assert.Equal(
            (401, "SESSION_OVER"),
            (await person.RefreshAsync(first.RefreshToken)) is var reused ? (reused.Status, reused.Code) : default
        );
        Assert.Equal(401, (await person.RefreshAsync(third.RefreshToken)).Status);
        await Eventually.HoldsAsync(async () => (await third.Caller.GetAsync("/api/v1/me")).Status is 401);
        var audit = await backend.Admin.GetAsync($"/api/v1/audit?actor={person.Id}&event=session.ended");
        Assert.Equal("reused", audit.Text("/data/0/data/reason"));
    }

    [Fact]
    public async Task B7_Of_many_who_use_one_refresh_token_at_once_one_succeeds()
    {
        var person = await PersonAsync();
        var session = await person.LoginAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => person.RefreshAsync(session.RefreshToken)));
        Assert.Single(answers, answer => answer.Status is 200);
    }

    [Fact]
    public async Task B7_A_made_up_refresh_token_ends_nothing()
    {
        var person = await PersonAsync();
        var session = await person.LoginAsync();
        foreach (
            var wrong in new[]
            {
                session.RefreshToken[..^1] + (session.RefreshToken[^1] is 'A' ? 'B' : 'A'),
                "rrt_" + new string('A', 70),
                session.RefreshToken + "A",
                session.Caller.Token!,
                "",
            }
        )
            Assert.Contains((await person.RefreshAsync(wrong)).Status, new[] { 400, 401 });
        Assert.Equal(200, (await person.RefreshAsync(session.RefreshToken)).Status);
    }

    [Fact]
    public async Task B8_No_token_of_a_session_is_in_the_database()
    {
        var person = await PersonAsync();
        var session = await person.LoginAsync();
        var browser = await person.LoginByCookieAsync();
        var dump = await Dump.OfAsync(backend.Node.ConnectionString);
        foreach (
            var secret in new[]
            {
                session.RefreshToken["rrt_".Length..],
                session.Caller.Token!.Split('.')[2],
                browser.Cookie.Split('=')[1],
                browser.Csrf,
            }
        )
            Assert.DoesNotContain(secret, dump, StringComparison.Ordinal);
    }

    [
        Theory,
        InlineData("logout"),
        InlineData("delete"),
        InlineData("disable"),
        InlineData("delete user"),
        InlineData("end others")
    ]
    public async Task B9_What_ends_a_session_counts_for_tokens_cookies_and_streams_within_a_second(string way)
    {
        var person = await PersonAsync();
        var session = await person.LoginAsync();
        var other = await person.LoginAsync();
        await using var stream = await Subscriber.OpenAsync(
            backend.Node.Address,
            session.Caller.Token!,
            "/api/v1/events?after=now"
        );
        var id = (await session.Caller.GetAsync("/api/v1/sessions"))
            .At("/data")!
            .Value.EnumerateArray()
            .First(each => each.GetProperty("current").GetBoolean())
            .GetProperty("id")
            .GetString();
        var watch = Stopwatch.StartNew();
        Assert.Contains(
            (
                await (
                    way switch
                    {
                        "logout" => session.Caller.SendAsync("POST", "/api/v1/auth/logout"),
                        "delete" => other.Caller.SendAsync("DELETE", $"/api/v1/sessions/{id}"),
                        "disable" => backend.Admin.SendAsync(
                            "PATCH",
                            $"/api/v1/users/{person.Id}",
                            """{"disabled":true}"""
                        ),
                        "delete user" => backend.Admin.SendAsync("DELETE", $"/api/v1/users/{person.Id}"),
                        _ => other.Caller.SendAsync("DELETE", "/api/v1/sessions"),
                    }
                )
            ).Status,
            new[] { 200, 204 }
        );

        await stream.ToEndAsync();
        await Eventually.HoldsAsync(async () => (await session.Caller.GetAsync("/api/v1/me")).Status is 401);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"It took {watch.Elapsed}.");
        Assert.Equal(401, (await person.RefreshAsync(session.RefreshToken)).Status);
        if (way is "disable")
        {
            Assert.Equal(
                (403, "ACCOUNT_INACTIVE"),
                (await person.TryAsync()) is var inactive ? (inactive.Status, inactive.Code) : default
            );
            Assert.Equal(
                200,
                (await backend.Admin.SendAsync("PATCH", $"/api/v1/users/{person.Id}", """{"disabled":false}""")).Status
            );
            Assert.Equal(401, (await session.Caller.GetAsync("/api/v1/me")).Status);
            await Eventually.HoldsAsync(async () =>
                (await (await person.LoginAsync()).Caller.GetAsync("/api/v1/me")).Status is 200
            );
        }
    }

    [Fact]
    public async Task B10_A_cookie_is_new_at_login_and_after_another_authentication()
    {
        var person = await PersonAsync();
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
        Assert.NotEqual(cookie, again["Set-Cookie"]!.Split(';')[0]);

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
            (await person.Guest.GetAsync("/api/v1/me", ("Cookie", stepped["Set-Cookie"]!.Split(';')[0]))).Status
        );
    }

    [Fact]
    public async Task B11_Ones_sessions_are_listed_and_only_ones_own_can_be_ended()
    {
        var person = await PersonAsync();
        var stranger = await PersonAsync();
        var session = await person.LoginAsync();
        var browser = await person.LoginByCookieAsync();
        var strange = await stranger.LoginAsync();
        var list = (await session.Caller.GetAsync("/api/v1/sessions")).At("/data")!.Value.EnumerateArray().ToArray();
        Assert.Equal(["cookie", "token"], list.Select(each => each.GetProperty("kind").GetString()));
        Assert.Equal([false, true], list.Select(each => each.GetProperty("current").GetBoolean()));
        var id = list[0].GetProperty("id").GetString();
        Assert.Equal("SESSION_NOT_FOUND", (await strange.Caller.SendAsync("DELETE", $"/api/v1/sessions/{id}")).Code);
        Assert.Equal(403, (await strange.Caller.GetAsync($"/api/v1/users/{person.Id}/sessions")).Status);
        Assert.Equal(200, (await person.Guest.GetAsync("/api/v1/me", ("Cookie", browser.Cookie))).Status);
        Assert.Equal(
            2,
            (await backend.Admin.GetAsync($"/api/v1/users/{person.Id}/sessions")).At("/data")!.Value.GetArrayLength()
        );
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/sessions/{id}")).Status);
        await Eventually.HoldsAsync(async () =>
            (await person.Guest.GetAsync("/api/v1/me", ("Cookie", browser.Cookie))).Status is 401
        );
        Assert.Single((await session.Caller.GetAsync("/api/v1/sessions")).At("/data")!.Value.EnumerateArray());
    }

    [Fact]
    public async Task B11_A_session_that_has_gone_on_for_long_is_listed_as_it_is_now()
    {
        var person = await PersonAsync();
        var session = await person.LoginAsync();
        for (var i = 0; i <= Grains.Snapshots.Every; i++)
            session = person.Of(await person.RefreshAsync(session.RefreshToken));
        var listed = (await session.Caller.GetAsync("/api/v1/sessions")).At("/data/0")!.Value;
        var last = await backend.Admin.GetAsync(
            $"/api/v1/audit?subject={listed.GetProperty("id").GetString()}&limit=1"
        );
        Assert.Equal(last.Text("/data/0/time"), listed.GetProperty("usedAt").GetString());
    }

    [Fact]
    public async Task B12_The_cookie_is_as_browsers_keep_it_safe_and_logout_takes_it_away()
    {
        var person = await PersonAsync();
        var (cookie, csrf, answer) = await person.LoginByCookieAsync();
        var parts = answer["Set-Cookie"]!.Split("; ").Select(part => part.ToLowerInvariant()).ToArray();
        Assert.StartsWith("__host-session=", parts[0], StringComparison.Ordinal);
        Assert.Equal(
            ["httponly", "max-age=2592000", "path=/", "samesite=strict", "secure"],
            parts[1..].Order(StringComparer.Ordinal)
        );
        Assert.True(answer["Set-Cookie"]!.Length < 4096);
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
        Assert.Equal("\"cache\", \"cookies\", \"storage\"", gone["Clear-Site-Data"]);
        await Eventually.HoldsAsync(async () =>
            (await person.Guest.GetAsync("/api/v1/me", ("Cookie", cookie))).Status is 401
        );
    }

    [Fact]
    public async Task B13_What_a_cookie_authorises_must_come_from_a_page_of_its_session()
    {
        var person = await PersonAsync();
        var other = await PersonAsync();
        var (cookie, csrf, _) = await person.LoginByCookieAsync();
        var stranger = await other.LoginByCookieAsync();
        var own = backend.Node.Address.GetLeftPart(UriPartial.Authority);
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
    public async Task B14_With_a_header_a_cookie_does_not_count()
    {
        var person = await PersonAsync();
        var (cookie, _, _) = await person.LoginByCookieAsync();
        Assert.Equal(
            ApiNode.AdminEmail,
            (await backend.Admin.GetAsync("/api/v1/me", ("Cookie", cookie))).Text("/data/email")
        );
        Assert.Equal(401, (await person.Guest.With("nonsense").GetAsync("/api/v1/me", ("Cookie", cookie))).Status);
        Assert.Equal(403, (await person.Guest.GetAsync("/api/v1/users", ("Cookie", cookie))).Status);
    }

    [Fact]
    public async Task B16_No_token_in_an_address_is_taken()
    {
        foreach (var path in new[] { "/api/v1/me", "/api/v1/events", "/api/v1/events/ws" })
            Assert.Contains(
                (await backend.Guest.GetAsync($"{path}?access_token={backend.Admin.Token}")).Status,
                new[] { 400, 401 }
            );
    }

    [Fact]
    public async Task B18_Answers_with_secrets_are_kept_nowhere()
    {
        var person = await PersonAsync();
        var session = await person.LoginAsync();
        var login = await person.TryAsync();
        foreach (
            var answer in new[]
            {
                login,
                await person.RefreshAsync(session.RefreshToken),
                (await person.LoginByCookieAsync()).Answer,
                await session.Caller.GetAsync("/api/v1/me"),
                await session.Caller.GetAsync("/api/v1/api-keys"),
                await session.Caller.GetAsync("/api/v1/sessions"),
                await session.Caller.SendAsync("POST", "/api/v1/me/mfa/totp"),
                await backend.Admin.GetAsync("/api/v1/users"),
            }
        )
            Assert.Equal((true, "no-store"), (answer.Status is 200 or 201, answer["Cache-Control"]));
    }
}
