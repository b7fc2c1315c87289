namespace Resources.Api.Tests;

/// <summary>CORS, and cookies sent from other origins.</summary>
public sealed class OriginTests(Backend backend)
{
    const string App = "https://app.example.org";

    static readonly string[] Addresses =
    [
        "/api/v1/me",
        "/api/v1/resources",
        "/api/v1/none",
        "/api/v1/auth/login",
        "/.well-known/jwks.json",
        "/openapi/v1.json",
        "/health",
    ];

    [Fact]
    [Trait("Conformance", "B15")]
    public async Task Without_allowed_origins_no_foreign_page_can_read_responses()
    {
        foreach (var address in Addresses)
        {
            using var answer = await SendAsync(backend.Server, HttpMethod.Get, address, App);
            Assert.Empty(Allowances(answer));
            using var asked = await SendAsync(backend.Server, HttpMethod.Options, address, App, "PATCH");
            Assert.Empty(Allowances(asked));
            Assert.Equal(System.Net.HttpStatusCode.NoContent, asked.StatusCode);
        }
    }

    [Theory]
    [
        InlineData("https://evil.example"),
        InlineData("https://app.example.org.evil.example"),
        InlineData("https://evil-app.example.org"),
        InlineData("http://app.example.org"),
        InlineData("https://app.example.org:444"),
        InlineData("null"),
        InlineData("*")
    ]
    [Trait("Conformance", "B15")]
    public async Task Only_configured_origins_are_allowed_and_responses_vary_by_origin(string other)
    {
        await using var node = await backend.StartServerAsync(
            ("Origins:Allowed:0", App),
            ("Origins:Allowed:1", "https://another.example.org")
        );
        var admin = await node.AdminAsync();
        foreach (var address in Addresses)
        foreach (var token in new[] { null, admin.Token })
        {
            foreach (var origin in new[] { null, other })
            {
                using var answer = await SendAsync(node, HttpMethod.Get, address, origin, token: token);
                Assert.Empty(Allowances(answer));
                Assert.Equal(["Accept-Encoding", "Origin"], answer.Headers.Vary);
            }
            using var allowed = await SendAsync(node, HttpMethod.Get, address, App, token: token);
            Assert.Equal(
                (App, "true"),
                (
                    Allowances(allowed)["Access-Control-Allow-Origin"],
                    Allowances(allowed)["Access-Control-Allow-Credentials"]
                )
            );
            Assert.Contains("ETag", Allowances(allowed)["Access-Control-Expose-Headers"], StringComparison.Ordinal);
            Assert.Equal(["Accept-Encoding", "Origin"], allowed.Headers.Vary);
        }

        using var refused = await SendAsync(node, HttpMethod.Options, "/api/v1/resources", other, "PATCH");
        Assert.DoesNotContain("Access-Control-Allow-Origin", Allowances(refused).Keys);
        using var granted = await SendAsync(node, HttpMethod.Options, "/api/v1/resources", App, "PATCH");
        Assert.Equal(
            (204, App, "PATCH", "authorization,if-match"),
            (
                (int)granted.StatusCode,
                Allowances(granted)["Access-Control-Allow-Origin"],
                Allowances(granted)["Access-Control-Allow-Methods"],
                Allowances(granted)["Access-Control-Allow-Headers"]
            )
        );
    }

    [Fact]
    [Trait("Conformance", "B13")]
    [Trait("Conformance", "B15")]
    [Trait("Conformance", "H1")]
    public async Task Cookie_session_works_only_for_this_host_and_allowed_origins()
    {
        await using var node = await backend.StartServerAsync(
            ("Origins:Allowed:0", App),
            ("Proxies:Trusted:0", "127.0.0.0/8")
        );
        var admin = await node.AdminAsync();
        var (cookie, _, _) = await (await Person.CreateAsync(admin, node.Address, "user")).LoginByCookieAsync();
        async Task<int> ReadAsync(string origin, string scheme) =>
            (
                await node.Guest()
                    .GetAsync("/api/v1/me", ("Cookie", cookie), ("Origin", origin), ("X-Forwarded-Proto", scheme))
            ).Status;

        var plain = node.Address.GetLeftPart(UriPartial.Authority);
        var secure = $"https://{node.Address.Authority}";
        foreach (
            var (origin, scheme, status) in new[]
            {
                (App, "https", 200),
                (plain, "http", 200),
                (secure, "https", 200),
                (secure, "http", 200),
                (plain, "https", 403),
                ("https://evil.example", "https", 403),
                ("null", "https", 403),
            }
        )
            Assert.Equal((origin, scheme, status), (origin, scheme, await ReadAsync(origin, scheme)));
    }

    static Dictionary<string, string> Allowances(HttpResponseMessage answer) =>
        answer
            .Headers.Where(header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => header.Key, header => string.Join(',', header.Value));

    static async Task<HttpResponseMessage> SendAsync(
        InProcessServer node,
        HttpMethod method,
        string path,
        string? origin,
        string? asksFor = null,
        string? token = null
    )
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(method, new Uri(node.Address, path));
        if (origin is not null)
            request.Headers.Add("Origin", origin);
        if (token is not null)
            request.Headers.Authorization = new("Bearer", token);
        if (asksFor is not null)
        {
            request.Headers.Add("Access-Control-Request-Method", asksFor);
            request.Headers.Add("Access-Control-Request-Headers", "authorization,if-match");
        }
        return await http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
