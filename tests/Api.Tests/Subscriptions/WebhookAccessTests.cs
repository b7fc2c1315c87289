using System.Net;
using System.Net.Sockets;
using Resources.Silo;
using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>Rights and targets of webhooks.</summary>
public sealed class WebhookAccessTests(Backend shared, SubscriptionBackend backend, JavaScriptProgram program)
    : IClassFixture<SubscriptionBackend>,
        IAsyncLifetime
{
    readonly string type = FreshType();
    WebhookReceiver receiver = null!;

    ApiClient Admin => backend.Admin;

    public async ValueTask InitializeAsync() => receiver = await WebhookReceiver.StartAsync();

    public async ValueTask DisposeAsync() => await receiver.DisposeAsync();

    [Fact]
    [Trait("Conformance", "I6")]
    public async Task Webhook_sends_only_what_the_owner_may_read_at_delivery()
    {
        var email = $"{Guid.NewGuid():n}@example.org";
        var account = (
            await Admin.SendAsync(
                "POST",
                "/api/v1/users",
                $$"""{"email":"{{email}}","password":"fifteen letters","roles":["author"]}"""
            )
        ).Text("/data/id")!;
        var author = await backend.Server.Guest().LoginAsync(email, "fifteen letters");
        var (path, _) = await SubscribeAsync(author, type, receiver.Url);
        var others = await CreateAsync(Admin, type);
        var own = await CreateAsync(author, type);
        await Eventually.HoldsAsync(() => receiver.Taken.Any(), Plenty, receiver.ToString);
        Assert.Equal([own], receiver.All.Select(request => request.Resource));

        await SetRolesAsync(account, "user");
        await Eventually.HoldsAsync(
            async () =>
            {
                await RenameAsync(Admin, others, 1);
                return receiver.Taken.Any(request => request.Resource == others);
            },
            Plenty,
            receiver.ToString
        );

        await SetRolesAsync(account);
        await Eventually.HoldsAsync(
            async () =>
                (await Admin.GetAsync(path)).Text("/data/lastError/detail") is { } detail
                && detail.StartsWith("The owner may not read", StringComparison.Ordinal),
            Plenty,
            receiver.ToString
        );
        var before = receiver.All.Length;
        await RenameAsync(Admin, others, 3);
        var (witness, _) = await SubscribeAsync(Admin, type, receiver.Url, ""","after":"0" """);
        await Eventually.HoldsAsync(() => receiver.Taken.Count() > before + 3, Plenty, receiver.ToString);
        Assert.Equal(204, (await Admin.SendAsync("DELETE", witness)).Status);
        Assert.True(Number(await Admin.GetAsync(path), "/data/lag") >= 3);

        // Nothing was passed over meanwhile.
        await SetRolesAsync(account, "user");
        await Eventually.HoldsAsync(
            async () => (await Admin.GetAsync(path)).Text("/data/lag") is "0",
            Plenty,
            receiver.ToString
        );
    }

    [Fact]
    [Trait("Conformance", "I2")]
    public async Task Host_name_that_later_resolves_to_a_private_address_is_refused()
    {
        var answers = new Queue<IPAddress>([IPAddress.Parse("93.184.215.14"), IPAddress.Loopback]);
        var targets = Targets(new(), _ => [answers.Dequeue()]);
        Assert.Null(
            await targets.RefuseAsync("https://rebinding.example/", "a", TestContext.Current.CancellationToken)
        );
        using var http = new HttpClient(
            new SocketsHttpHandler { ConnectCallback = targets.ConnectAsync, UseProxy = false }
        );
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://rebinding.example:{receiver.Url.Port}/");
        request.Options.Set(WebhookTargets.Owner, "a");
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() =>
            http.SendAsync(request, TestContext.Current.CancellationToken)
        );
        Assert.Equal(WebhookTargets.NotPublic, refused.InnerException!.Message);
        Assert.Empty(receiver.All);

        // One forbidden address among several is enough.
        var mixed = Targets(new(), _ => [IPAddress.Parse("93.184.215.14"), IPAddress.Parse("::ffff:10.0.0.1")]);
        Assert.Equal(
            WebhookTargets.NotPublic,
            await mixed.RefuseAsync("https://mixed.example/", "a", TestContext.Current.CancellationToken)
        );
        var allowed = Targets(new() { AllowedNetworks = "10.1.0.0/16, fd00::/8" }, _ =>
            [IPAddress.Parse("10.1.2.3"), IPAddress.Parse("fd00::1")]
        );
        Assert.Null(await allowed.RefuseAsync("https://intranet.example/", "a", TestContext.Current.CancellationToken));
        Assert.False(allowed.Allows(IPAddress.Parse("10.2.0.1")));
    }

    [Fact]
    [Trait("Conformance", "I2")]
    public async Task Target_is_checked_again_on_connect()
    {
        var database = await shared.CreateDatabaseAsync();
        string path;
        await using (var node = InProcessServer.Start(database, ("Webhooks:AllowPrivateTargets", "true")))
            (path, _) = await SubscribeAsync(await node.AdminAsync(), type, receiver.Url);
        await using (var node = InProcessServer.Start(database))
        {
            var admin = await node.AdminAsync();
            await CreateAsync(admin, type);
            await Eventually.HoldsAsync(
                async () =>
                    Rows(await admin.GetAsync(path + "/attempts")) is [var attempt]
                    && attempt.GetProperty("detail").GetString() is WebhookTargets.NotPublic,
                Plenty,
                receiver.ToString
            );
            Assert.Equal(WebhookTargets.NotPublic, (await admin.SendAsync("POST", path + "/test")).Text("/data/error"));
            Assert.Empty(receiver.All);
        }
    }

    [Fact]
    [Trait("Conformance", "I1")]
    public async Task Third_party_receivers_accept_every_delivery()
    {
        var port = receiver.Url.Port;
        await receiver.DisposeAsync();
        var (path, first) = await SubscribeAsync(Admin, type, new Uri($"http://127.0.0.1:{port}/hook"));
        var second = (await Admin.SendAsync("POST", path + "/secret")).Text("/data/secret")!;
        var running = program.RunAsync("webhooks.mjs", $"{port}", "12", first!, second);
        await Eventually.HoldsAsync(() => ListensAsync(port), Plenty, () => "the receiver listens");
        var resources = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(i => CreateAsync(Admin, type, $"größer {i} 🌍 \\u2028"))
        );
        await Task.WhenAll(resources.Select(resource => RenameAsync(Admin, resource, 2)));
        var output = System.Text.Json.JsonDocument.Parse(await running).RootElement;
        Assert.Equal("[]", output.GetProperty("faults").GetRawText());
        Assert.Equal(12, output.GetProperty("taken").GetInt32());
        Assert.True(output.GetProperty("refused").GetInt32() >= 4, $"{output}");
    }

    static WebhookTargets Targets(WebhookOptions options, Func<string, IPAddress[]> resolve) =>
        new(options, new((name, _) => Task.FromResult(resolve(name)), TimeProvider.System));

    static async Task<bool> ListensAsync(int port)
    {
        using var client = new TcpClient();
        await client
            .ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken)
            .AsTask()
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return client.Connected;
    }

    async Task SetRolesAsync(string account, params string[] roles) =>
        Assert.Equal(
            200,
            (
                await Admin.SendAsync(
                    "PUT",
                    $"/api/v1/users/{account}/roles",
                    $$"""{"roles":[{{string.Join(',', roles.Select(role => $"\"{role}\""))}}]}"""
                )
            ).Status
        );
}
