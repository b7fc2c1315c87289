using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>What API keys and managers get by subscriptions: no more than they may read themselves.</summary>
public sealed class SubscriptionRightsTests(Backend shared, SubscriptionBackend hooks)
    : IClassFixture<SubscriptionBackend>
{
    readonly string type = FreshType();
    readonly string other = FreshType();

    [Fact]
    [Trait("Conformance", "B17")]
    [Trait("Conformance", "C2")]
    public async Task Subscription_of_an_API_key_tells_only_what_the_key_may_read_and_ends_with_it()
    {
        var person = await shared.CreatePersonAsync("author");
        var session = (await person.LoginAsync()).Caller;
        await CreateAsync(session, type);
        string[] managing = ["subscription:read:own", "subscription:manage:own"];
        foreach (
            var (permissions, sees) in new (string[], bool)[]
            {
                (managing, false),
                ([.. managing, "resource/none:read:own"], false),
                ([.. managing, $"resource/{type}:read:own"], true),
            }
        )
        {
            var (key, id) = await KeyAsync(session, permissions);
            var (path, _) = await SubscribeAsync(shared.Guest.With(key), type, null, ""","after":"0" """);
            // The session may read more than the key that made the subscription.
            foreach (var caller in new[] { shared.Guest.With(key), session })
                Assert.Equal(sees ? 1 : 0, await PullAsync(caller, path, wait: sees ? 20 : 1));
            Assert.Equal("active", (await session.GetAsync(path)).Text("/data/state"));

            Assert.Equal(204, (await session.SendAsync("DELETE", $"/api/v1/api-keys/{id}")).Status);
            await DisabledAsync(session, path);
            await Eventually.HoldsAsync(
                async () => (await TryAsync(session, path, 0)).Code is "SUBSCRIPTION_INACTIVE",
                Plenty
            );
            // To resume it does not bring the key back.
            Assert.Equal(200, (await session.SendAsync("POST", path + "/resume")).Status);
            await DisabledAsync(session, path);
        }
    }

    [Fact]
    [Trait("Conformance", "B17")]
    [Trait("Conformance", "I6")]
    public async Task Webhook_of_an_API_key_sends_only_what_the_key_may_read_and_ends_when_it_expires()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var expires = DateTimeOffset.UtcNow.AddHours(1);
        var (key, _) = await KeyAsync(
            hooks.Admin,
            ["subscription:read:own", "subscription:manage:own", $"resource/{type}:read"],
            expires
        );
        var made = await hooks
            .Admin.With(key)
            .PostAsync("/subscriptions", new { name = type, delivery = new { kind = "webhook", url = receiver.Url } });
        Assert.True(made.Status is 201, $"{made}");
        var hidden = await CreateAsync(hooks.Admin, other);
        var seen = await CreateAsync(hooks.Admin, type);
        await Eventually.HoldsAsync(() => receiver.Taken.Any(), Plenty, receiver.ToString);
        Assert.Equal([seen], receiver.All.Select(request => request.Resource));

        var admin = hooks.Admin.With((await KeyAsync(hooks.Admin, ["*"])).Key);
        hooks.Server.Clock.Ahead = TimeSpan.FromMinutes(61);
        try
        {
            await DisabledAsync(admin, made["Location"]!);
            await CreateAsync(admin, type);
            // Somebody else's webhook has had its time to deliver; this one has sent nothing.
            await SubscribeAsync(admin, other, receiver.Url, ""","after":"0" """);
            await Eventually.HoldsAsync(() => receiver.Taken.Count() is 2, Plenty, receiver.ToString);
            Assert.Equal([seen, hidden], receiver.All.Select(request => request.Resource));
        }
        finally
        {
            hooks.Server.Clock.Ahead = TimeSpan.Zero;
        }
    }

    [Fact]
    [Trait("Conformance", "B17")]
    [Trait("Conformance", "C2")]
    public async Task Consumer_gets_no_more_than_its_own_key_may_read_and_the_rest_is_left_for_others()
    {
        var session = (await (await shared.CreatePersonAsync("author")).LoginAsync()).Caller;
        var (path, _) = await SubscribeAsync(session, type, null);
        var (narrow, _) = await KeyAsync(session, ["subscription:manage:own"]);
        await CreateAsync(session, type);
        Assert.Equal(0, await PullAsync(session.With(narrow), path, wait: 1));
        Assert.Equal(1, await PullAsync(session, path, wait: 20));
    }

    [Fact]
    [Trait("Conformance", "C2")]
    [Trait("Conformance", "C6")]
    public async Task Managers_of_subscriptions_read_nothing_by_them_and_take_no_webhook_over()
    {
        var role = await shared.CreateRoleAsync("subscription:read", "subscription:manage");
        var person = await shared.CreatePersonAsync(role);
        var manager = (await person.LoginAsync()).Caller;
        var owner = (await (await shared.CreatePersonAsync("author")).LoginAsync()).Caller;
        await CreateAsync(owner, type);
        var (pull, _) = await SubscribeAsync(owner, type, null, ""","after":"0" """);
        var hook = new Uri("https://93.184.215.14/hook");
        var (webhook, _) = await SubscribeAsync(owner, other, hook);
        foreach (
            var (method, path, body) in new (string, string, string?)[]
            {
                ("POST", pull + "/pull", """{"consumer":"manager"}"""),
                ("POST", pull + "/pause", null),
                ("POST", pull + "/resume", null),
                ("POST", pull + "/replay", """{"position":"0"}"""),
                ("POST", webhook + "/secret", null),
                ("POST", webhook + "/test", null),
                ("DELETE", webhook, null),
            }
        )
        {
            var refused = await manager.SendAsync(method, path, body);
            Assert.True(refused is { Status: 403, Code: "ABOVE_OWN_RIGHTS" }, $"{method} {path}: {refused}");
        }
        Assert.Equal("active", (await owner.GetAsync(webhook)).Text("/data/state"));

        // An owner who may do no more than the manager: it may be managed, and its secret is still the owner's alone.
        var peer = (await (await shared.CreatePersonAsync(role)).LoginAsync()).Caller;
        var (equal, _) = await SubscribeAsync(peer, other, hook);
        Assert.Equal(200, (await manager.SendAsync("POST", equal + "/pause")).Status);
        Assert.Equal("FORBIDDEN", (await manager.SendAsync("POST", equal + "/secret")).Code);
        Assert.Equal("FORBIDDEN", (await shared.Admin.SendAsync("POST", webhook + "/secret")).Code);
        // What both may read goes to an administrator, too.
        Assert.Equal(1, await PullAsync(shared.Admin, pull, wait: 20));
    }

    static async Task<(string Key, string Id)> KeyAsync(
        ApiClient caller,
        string[] permissions,
        DateTimeOffset? expiresAt = null
    )
    {
        var made = await caller.PostAsync(
            "/api-keys",
            new
            {
                name = "k",
                permissions,
                expiresAt,
            }
        );
        Assert.True(made.Status is 201, $"{made}");
        return (made.Text("/data/key")!, made.Text("/data/id")!);
    }

    /// <summary>How many events a consumer gets; they are given back.</summary>
    static async Task<int> PullAsync(ApiClient caller, string path, int wait)
    {
        var pulled = await TryAsync(caller, path, wait);
        Assert.True(pulled.Status is 200, $"{pulled}");
        if (pulled.Text("/data/lease") is { } lease and not "null")
            Assert.Equal(200, (await caller.SendAsync("POST", path + "/nack", $$"""{"lease":"{{lease}}"}""")).Status);
        return Rows(pulled, "/data/events").Length;
    }

    static Task<Answer> TryAsync(ApiClient caller, string path, int wait) =>
        caller.SendAsync("POST", path + "/pull", $$"""{"consumer":"a","wait":{{wait}}}""");

    static async Task DisabledAsync(ApiClient caller, string path)
    {
        Answer? shown = null;
        await Eventually.HoldsAsync(
            async () => (shown = await caller.GetAsync(path)).Text("/data/state") is "disabled",
            Plenty,
            () => $"the subscription is disabled: {shown}"
        );
        Assert.StartsWith("The API key", shown!.Text("/data/lastError/detail"), StringComparison.Ordinal);
    }
}
