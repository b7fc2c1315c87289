using System.Text.Json;
using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>Streams and subscriptions, for a caller whose permissions are limited to types.</summary>
public sealed class StreamScopeTests(Backend backend) : LimitedCaller(backend)
{
    [Fact]
    public async Task Log_skips_events_that_belong_to_no_resource()
    {
        await using var stream = await Subscriber.OpenAsync(
            Backend.Server.Address,
            Backend.Admin.Token,
            "/api/v1/events?after=now"
        );
        await using var socket = await Socket.OpenAsync(Backend.Server.Address, Backend.Admin.Token, "after=now");
        var before = long.Parse(
            (await Backend.Admin.GetAsync("/api/v1/events?after=now"))["Position"]!,
            System.Globalization.CultureInfo.InvariantCulture
        );
        await stream.CatchUpAsync();
        await socket.CatchUpAsync();
        for (var i = 0; i < 3; i++)
            await Person.LoginAsync();
        var made = Guid.Parse(await CreateAsync(Backend.Admin, Types.Seen));

        Assert.Equal(made, Subscriber.Subject(await NextOfAsync(made)));
        Assert.Equal(made, Socket.Subject(await NextOnSocketAsync(made)));
        var page = await Backend.Admin.GetAsync($"/api/v1/events?after={before}");
        Assert.All(Rows(page), each =>
            Assert.StartsWith("resource.", each.GetProperty("type").GetString(), StringComparison.Ordinal)
        );
        var polling = Backend.Admin.GetAsync($"/api/v1/events?after={page["Position"]}&type={Types.Own}&wait=1");
        await Person.LoginAsync();
        var waited = await polling;
        Assert.Empty(Rows(waited));
        Assert.True(Number(waited, "/meta/position") >= Number(page, "/meta/position"));
        // A page that nothing is in goes to the log's end.
        var last = await Backend.Admin.GetAsync($"/api/v1/events?after={page["Position"]}&type={Types.Own}");
        Assert.True(Number(last, "/meta/position") > Number(page, "/meta/position"), $"{page}\n{last}");

        async Task<System.Net.ServerSentEvents.SseItem<string>> NextOfAsync(Guid id)
        {
            while (await stream.NextAsync() is { } item)
            {
                Assert.True(
                    item.EventType is "message" or "position"
                        || item.EventType.StartsWith("resource.", StringComparison.Ordinal),
                    item.EventType
                );
                if (item.EventType.StartsWith("resource.", StringComparison.Ordinal) && Subscriber.Subject(item) == id)
                    return item;
            }
            throw new EndOfStreamException();
        }

        async Task<JsonElement> NextOnSocketAsync(Guid id)
        {
            while (await socket.EventAsync() is var message)
            {
                Assert.StartsWith(
                    "resource.",
                    message.GetProperty("event").GetProperty("type").GetString(),
                    StringComparison.Ordinal
                );
                if (Socket.Subject(message) == id)
                    return message;
            }
            throw new EndOfStreamException();
        }
    }

    [Fact]
    public async Task Followed_list_is_limited_to_the_callers_reach_and_restarts_when_it_changes()
    {
        var seen = await CreateAsync(Backend.Admin, Types.Seen);
        var hidden = await CreateAsync(Backend.Admin, Types.Hidden);
        await using var follow = await Subscriber.OpenAsync(
            Backend.Server.Address,
            Caller.Token,
            "/api/v1/resources?follow=true"
        );
        Assert.Equal([seen], (await follow.CatchUpAsync()).Where(item => item.EventType is "snapshot").Select(Id));
        await CreateAsync(Backend.Admin, Types.Hidden);
        var next = await CreateAsync(Backend.Admin, Types.Seen);
        Assert.Equal(
            ("added", next),
            (await follow.NextAsync())!.Value is var item ? (item.EventType, Id(item)) : default
        );

        await AllowAsync($"resource/{Types.Hidden}:read");
        var anew = new List<string>();
        while (!anew.Contains(hidden))
            if ((await follow.NextAsync())!.Value is { EventType: "snapshot" } row)
                anew.Add(Id(row));
        Assert.DoesNotContain(seen, anew);
        await AllowAsync("subscription:read:own");
        while ((await follow.NextAsync())!.Value is var last && last.EventType is not "end")
            Assert.NotEqual(seen, last.EventType is "added" or "snapshot" ? Id(last) : "");

        static string Id(System.Net.ServerSentEvents.SseItem<string> item) =>
            JsonDocument.Parse(item.Data).RootElement.GetProperty("id").GetString()!;
    }

