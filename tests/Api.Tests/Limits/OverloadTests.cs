using System.Net.Sockets;
using System.Text;

namespace Resources.Api.Tests;

/// <summary>Overload: the limit on concurrent requests.</summary>
[Collection(MoreServers.Name)]
public sealed class OverloadTests(Backend backend)
{
    const string Me = "/api/v1/me";

    [Fact]
    [Trait("Conformance", "F11")]
    public async Task Requests_beyond_the_limit_are_refused_at_once_except_probes()
    {
        await using var node = await backend.StartServerAsync(("Overload:MaxRequests", "2"));
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();

        using (var one = await BeginAsync(node, admin))
        using (var two = await BeginAsync(node, admin))
        {
            await Eventually.HoldsAsync(async () => (await admin.GetAsync(Me)).Status is 503);
            foreach (var caller in new[] { admin, guest, admin.With("no token") })
            {
                var answer = await caller.GetAsync(Me);
                Assert.Equal(
                    (503, "OVERLOADED", "1", null),
                    (answer.Status, answer.Code, answer["Retry-After"], answer["RateLimit"])
                );
            }
            Assert.Equal(
                (200, 200),
                ((await guest.GetAsync("/health/live")).Status, (await guest.GetAsync("/metrics")).Status)
            );
        }
        await Eventually.HoldsAsync(async () => (await admin.GetAsync(Me)).Status is 200);
    }

    [Fact]
    [Trait("Conformance", "F11")]
    public async Task Waiting_requests_do_not_count()
    {
        // One more than are sent at once: a request counts a moment longer than its caller waits for the answer.
        await using var node = await backend.StartServerAsync(("Overload:MaxRequests", "3"));
        var admin = await node.AdminAsync();
        var group = (await SubscriptionBackend.SubscribeAsync(admin, "awaited", null)).Path;

        await using var stream = await Subscriber.OpenAsync(node.Address, admin.Token, "/api/v1/events");
        await stream.CatchUpAsync();
        await using var list = await Subscriber.OpenAsync(node.Address, admin.Token, "/api/v1/resources?follow=true");
        await list.NextAsync();
        await using var socket = await Socket.OpenAsync(node.Address, admin.Token, "");
        await socket.CatchUpAsync();
        await using var silent = await Socket.OpenAsync(node.Address, null, "");
        Assert.Equal(101, silent.Status);
        var head = (await admin.GetAsync("/api/v1/events?limit=1000"))["Position"];
        var poll = admin.GetAsync($"/api/v1/events?wait=30&after={head}");
        var pull = admin.SendAsync(
            "POST",
            group + "/pull",
            """{"consumer":"c","limit":1,"wait":30,"leaseSeconds":30}"""
        );

        // There is room as soon as they wait.
        await Eventually.HoldsAsync(async () => (await admin.GetAsync(Me)).Status is 200);
        for (var i = 0; i < 20; i++)
            Assert.Equal(200, (await admin.GetAsync(Me)).Status);
        Assert.False(poll.IsCompleted || pull.IsCompleted);
        Assert.Equal(
            201,
            (await admin.SendAsync("POST", "/api/v1/resources", """{"name":"sample","type":"awaited"}""")).Status
        );
        Assert.Equal((200, 200), ((await poll).Status, (await pull).Status));

        // And who has waited has not made more room than there was.
        using var one = await BeginAsync(node, admin);
        using var two = await BeginAsync(node, admin);
        using var three = await BeginAsync(node, admin);
        await Eventually.HoldsAsync(async () => (await admin.GetAsync(Me)).Status is 503);
    }

    [Fact]
    public async Task Waiting_does_not_bypass_the_limit()
    {
        await using var node = await backend.StartServerAsync(("Overload:MaxRequests", "1"));
        var admin = await node.AdminAsync();
        using var one = await BeginAsync(node, admin);
        await Eventually.HoldsAsync(async () => (await admin.GetAsync(Me)).Status is 503);
        foreach (var path in new[] { "/api/v1/events?wait=1", "/api/v1/resources?follow=true", "/api/v1/events/ws" })
            Assert.Equal("OVERLOADED", (await admin.GetAsync(path)).Code);
    }

    /// <summary>
    /// Sends a request with an incomplete body. Waits until the server asks for the body, which means that it is
    /// handling the request.
    /// </summary>
    static async Task<TcpClient> BeginAsync(InProcessServer node, ApiClient caller)
    {
        TcpClient client = null!;

        // A request counts a moment longer than its caller waits for the answer, so that the one before this can be in
        // its way.
        await Eventually.HoldsAsync(async () =>
        {
            client = new TcpClient();
            await client.ConnectAsync(node.Address.Host, node.Address.Port, TestContext.Current.CancellationToken);
            await client
                .GetStream()
                .WriteAsync(
                    Encoding.ASCII.GetBytes(
                        $"POST /api/v1/resources HTTP/1.1\r\nHost: {node.Address.Authority}\r\nAuthorization: "
                            + $"Bearer {caller.Token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
                            + "Expect: 100-continue\r\n\r\n"
                    ),
                    TestContext.Current.CancellationToken
                );
            var line = new byte["HTTP/1.1 100".Length];
            await client.GetStream().ReadExactlyAsync(line, TestContext.Current.CancellationToken);
            if (Encoding.ASCII.GetString(line) is "HTTP/1.1 100")
                return true;
            client.Dispose();
            return false;
        });
        return client;
    }
}
