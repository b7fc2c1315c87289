namespace Resources.Api.Tests;

/// <summary>Overload: the limit on concurrent requests.</summary>
public sealed class OverloadTests(Backend backend)
{
    const string Me = "/api/v1/me";

    /// <summary>A server that works on so few requests at once, all of which may be of one address.</summary>
    Task<InProcessServer> StartAsync(int requests) =>
        backend.StartServerAsync(("Overload:MaxRequests", $"{requests}"), ("Overload:MaxPercentPerAddress", "100"));

    [Fact]
    [Trait("Conformance", "F11")]
    public async Task Requests_beyond_the_limit_are_refused_at_once_except_probes()
    {
        await using var node = await StartAsync(2);
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();

        await using (await StandingWork.BeginAsync(node, admin, 2))
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
        await using var node = await StartAsync(3);
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
        await using var work = await StandingWork.BeginAsync(node, admin, 3);
        await Eventually.HoldsAsync(async () => (await admin.GetAsync(Me)).Status is 503);
    }

    [Fact]
    public async Task Waiting_does_not_bypass_the_limit()
    {
        await using var node = await StartAsync(1);
        var admin = await node.AdminAsync();
        await using var work = await StandingWork.BeginAsync(node, admin, 1);
        await Eventually.HoldsAsync(async () => (await admin.GetAsync(Me)).Status is 503);
        foreach (var path in new[] { "/api/v1/events?wait=1", "/api/v1/resources?follow=true", "/api/v1/events/ws" })
            Assert.Equal("OVERLOADED", (await admin.GetAsync(path)).Code);
    }

    [Fact]
    [Trait("Conformance", "F11")]
    public async Task One_address_and_its_neighbours_leave_room_for_others()
    {
        await using var node = await backend.StartServerAsync(
            ("Overload:MaxRequests", "8"),
            ("Overload:MaxPercentPerAddress", "25"),
            ("Overload:MaxPercentPerNeighbourhood", "25"),
            ("Proxies:Trusted:0", "127.0.0.0/8")
        );
        var admin = await node.AdminAsync();
        await using var work = await StandingWork.BeginAsync(node, admin, 2, "198.51.100.1");

        await Eventually.HoldsAsync(async () => (await FromAsync("198.51.100.1")).Status is 503);
        Assert.Equal("OVERLOADED", (await FromAsync("198.51.100.1")).Code);
        Assert.Equal(503, (await FromAsync("198.51.100.2")).Status);
        foreach (var other in new[] { "203.0.113.1", "2001:db8::1", "127.0.0.1" })
            Assert.Equal(200, (await FromAsync(other)).Status);
        await work.EndAsync();
        await Eventually.HoldsAsync(async () => (await FromAsync("198.51.100.1")).Status is 200);

        Task<Answer> FromAsync(string address) => admin.GetAsync(Me, ("X-Forwarded-For", address));
    }
}
