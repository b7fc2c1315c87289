using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans;

namespace Resources.Api.Tests;

/// <summary>Rate limits, on servers with few permits.</summary>
public sealed class RateLimitTests(Backend backend)
{
    const string Login = "/api/v1/auth/login";

    [Fact]
    [Trait("Conformance", "F9")]
    public async Task Each_caller_has_a_window_and_each_response_reports_it()
    {
        await using var node = await StartAsync(("Default", 5), ("Login", 3));
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();

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
    [Trait("Conformance", "J11")]
    public async Task What_an_account_creates_that_lasts_is_limited_by_kind()
    {
        await using var node = await StartAsync(("Users", 2), ("Roles", 2), ("ApiKeys", 2), ("Subscriptions", 2));
        var admin = await node.AdminAsync();
        foreach (
            var (path, policy, body) in new (string, string, Func<string, object>)[]
            {
                ("/users", "users", name => new { email = name + "@example.org", password = Person.Password }),
                ("/roles", "roles", name => new { name, permissions = Array.Empty<string>() }),
                ("/api-keys", "api_keys", name => new { name, permissions = Array.Empty<string>() }),
                ("/subscriptions", "subscriptions", name => new { name, delivery = new { kind = "pull" } }),
            }
        )
        {
            foreach (var name in new[] { "one", "two" })
            {
                var made = await admin.PostAsync(path, body(name));
                Assert.True(made.Status is 201, $"{made}");
            }
            Refused(await admin.PostAsync(path, body("three")), policy);
        }
        // Others have their own; and everything else goes on.
        Assert.Equal(200, (await admin.GetAsync("/api/v1/users")).Status);
    }

    [Fact]
    [Trait("Conformance", "F10")]
    public async Task Limit_is_per_caller_across_its_sessions()
    {
        await using var node = await StartAsync(("Default", 6));
        var guest = node.Guest();
        var one = await guest.LoginAsAdminAsync();
        var other = await guest.LoginAsAdminAsync();
        var person = await Person.CreateAsync(one, node.Address, "user");

        for (var i = 0; i < 5; i++)
            Assert.Equal(200, (await (i % 2 is 0 ? one : other).GetAsync("/api/v1/me")).Status);
        Refused(await one.GetAsync("/api/v1/me"), "default");
        Refused(await other.GetAsync("/api/v1/me"), "default");
        Assert.Equal(200, (await (await person.LoginAsync()).Caller.GetAsync("/api/v1/me")).Status);
    }

    [Fact]
    public async Task Logins_have_a_separate_limit()
    {
        await using var node = await StartAsync(("Login", 2));
        var guest = node.Guest();
        for (var i = 0; i < 2; i++)
            Assert.Equal(401, (await guest.SendAsync("POST", Login, """{"email":"a@b","password":"x"}""")).Status);
        Refused(
            await guest.SendAsync(
                "POST",
                Login,
                $$"""{"email":"{{TestServer.AdminEmail}}","password":"{{TestServer.AdminPassword}}"}"""
            ),
            "login"
        );
        Assert.Equal(401, (await guest.GetAsync("/api/v1/me")).Status);
    }

    [Fact]
    [Trait("Conformance", "A8")]
    public async Task Only_wrong_passwords_count_per_account()
    {
        await using var node = await StartAsync(("LoginAccount", 3));
        var admin = await node.AdminAsync();
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
    public async Task Opened_streams_have_a_limit()
    {
        await using var node = await StartAsync(("Streams", 3));
        var admin = await node.AdminAsync();
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
    [Trait("Conformance", "F9")]
    [Trait("Conformance", "C8")]
    public async Task Stored_windows_do_not_reveal_their_caller()
    {
        await using var node = await StartAsync(("Default", 1000), ("Login", 1000));
        var admin = await node.AdminAsync();
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
        Assert.Equal(["default", "login", "login_account", "login_pair"], policies);
    }

    [Fact]
    public async Task Permit_that_comes_too_late_is_told_as_such_and_not_as_a_lost_node()
    {
        await using var limit = new LeasedLimit(
            RateLimits.Default,
            new() { Permits = 10, WindowSeconds = 1 },
            new byte[32],
            backend.Server.Services.GetRequiredService<IClusterClient>(),
            new StarvedClock()
        );
        var late = await Assert.ThrowsAsync<ProblemException>(async () => await limit.TakeAsync("late"));
        Assert.Equal(("LIMIT_UNKNOWN", 503), (late.Type.Code, late.Type.Status));
    }

    /// <summary>The clock of a node that is so short of processors that each step takes it two seconds.</summary>
    sealed class StarvedClock : TimeProvider
    {
        long now;

        public override long GetTimestamp() => Interlocked.Add(ref now, 2 * TimestampFrequency);
    }

    /// <summary>A server with small limits for an hour.</summary>
    Task<InProcessServer> StartAsync(params (string Policy, int Permits)[] limits) =>
        backend.StartServerAsync([
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
