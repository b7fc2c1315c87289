using System.Globalization;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>Limits, on a node with few permits.</summary>
[Collection(MoreNodes.Name)]
public sealed class RateLimitTests(Backend backend)
{
    [Fact]
    public async Task Each_caller_has_a_window_and_each_answer_says_where_it_stands()
    {
        await using var node = await backend.StartNodeAsync(("RateLimits:Default:Permits", "5"), ("RateLimits:Login:Permits", "3"), ("RateLimits:Login:WindowSeconds", "3600"), ("RateLimits:Default:WindowSeconds", "3600"));
        var guest = new Caller(node.Address);
        var admin = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);

        for (var left = 4; left >= 0; left--)
        {
            var answer = await admin.GetAsync(left is 2 ? "/api/v1/none" : "/api/v1/me");
            Assert.Equal(("\"default\";q=5;w=3600", $"{left}"), (answer["RateLimit-Policy"], Regex.Match(answer["RateLimit"]!, "^\"default\";r=([0-9]+);t=").Groups[1].Value));
        }
        foreach (var (method, path) in new[] { ("GET", "/api/v1/me"), ("POST", "/api/v1/resources"), ("GET", "/api/v1/resources/none"), ("DELETE", "/api/v1/me") })
            Refused(await admin.SendAsync(method, path), "default");

        Assert.Equal(401, (await guest.GetAsync("/api/v1/me")).Status);
        Assert.Equal(200, (await admin.GetAsync("/health/ready")).Status);
    }

    [Fact]
    public async Task Logins_have_a_limit_of_their_own()
    {
        await using var node = await backend.StartNodeAsync(("RateLimits:Login:Permits", "2"), ("RateLimits:Login:WindowSeconds", "3600"));
        var guest = new Caller(node.Address);
        for (var i = 0; i < 2; i++) Assert.Equal(401, (await guest.SendAsync("POST", "/api/v1/auth/login", """{"email":"a@b","password":"x"}""")).Status);
        Refused(await guest.SendAsync("POST", "/api/v1/auth/login", $$"""{"email":"{{ApiNode.AdminEmail}}","password":"{{ApiNode.AdminPassword}}"}"""), "login");
        Assert.Equal(401, (await guest.GetAsync("/api/v1/me")).Status);
    }

    static void Refused(Answer answer, string policy)
    {
        Assert.Equal((429, "RATE_LIMITED", "https://iana.org/assignments/http-problem-types#quota-exceeded", policy), (answer.Status, answer.Code, answer.Text("/type"), answer.Text("/violated-policies/0")));
        var reset = Regex.Match(answer["RateLimit"]!, $"^\"{policy}\";r=0;t=([0-9]+)$").Groups[1].Value;
        Assert.Equal(reset, answer["Retry-After"]);
        Assert.InRange(int.Parse(reset, CultureInfo.InvariantCulture), 1, 3600);
    }
}
