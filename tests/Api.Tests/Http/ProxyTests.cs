namespace Resources.Api.Tests;

/// <summary>Trust in headers that state a client's address, scheme or host.</summary>
[Trait("Conformance", "E7")]
public sealed class ProxyTests(Backend backend)
{
    const string Login = "/api/v1/auth/login";

    [Theory, InlineData("FORWARDEDHEADERS_ENABLED", "true"), InlineData("Proxies:Trusted:0", "192.0.2.0/24")]
    public async Task Untrusted_clients_cannot_set_address_or_scheme_by_headers(string option, string value)
    {
        await using var node = await StartAsync((option, value));
        for (var i = 0; i < 2; i++)
            Assert.Equal(401, await TryAsync(node, $"198.51.100.{i}"));
        Assert.Equal(429, await TryAsync(node, "198.51.100.9"));
        Assert.Equal(429, await TryAsync(node, "127.0.0.1, ::1"));
    }

    [Fact]
    public async Task Spoofed_address_is_not_logged()
    {
        await using var node = await StartAsync();
        Assert.Equal("127.0.0.1", await LoggedAsync(node, "198.51.100.7"));
    }

    [Fact]
    public async Task Client_address_is_the_last_untrusted_one_in_the_proxy_chain()
    {
        await using var node = await StartAsync(
            ("Proxies:Trusted:0", "127.0.0.0/8"),
            ("Proxies:Trusted:1", "10.0.0.0/8")
        );
        Assert.Equal("198.51.100.7", await LoggedAsync(node, "203.0.113.1, 198.51.100.7, 10.1.2.3"));
        foreach (var address in new[] { "198.51.100.1", "198.51.100.2", "203.0.113.1, 198.51.100.3" })
        {
            for (var i = 0; i < 2; i++)
                Assert.Equal(401, await TryAsync(node, address));
            Assert.Equal(429, await TryAsync(node, address));
        }
        // What the client claims before its balancer adds to it changes nothing.
        Assert.Equal(429, await TryAsync(node, "192.0.2.1, 198.51.100.1"));
    }

    [Fact]
    [Trait("Conformance", "F10")]
    public async Task IPv6_clients_share_one_limit_per_64_prefix()
    {
        await using var node = await StartAsync(("Proxies:Trusted:0", "127.0.0.1/32"));
        Assert.Equal(401, await TryAsync(node, "2001:db8:0:1::1"));
        Assert.Equal(401, await TryAsync(node, "2001:db8:0:1:ffff::2"));
        Assert.Equal(429, await TryAsync(node, "2001:db8:0:1:a:b:c:d"));
        Assert.Equal(401, await TryAsync(node, "2001:db8:0:2::1"));
        // An address of IPv4 is the same in its other form.
        Assert.Equal(401, await TryAsync(node, "198.51.100.1"));
        Assert.Equal(401, await TryAsync(node, "::ffff:198.51.100.1"));
        Assert.Equal(429, await TryAsync(node, "198.51.100.1"));
    }

    [Fact]
    [Trait("Conformance", "F10")]
    public async Task Wider_networks_of_IPv6_have_limits_too()
    {
        await using var node = await StartAsync(
            ("Proxies:Trusted:0", "127.0.0.1/32"),
            ("RateLimits:Default:Permits", "1"),
            ("RateLimits:Default:WindowSeconds", "3600")
        );
        var guest = node.Guest();
        Task<Answer> AskAsync(string address) => guest.GetAsync("/api/v1/me", ("X-Forwarded-For", address));
        // Four times as much for a /56 as for a /64, and again for a /48.
        for (var wide = 0; wide < 4; wide++)
        for (var narrow = 0; narrow < 5; narrow++)
        {
            var answer = await AskAsync($"2001:db8:7:{wide:x}{narrow:x2}::1");
            Assert.Equal(narrow < 4 ? 401 : 429, answer.Status);
            if (narrow is 4)
                Assert.Equal("\"default\";q=4;w=3600", answer["RateLimit-Policy"]);
        }
        var refused = await AskAsync("2001:db8:7:ff00::1");
        Assert.Equal((429, "\"default\";q=16;w=3600"), (refused.Status, refused["RateLimit-Policy"]));
        Assert.Equal(401, (await AskAsync("2001:db8:8::1")).Status);
    }

    [Fact]
    public async Task Unknown_host_is_refused_and_links_are_relative()
    {
        await using var node = await StartAsync(("AllowedHosts", "127.0.0.1;[::1]"));
        using var http = new HttpClient();
        foreach (var (host, status) in new[] { ("evil.example", 400), (node.Address.Authority, 200) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node.Address, "/health/live"))
            {
                Headers = { Host = host },
            };
            using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(status, (int)answer.StatusCode);
        }
        var created = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            """{"name":"linked"}""",
            headers: [("Host", "evil.example"), ("X-Forwarded-Host", "evil.example")]
        );
        Assert.Equal((201, $"/api/v1/resources/{created.Text("/data/id")}"), (created.Status, created["Location"]));
    }

    Task<InProcessServer> StartAsync(params (string, string)[] options) =>
        backend.StartServerAsync([
            ("RateLimits:Login:Permits", "2"),
            ("RateLimits:Login:WindowSeconds", "3600"),
            .. options,
        ]);

    static async Task<int> TryAsync(InProcessServer node, string forwardedFor) =>
        (
            await node.Guest()
                .SendAsync(
                    "POST",
                    Login,
                    """{"email":"a@b","password":"x"}""",
                    headers: ("X-Forwarded-For", forwardedFor)
                )
        ).Status;

    /// <summary>Logs in. Returns the address that the audit log recorded.</summary>
    static async Task<string?> LoggedAsync(InProcessServer node, string forwardedFor)
    {
        var guest = node.Guest();
        var login = await guest.SendAsync(
            "POST",
            Login,
            $$"""{"email":"{{TestServer.AdminEmail}}","password":"{{TestServer.AdminPassword}}"}""",
            headers: ("X-Forwarded-For", forwardedFor)
        );
        Assert.Equal(200, login.Status);
        return (
            await guest.With(login.Text("/data/accessToken")!).GetAsync("/api/v1/audit?event=session.started")
        ).Text("/data/0/address");
    }
}
