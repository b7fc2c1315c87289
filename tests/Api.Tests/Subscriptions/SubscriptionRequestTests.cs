using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>Requests about subscriptions, from each kind of caller. A refused request creates none.</summary>
public sealed class SubscriptionRequestTests(Backend backend)
{
    const string Path = "/api/v1/subscriptions";
    const string Pull = """{"kind":"pull"}""";

    static string Fresh => Guid.NewGuid().ToString("n");

    static string Body(string delivery, string more = "") =>
        $$"""{"name":"{{Fresh}}","delivery":{{delivery}}{{more}}}""";

    static string Webhook(string url) => Body($$"""{"kind":"webhook","url":"{{url}}"}""");

    static Scenario Fault(string name, string body, params string[] faults) =>
        new(name, "POST", Path, 400)
        {
            Body = body,
            Code = "VALIDATION_FAILED",
            Faults = faults,
        };

    public static TheoryData<Scenario> Rows =>
        [
            .. Allowed,
            .. Allowed.Select(row => row.Refused(Who.Guest)),
            .. Allowed.Select(row => row with { Name = row.Name + ", user", As = Who.User }),
            .. Faulty,
            .. Forbidden.Select(url => new Scenario(url, "POST", Path, 400)
            {
                Body = Webhook(url),
                Code = "WEBHOOK_TARGET_FORBIDDEN",
                Faults = ["/delivery/url"],
            }),
            .. Missing,
        ];

    static Scenario[] Allowed =>
        [
            new("list", "GET", Path + "?limit=1", 200) { Has = [("/data/1", null)] },
            new("pull", "POST", Path, 201)
            {
                Body = Body(Pull),
                Has =
                [
                    ("/data/secret", null),
                    ("/data/delivery", """{"kind":"pull"}"""),
                    ("/data/state", "active"),
                    ("/data/parked", "0"),
                ],
            },
            new("from the beginning", "POST", Path, 201) { Body = Body(Pull, ""","after":"0" """) },
            new("with a filter", "POST", Path, 201)
            {
                Body = Body(
                    Pull,
                    ""","filter":{"type":"book","owner":"somebody","resource":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","events":["resource.created"]},"after":"now" """
                ),
                Has =
                [
                    (
                        "/data/filter",
                        """{"type":"book","resource":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","owner":"somebody","events":["resource.created"]}"""
                    ),
                ],
            },
            new("webhook", "POST", Path, 201)
            {
                Body = Webhook("https://93.184.215.14/hook?x=1"),
                Answers = [("Cache-Control", "no-store"), ("Content-Encoding", null)],
                Headers = [("Accept-Encoding", "br")],
            },
            new("webhook, IPv6", "POST", Path, 201)
            {
                Body = Webhook("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443/"),
            },
        ];

    static Scenario[] Faulty =>
        [
            Fault("nothing", "{}", "/name", "/delivery"),
            Fault(
                "every fault",
                """{"name":"","filter":{"type":"No Slug","resource":"x","owner":"","events":["resource.exploded"],"more":1},"delivery":{"kind":"pigeon","wings":2},"after":"-1","id":1}""",
                "/name",
                "/filter/type",
                "/filter/resource",
                "/filter/owner",
                "/filter/more",
                "/filter/events/0",
                "/delivery/kind",
                "/delivery/wings",
                "/after",
                "/id"
            ),
            Fault("webhook without a target", Body("""{"kind":"webhook"}"""), "/delivery/url"),
            Fault("pull with a target", Body("""{"kind":"pull","url":"https://example.org"}"""), "/delivery/url"),
            Fault(
                "forbidden, and more",
                """{"name":7,"delivery":{"kind":"webhook","url":"http://127.0.0.1"}}""",
                "/name",
                "/delivery/url"
            ),
            Fault("a position to come", Body(Pull, ""","after":"9000000000000000000" """), "/after"),
            Fault("filter is no object", Body(Pull, ""","filter":[]"""), "/filter"),
            new("a form", "POST", Path, 415)
            {
                Body = "name=x",
                ContentType = "application/x-www-form-urlencoded",
                Code = "UNSUPPORTED_MEDIA_TYPE",
            },
            new("list with faults", "GET", Path + "?limit=0&cursor=x", 400)
            {
                Code = "VALIDATION_FAILED",
                Faults = ["?limit", "?cursor"],
            },
        ];

