using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Limits, on nodes with few permits.</summary>
[Collection(MoreNodes.Name)]
public sealed class RateLimitTests(Backend backend)
{
    const string Login = "/api/v1/auth/login";

    [Fact]
    public async Task F9_Each_caller_has_a_window_and_each_answer_says_where_it_stands()
    {
        await using var node = await StartAsync(("Default", 5), ("Login", 3));
        var guest = new Caller(node.Address);
        var admin = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);

        for (var left = 4; left >= 0; left--)
        {
            var answer = await admin.GetAsync(left is 2 ? "/api/v1/none" : "/api/v1/me");
            Assert.Equal(
                ("\"default\";q=5;w=3600", $"{left}"),
                (
                    answer["RateLimit-Policy"],
                    Regex.Match(answer["RateLimit"]!, "^\"default\";r=([0-9]+);t=").Groups[1].Value
                )
            );
        }
        foreach (
            var (method, path) in new[]
            {
                ("GET", "/api/v1/me"),
                ("POST", "/api/v1/resources"),
                ("GET", "/api/v1/resources/none"),
                ("DELETE", "/api/v1/me"),
            }
        )
            Refused(await admin.SendAsync(method, path), "default");

        Assert.Equal(401, (await guest.GetAsync("/api/v1/me")).Status);
        Assert.Equal(200, (await admin.GetAsync("/health/ready")).Status);
    }

    [Fact]
    public async Task F10_The_limit_is_the_callers_whichever_session_it_uses_and_nobody_elses()
    {
        await using var node = await StartAsync(("Default", 6));
        var guest = new Caller(node.Address);
        var one = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
        var other = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
        var person = await Person.CreateAsync(one, node.Address, "user");

        for (var i = 0; i < 5; i++)
            Assert.Equal(200, (await (i % 2 is 0 ? one : other).GetAsync("/api/v1/me")).Status);
        Refused(await one.GetAsync("/api/v1/me"), "default");
        Refused(await other.GetAsync("/api/v1/me"), "default");
        Assert.Equal(200, (await (await person.LoginAsync()).Caller.GetAsync("/api/v1/me")).Status);
    }

    [Fact]
    public async Task Logins_have_a_limit_of_their_own()
    {
        await using var node = await StartAsync(("Login", 2));
        var guest = new Caller(node.Address);
        for (var i = 0; i < 2; i++)
            Assert.Equal(401, (await guest.SendAsync("POST", Login, """{"email":"a@b","password":"x"}""")).Status);
        Refused(
            await guest.SendAsync(
                "POST",
                Login,
                $$"""{"email":"{{ApiNode.AdminEmail}}","password":"{{ApiNode.AdminPassword}}"}"""
            ),
            "login"
        );
        Assert.Equal(401, (await guest.GetAsync("/api/v1/me")).Status);
    }

    [Fact]
    public async Task A8_Wrong_passwords_are_counted_by_account_and_right_ones_are_not()
    {
        await using var node = await StartAsync(("LoginAccount", 3));
        var admin = await new Caller(node.Address).LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
        var victim = await Person.CreateAsync(admin, node.Address, "user");
        var other = await Person.CreateAsync(admin, node.Address, "user");

        for (var i = 0; i < 6; i++)
            Assert.Equal(200, (await victim.TryAsync()).Status);
        for (var left = 2; left >= 0; left--)
        {
            var answer = await victim.TryAsync("not the password");
            Assert.Equal((401, "\"login_account\";q=3;w=3600"), (answer.Status, answer["RateLimit-Policy"]));
            Assert.StartsWith($"\"login_account\";r={left};t=", answer["RateLimit"], StringComparison.Ordinal);
        }
        Refused(await victim.TryAsync("not the password"), "login_account");
        Refused(await victim.TryAsync(), "login_account");
        Assert.Equal(200, (await other.TryAsync()).Status);
    }

    [Fact]
    public async Task Streams_that_are_opened_have_a_limit_too()
    {
        await using var node = await StartAsync(("Streams", 3));
        var admin = await new Caller(node.Address).LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
        foreach (var path in new[] { "/api/v1/events", "/api/v1/resources?follow=true" })
        {
            await using var stream = await Subscriber.OpenAsync(node.Address, admin.Token, path);
            Assert.Equal(
                "\"streams\";q=3;w=3600",
                Assert.Single(stream.Response.Headers.GetValues("RateLimit-Policy"))
            );
        }
        await using (var socket = await Socket.OpenAsync(node.Address, admin.Token, ""))
            await socket.CatchUpAsync();

        Refused(await admin.GetAsync("/api/v1/events", ("Accept", "text/event-stream")), "streams");
        Refused(
            await admin.GetAsync(
                "/api/v1/events?wait=5&after=" + (await admin.GetAsync("/api/v1/events?limit=1000"))["Position"]
            ),
            "streams"
        );
        Assert.Equal(200, (await admin.GetAsync("/api/v1/events")).Status);
    }

    [Fact]
    public async Task F9_C8_What_is_kept_of_a_window_does_not_tell_whose_it_is()
    {
        await using var node = await StartAsync(("Default", 1000), ("Login", 1000));
        var admin = await new Caller(node.Address).LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
        var id = (await admin.GetAsync("/api/v1/me")).Text("/data/id")!;
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(200, (await admin.GetAsync("/api/v1/me")).Status);
            Assert.Equal(401, (await admin.SendAsync("POST", Login, """{"email":"a@b","password":"x"}""")).Status);
        }
        await using var source = NpgsqlDataSource.Create(node.ConnectionString);
        await using var command = source.CreateCommand("select bucket, key, granted from rate_limits order by bucket");
        await using var row = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var policies = new List<string>();
        while (await row.ReadAsync(TestContext.Current.CancellationToken))
        {
            policies.Add(row.GetString(0).Split('/')[0]);
            Assert.Matches("^[0-9a-f]{32}$", row.GetString(1));
            Assert.DoesNotContain(
                id.Replace("-", "", StringComparison.Ordinal),
                row.GetString(1),
                StringComparison.Ordinal
            );
            Assert.InRange(row.GetInt32(2), 10, 30);
        }
        Assert.Equal(["default", "login", "login_account"], policies);
    }

    /// <summary>A node with small limits for an hour.</summary>
    Task<ApiNode> StartAsync(params (string Policy, int Permits)[] limits) =>
        backend.StartNodeAsync([
            .. limits.SelectMany(limit =>
                new[]
                {
                    ($"RateLimits:{limit.Policy}:Permits", $"{limit.Permits}"),
                    ($"RateLimits:{limit.Policy}:WindowSeconds", "3600"),
                }
            ),
        ]);

    static void Refused(Answer answer, string policy)
    {
        Assert.Equal(
            (429, "RATE_LIMITED", "https://iana.org/assignments/http-problem-types#quota-exceeded", policy),
            (answer.Status, answer.Code, answer.Text("/type"), answer.Text("/violated-policies/0"))
        );
        var reset = Regex.Match(answer["RateLimit"]!, $"^\"{policy}\";r=0;t=([0-9]+)$").Groups[1].Value;
        Assert.Equal(reset, answer["Retry-After"]);
        Assert.InRange(int.Parse(reset, CultureInfo.InvariantCulture), 1, 3600);
    }
}
