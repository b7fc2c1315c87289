using System.Diagnostics;

namespace Resources.Api.Tests;

/// <summary>Sessions: their list, their end, and the secrecy of their tokens.</summary>
public sealed class SessionTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "A9")]
    public async Task Password_change_ends_all_other_sessions()
    {
        var person = await backend.CreatePersonAsync("user");
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
    [Trait("Conformance", "B8")]
    public async Task Session_tokens_are_not_stored()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        var browser = await person.LoginByCookieAsync();
        var dump = await Dump.OfAsync(backend.Server.ConnectionString);
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
    [Trait("Conformance", "B9")]
    [Trait("Conformance", "H2")]
    public async Task Ended_session_loses_tokens_cookies_and_streams_within_a_second(string way)
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        var other = await person.LoginAsync();
        await using var stream = await Subscriber.OpenAsync(
            backend.Server.Address,
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
    [Trait("Conformance", "B11")]
    public async Task Callers_list_and_end_only_their_own_sessions()
    {
        var person = await backend.CreatePersonAsync("user");
        var stranger = await backend.CreatePersonAsync("user");
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
    [Trait("Conformance", "B11")]
    public async Task Session_with_many_refreshes_is_listed_with_its_last_use()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        for (var i = 0; i <= Grains.Snapshots.Interval; i++)
            session = person.Of(await person.RefreshAsync(session.RefreshToken));
        var listed = (await session.Caller.GetAsync("/api/v1/sessions")).At("/data/0")!.Value;
        var last = await backend.Admin.GetAsync(
            $"/api/v1/audit?subject={listed.GetProperty("id").GetString()}&limit=1"
        );
        Assert.Equal(last.Text("/data/0/time"), listed.GetProperty("usedAt").GetString());
    }

    [Fact]
    [Trait("Conformance", "B16")]
    public async Task Token_in_the_URL_is_refused()
    {
        foreach (var path in new[] { "/api/v1/me", "/api/v1/events", "/api/v1/events/ws" })
            Assert.Contains(
                (await backend.Guest.GetAsync($"{path}?access_token={backend.Admin.Token}")).Status,
                new[] { 400, 401 }
            );
    }

    [Fact]
    [Trait("Conformance", "B18")]
    public async Task Responses_with_secrets_are_not_cached()
    {
        var person = await backend.CreatePersonAsync("user");
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