    /// <summary>
    /// Forbidden targets of webhooks: other schemes than HTTPS, and addresses that are not public, in every notation.
    /// </summary>
    static string[] Forbidden =>
        [
            "http://93.184.215.14/",
            "ftp://93.184.215.14/",
            "https://user@93.184.215.14/",
            "https://user:password@93.184.215.14/",
            "https://93.184.215.14:8080/",
            "https://93.184.215.14:22/",
            "https://93.184.215.14/#fragment",
            "//93.184.215.14/",
            "hook",
            "https://",
            .. new[]
            {
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.1",
                "10.255.255.255",
                "100.64.0.1",
                "100.127.255.255",
                "127.0.0.1",
                "127.8.8.8",
                "169.254.169.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.1",
                "192.0.2.1",
                "192.88.99.1",
                "192.168.1.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.1",
                "203.0.113.1",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255",
                "[::]",
                "[::1]",
                "[fc00::1]",
                "[fd12:3456:789a::1]",
                "[fe80::1]",
                "[ff02::1]",
                "[::ffff:127.0.0.1]",
                "[::ffff:10.0.0.1]",
                "[::ffff:169.254.169.254]",
                "[::ffff:a00:1]",
                "[::ffff:7f00:1]",
                "[::127.0.0.1]",
                "[64:ff9b::7f00:1]",
                "[64:ff9b:1::1]",
                "[2002:7f00:1::]",
                "[2001:0:7f00:1::]",
                "[2001:db8::1]",
                "[100::1]",
                "[fec0::1]",
                "0x7f.1",
                "0x7f000001",
                "2130706433",
                "0177.0.0.1",
                "127.1",
                "localhost",
                "localhost.",
                "sub.localhost",
                "no-such-name.invalid",
                "１２７.０.０.１",
            }.Select(host => $"https://{host}/"),
        ];

    static Scenario[] Missing =>
        [
            .. from path in new[] { $"{Path}/{Guid.CreateVersion7()}", $"{Path}/x" }
            from tail in new[] { "", "/attempts", "/parked" }
            select new Scenario($"missing: {path}{tail}", "GET", path + tail, 404) { Code = "SUBSCRIPTION_NOT_FOUND" },
            .. from tail in new[] { "pause", "resume", "secret", "test", "replay", "pull", "ack", "nack", "park" }
            select new Scenario($"missing: {tail}", "POST", $"{Path}/{Guid.CreateVersion7()}/{tail}", 404)
            {
                Body = "{}",
                Code = "SUBSCRIPTION_NOT_FOUND",
            },
            new("missing: delete", "DELETE", $"{Path}/{Guid.CreateVersion7()}", 204),
        ];

    [Theory, MemberData(nameof(Rows), DisableDiscoveryEnumeration = true)]
    [Trait("Conformance", "I2")]
    public Task Request_gets_the_expected_response(Scenario row) =>
        (row with { Given = Given.Missing }).RunAsync(backend);

    [Fact]
    public async Task Subscription_is_visible_only_to_its_owner_and_administrators()
    {
        var (path, _) = await SubscribeAsync(backend.Author, FreshType(), null);
        foreach (
            var (method, tail, body) in new[]
            {
                ("GET", "", null),
                ("GET", "/attempts", null),
                ("GET", "/parked", null),
                ("POST", "/pause", null),
                ("POST", "/resume", null),
                ("POST", "/secret", null),
                ("POST", "/test", null),
                ("POST", "/replay", "{}"),
                ("POST", "/pull", "{}"),
                ("POST", "/ack", "{}"),
                ("POST", "/nack", "{}"),
                ("POST", "/park", "{}"),
            }
        )
        {
            Assert.Equal("SUBSCRIPTION_NOT_FOUND", (await backend.User.SendAsync(method, path + tail, body)).Code);
            Assert.NotEqual(404, (await backend.Admin.SendAsync(method, path + tail, body)).Status);
        }
        Assert.Equal(204, (await backend.User.SendAsync("DELETE", path)).Status);
        Assert.DoesNotContain(
            path.Split('/')[^1],
            (await backend.User.GetAsync("/api/v1/subscriptions?limit=200")).ToString(),
            StringComparison.Ordinal
        );
        Assert.Equal(200, (await backend.Author.GetAsync(path)).Status);
        for (var i = 0; i < 2; i++)
            Assert.Equal(204, (await backend.Author.SendAsync("DELETE", path)).Status);
        Assert.Equal(404, (await backend.Author.GetAsync(path)).Status);
    }

    [Fact]
    public async Task Name_is_unique_per_owner_and_their_number_is_limited()
    {
        await using var node = await backend.StartServerAsync(("Subscriptions:MaxPerOwner", "3"));
        var admin = await node.AdminAsync();
        var body = Body(Pull);
        Assert.Equal(201, (await admin.SendAsync("POST", Path, body)).Status);
        Assert.Equal("ALREADY_EXISTS", (await admin.SendAsync("POST", Path, body)).Code);
        var others = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => admin.SendAsync("POST", Path, Body(Pull))));
        Assert.Equal(2, others.Count(answer => answer.Status is 201));
        Assert.Equal(4, others.Count(answer => answer is { Status: 409, Code: "TOO_MANY_SUBSCRIPTIONS" }));
        var ids = new List<string>();
        var cursor = "";
        for (
            var page = await admin.GetAsync(Path + "?limit=2");
            ;
            page = await admin.GetAsync($"{Path}?limit=2&cursor={cursor}")
        )
        {
            ids.AddRange(Ids(page));
            if (page.At("/meta/page/next")!.Value.GetString() is not { } next)
                break;
            cursor = next;
        }
        Assert.Equal(3, ids.Distinct().Count());
    }

    static IEnumerable<string> Ids(Answer page) =>
        SubscriptionBackend.Rows(page).Select(row => row.GetProperty("id").GetString()!);
}