    [Fact]
    [Trait("Conformance", "H3")]
    public async Task Streams_and_sockets_follow_role_changes()
    {
        await using var stream = await Subscriber.OpenAsync(
            Backend.Server.Address,
            Caller.Token,
            "/api/v1/events?after=now"
        );
        await using var socket = await Socket.OpenAsync(Backend.Server.Address, Caller.Token, "after=now");
        await stream.CatchUpAsync();
        await socket.CatchUpAsync();
        await CreateAsync(Backend.Admin, Types.Hidden);
        await CreateAsync(Backend.Admin, Types.Own);
        var expected = Guid.Parse(await CreateAsync(Backend.Admin, Types.Seen));
        Assert.Equal(
            (expected, expected),
            (Subscriber.Subject(await stream.EventAsync()), Socket.Subject(await socket.EventAsync()))
        );

        var hidden = await CreateAsync(Backend.Admin, Types.Hidden);
        Assert.Equal(404, (await Caller.GetAsync($"/api/v1/resources/{hidden}")).Status);
        await AllowAsync($"resource/{Types.Hidden}:read");
        await Eventually.HoldsAsync(async () => (await Caller.GetAsync($"/api/v1/resources/{hidden}")).Status is 200);
        var unseen = Guid.Parse(await CreateAsync(Backend.Admin, Types.Seen));
        expected = Guid.Parse(await CreateAsync(Backend.Admin, Types.Hidden));
        // What was passed over before, and may be read now, may come first.
        for (var subject = Guid.Empty; subject != expected; )
            Assert.NotEqual(unseen, subject = Subscriber.Subject(await stream.EventAsync()));
        for (var subject = Guid.Empty; subject != expected; )
            Assert.NotEqual(unseen, subject = Socket.Subject(await socket.EventAsync()));

        var polling = Caller.GetAsync($"/api/v1/events?after=now&wait=20");
        await CreateAsync(Backend.Admin, Types.Seen);
        while (!polling.IsCompleted)
            await Task.WhenAny(polling, CreateAsync(Backend.Admin, Types.Hidden));
        Assert.All(Rows(await polling), each =>
            Assert.Equal(Types.Hidden, each.GetProperty("resourcetype").GetString())
        );
    }

    [Fact]
    [Trait("Conformance", "I6")]
    public async Task Subscriptions_deliver_only_what_the_owner_may_read_at_delivery()
    {
        var made = await Caller.SendAsync(
            "POST",
            "/api/v1/subscriptions",
            $$"""{"name":"{{Guid.NewGuid():n}}","delivery":{"kind":"pull"},"after":"0"}"""
        );
        Assert.True(made.Status is 201, $"{made}");
        var path = made["Location"]!;
        await CreateAsync(Backend.Admin, Types.Hidden);
        var seen = await CreateAsync(Backend.Admin, Types.Seen);
        var own = await CreateAsync(Caller, Types.Own);
        await CreateAsync(Backend.Admin, Types.Own);
        Assert.Equal([seen, own], await PullAsync(2));

        await AllowAsync($"resource/{Types.Hidden}:read", "subscription:*:own");
        var hidden = new HashSet<string>();
        for (var delivered = (string[])[]; !delivered.Any(hidden.Contains); delivered = await PullAsync(0))
            hidden.Add(await CreateAsync(Backend.Admin, Types.Hidden));
        var unseen = await CreateAsync(Backend.Admin, Types.Seen);
        hidden.Add(await CreateAsync(Backend.Admin, Types.Hidden));
        Assert.DoesNotContain(unseen, await PullAsync(1));

        async Task<string[]> PullAsync(int count)
        {
            var subjects = new List<string>();
            await Eventually.HoldsAsync(
                async () =>
                {
                    var pulled = await Caller.SendAsync(
                        "POST",
                        path + "/pull",
                        """{"consumer":"a","limit":100,"wait":1}"""
                    );
                    Assert.True(pulled.Status is 200, $"{pulled}");
                    subjects.AddRange(
                        Rows(pulled, "/data/events")
                            .Select(each => each.GetProperty("event").GetProperty("subject").GetString()!)
                    );
                    if (pulled.Text("/data/lease") is { } lease and not "null")
                        await Caller.SendAsync("POST", path + "/ack", $$"""{"lease":"{{lease}}"}""");
                    return subjects.Count >= count;
                },
                within: TimeSpan.FromSeconds(15)
            );
            return [.. subjects];
        }
    }
}
