using System.Text.Json;
using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>
/// Permissions narrowed to a type, and to a type of one's own, on every way by which a resource can be seen (C1, C2,
/// C7, C8, H3).
/// </summary>
public sealed class ScopeTests(Backend backend) : IAsyncLifetime
{
    readonly (string Seen, string Own, string Hidden) types = (FreshType(), FreshType(), FreshType());
    string role = "";
    Person person = null!;
    Caller caller = null!;

    /// <summary>Somebody who may do everything with one type, and with what is their own of another.</summary>
    public async ValueTask InitializeAsync()
    {
        role = await RoleAsync(
            $"resource/{types.Seen}:*",
            $"resource/{types.Own}:create",
            $"resource/{types.Own}:*:own",
            "subscription:*:own"
        );
        person = await Person.CreateAsync(backend.Admin, backend.Node.Address, role);
        caller = (await person.LoginAsync()).Caller;
    }

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task C1_What_is_beyond_reach_is_missing_whatever_is_asked_of_it()
    {
        var missing = await caller.GetAsync($"/api/v1/resources/{Guid.CreateVersion7()}");
        foreach (var type in new[] { types.Hidden, types.Own })
        {
            var live = $"/api/v1/resources/{await CreateAsync(backend.Admin, type)}";
            var deleted = $"/api/v1/resources/{await CreateAsync(backend.Admin, type)}";
            Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", deleted)).Status);
            foreach (var path in new[] { live, deleted })
                await IsMissingAsync(path, missing);
            Assert.Equal("1", (await backend.Admin.GetAsync(live)).Text("/data/version"));
        }
        foreach (var (by, type) in new[] { (backend.Admin, types.Seen), (caller, types.Own) })
        {
            var path = $"/api/v1/resources/{await CreateAsync(by, type)}";
            Assert.Equal(
                200,
                (
                    await caller.SendAsync(
                        "PATCH",
                        path,
                        """{"name":"renamed"}""",
                        "application/merge-patch+json",
                        ("If-Match", "\"1\"")
                    )
                ).Status
            );
            Assert.Equal(
                (200, 304, 412),
                (
                    (await caller.GetAsync(path + "/events")).Status,
                    (await caller.GetAsync(path, ("If-None-Match", "\"2\""))).Status,
                    (await caller.SendAsync("DELETE", path, headers: ("If-Match", "\"1\""))).Status
                )
            );
            Assert.Equal(
                (204, 410, 200),
                (
                    (await caller.SendAsync("DELETE", path)).Status,
                    (await caller.GetAsync(path)).Status,
                    (await caller.SendAsync("POST", path + "/restore")).Status
                )
            );
        }
    }

    [Fact]
    public async Task By_the_id_of_an_account_a_session_or_a_key_there_is_no_resource_for_anyone()
    {
        var key = await caller.SendAsync(
            "POST",
            "/api/v1/api-keys",
            $$"""{"name":"k","permissions":["resource/{{types.Seen}}:read"]}"""
        );
        var me = await caller.GetAsync("/api/v1/me");
        var missing = await backend.Admin.GetAsync($"/api/v1/resources/{Guid.CreateVersion7()}");
        foreach (
            var id in new[]
            {
                me.Text("/data/id"),
                me.Text("/data/session"),
                key.Text("/data/id"),
                $"{Grains.RoleBook.Id}",
            }
        )
        {
            Assert.NotEmpty(await backend.EventsAsync(Guid.Parse(id!)));
            await IsMissingAsync($"/api/v1/resources/{id}", missing, backend.Admin, backend.User, caller);
            Assert.Empty(Rows(await backend.Admin.GetAsync($"/api/v1/events?resource={id}")));
        }
        foreach (var name in new[] { "session.started", "account.registered", "role.created", "api_key.created" })
        {
            Assert.Equal(["?event"], (await backend.Admin.GetAsync($"/api/v1/events?event={name}")).Faults);
            Assert.Equal(
                ["/filter/events/0"],
                (
                    await backend.Admin.SendAsync(
                        "POST",
                        "/api/v1/subscriptions",
                        $$$"""{"name":"x","filter":{"events":["{{{name}}}"]},"delivery":{"kind":"pull"}}"""
                    )
                ).Faults
            );
        }
    }

    [Fact]
    public async Task The_log_is_read_past_what_is_not_of_resources_and_shows_none_of_it()
    {
        await using var stream = await Subscriber.OpenAsync(
            backend.Node.Address,
            backend.Admin.Token,
            "/api/v1/events?after=now"
        );
        await using var socket = await Socket.OpenAsync(backend.Node.Address, backend.Admin.Token, "after=now");
        var before = long.Parse(
            (await backend.Admin.GetAsync("/api/v1/events?after=now"))["Position"]!,
            System.Globalization.CultureInfo.InvariantCulture
        );
        await stream.CatchUpAsync();
        await socket.CatchUpAsync();
        for (var i = 0; i < 3; i++)
            await person.LoginAsync();
        var made = Guid.Parse(await CreateAsync(backend.Admin, types.Seen));

        Assert.Equal(made, Subscriber.Subject(await NextOfAsync(made)));
        Assert.Equal(made, Socket.Subject(await NextOnSocketAsync(made)));
        var page = await backend.Admin.GetAsync($"/api/v1/events?after={before}");
        Assert.All(Rows(page), each =>
            Assert.StartsWith("resource.", each.GetProperty("type").GetString(), StringComparison.Ordinal)
        );
        var polling = backend.Admin.GetAsync($"/api/v1/events?after={page["Position"]}&type={types.Own}&wait=1");
        await person.LoginAsync();
        var waited = await polling;
        Assert.Empty(Rows(waited));
        Assert.True(Number(waited, "/meta/position") >= Number(page, "/meta/position"));
        // A page that nothing is in goes to the log's end.
        var last = await backend.Admin.GetAsync($"/api/v1/events?after={page["Position"]}&type={types.Own}");
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
    public async Task A_type_that_is_not_allowed_cannot_be_created_and_leaves_no_event()
    {
        var name = $"{Guid.NewGuid():n}";
        var refused = await caller.SendAsync(
            "POST",
            "/api/v1/resources",
            $$"""{"name":"{{name}}","type":"{{types.Hidden}}"}""",
            "application/json",
            ("Idempotency-Key", name)
        );
        Assert.Equal((403, "FORBIDDEN"), (refused.Status, refused.Code));
        Assert.Equal(403, (await caller.SendAsync("POST", "/api/v1/resources", $$"""{"name":"{{name}}"}""")).Status);
        Assert.Equal(0, await backend.CountCreatedAsync(name));
    }

    [Fact]
    public async Task C2_Lists_searches_counts_and_deleted_resources_have_what_is_within_reach()
    {
        var seen = await CreateAsync(backend.Admin, types.Seen);
        var own = await CreateAsync(caller, types.Own);
        foreach (var type in new[] { types.Own, types.Hidden, types.Hidden })
            await CreateAsync(backend.Admin, type);
        var gone = new List<string>();
        foreach (
            var (by, type) in new[]
            {
                (backend.Admin, types.Seen),
                (caller, types.Own),
                (backend.Admin, types.Own),
                (backend.Admin, types.Hidden),
            }
        )
        {
            gone.Add(await CreateAsync(by, type));
            Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/resources/{gone[^1]}")).Status);
        }
        foreach (
            var (parameters, ids) in new (string, string[])[]
            {
                ("", [own, seen]),
                ("&q=sample", [own, seen]),
                ("&filter=name:sample", [own, seen]),
                ("&sort=createdAt", [seen, own]),
                ($"&type={types.Hidden}", []),
                ($"&type={types.Own}", [own]),
                ($"&type={types.Seen}", [seen]),
                ($"&owner={person.Id}", [own]),
                ($"&filter=owner%20!=%20%22{person.Id}%22", [seen]),
                ("&includeDeleted=true", [gone[1], gone[0], own, seen]),
                ($"&includeDeleted=true&type={types.Own}", [gone[1], own]),
                ($"&includeDeleted=true&type={types.Hidden}", []),
            }
        )
        foreach (var count in new[] { "exact", "estimated" })
        {
            var list = await caller.GetAsync($"/api/v1/resources?count={count}{parameters}");
            Assert.True(
                ids.SequenceEqual(Rows(list).Select(row => row.GetProperty("id").GetString())),
                $"{parameters}: {list}"
            );
            Assert.Equal($"{ids.Length}", list.Text("/meta/count"));
        }
        var figures = await caller.GetAsync("/api/v1/statistics");
        Assert.Equal(("2", 2), (figures.Text("/data/total"), Rows(figures, "/data/byType").Length));
        Assert.Equal("0", (await caller.GetAsync($"/api/v1/statistics?type={types.Hidden}")).Text("/data/total"));
    }

    [Fact]
    public async Task C7_C8_Cursors_and_tags_of_lists_are_good_for_what_could_be_seen_with_them_only()
    {
        for (var i = 0; i < 3; i++)
            await CreateAsync(backend.Admin, types.Seen);
        var page = await caller.GetAsync("/api/v1/resources?limit=1");
        var cursor = page.Text("/meta/page/next")!;
        Assert.Equal(200, (await caller.GetAsync($"/api/v1/resources?limit=1&cursor={cursor}")).Status);
        var other = (await (await Person.CreateAsync(backend.Admin, backend.Node.Address, role)).LoginAsync()).Caller;
        foreach (var stranger in new[] { other, backend.Admin, backend.Author })
            Assert.Equal(["?cursor"], (await stranger.GetAsync($"/api/v1/resources?limit=1&cursor={cursor}")).Faults);
        Assert.NotEqual(
            page.ETag,
            (await backend.Admin.GetAsync("/api/v1/resources?limit=1", ("If-None-Match", page.ETag!))).ETag
        );

        Assert.Equal(
            200,
            (
                await backend.Admin.SendAsync(
                    "PUT",
                    $"/api/v1/roles/{role}",
                    $$"""{"permissions":["resource/{{types.Seen}}:read","resource/{{types.Hidden}}:read"]}"""
                )
            ).Status
        );
        await Eventually.HoldsAsync(async () =>
            (await caller.GetAsync($"/api/v1/resources?limit=1&cursor={cursor}")).Faults is ["?cursor"]
        );
    }

    [Fact]
    public async Task A_followed_list_has_what_is_within_reach_and_begins_anew_when_that_changes()
    {
        var seen = await CreateAsync(backend.Admin, types.Seen);
        var hidden = await CreateAsync(backend.Admin, types.Hidden);
        await using var follow = await Subscriber.OpenAsync(
            backend.Node.Address,
            caller.Token,
            "/api/v1/resources?follow=true"
        );
        Assert.Equal([seen], (await follow.CatchUpAsync()).Where(item => item.EventType is "snapshot").Select(Id));
        await CreateAsync(backend.Admin, types.Hidden);
        var next = await CreateAsync(backend.Admin, types.Seen);
        Assert.Equal(
            ("added", next),
            (await follow.NextAsync())!.Value is var item ? (item.EventType, Id(item)) : default
        );

        await AllowAsync($"resource/{types.Hidden}:read");
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
    public async Task H3_Streams_and_sockets_follow_a_role_that_changes()
    {
        await using var stream = await Subscriber.OpenAsync(
            backend.Node.Address,
            caller.Token,
            "/api/v1/events?after=now"
        );
        await using var socket = await Socket.OpenAsync(backend.Node.Address, caller.Token, "after=now");
        await stream.CatchUpAsync();
        await socket.CatchUpAsync();
        await CreateAsync(backend.Admin, types.Hidden);
        await CreateAsync(backend.Admin, types.Own);
        var expected = Guid.Parse(await CreateAsync(backend.Admin, types.Seen));
        Assert.Equal(
            (expected, expected),
            (Subscriber.Subject(await stream.EventAsync()), Socket.Subject(await socket.EventAsync()))
        );

        var hidden = await CreateAsync(backend.Admin, types.Hidden);
        Assert.Equal(404, (await caller.GetAsync($"/api/v1/resources/{hidden}")).Status);
        await AllowAsync($"resource/{types.Hidden}:read");
        await Eventually.HoldsAsync(async () => (await caller.GetAsync($"/api/v1/resources/{hidden}")).Status is 200);
        var unseen = Guid.Parse(await CreateAsync(backend.Admin, types.Seen));
        expected = Guid.Parse(await CreateAsync(backend.Admin, types.Hidden));
        // What was passed over before, and may be read now, may come first.
        for (var subject = Guid.Empty; subject != expected; )
            Assert.NotEqual(unseen, subject = Subscriber.Subject(await stream.EventAsync()));
        for (var subject = Guid.Empty; subject != expected; )
            Assert.NotEqual(unseen, subject = Socket.Subject(await socket.EventAsync()));

        var polling = caller.GetAsync($"/api/v1/events?after=now&wait=20");
        await CreateAsync(backend.Admin, types.Seen);
        while (!polling.IsCompleted)
            await Task.WhenAny(polling, CreateAsync(backend.Admin, types.Hidden));
        Assert.All(Rows(await polling), each =>
            Assert.Equal(types.Hidden, each.GetProperty("resourcetype").GetString())
        );
    }

    [Fact]
    public async Task I6_Subscriptions_deliver_what_their_owner_may_read_when_it_is_delivered()
    {
        var made = await caller.SendAsync(
            "POST",
            "/api/v1/subscriptions",
            $$"""{"name":"{{Guid.NewGuid():n}}","delivery":{"kind":"pull"},"after":"0"}"""
        );
        Assert.True(made.Status is 201, $"{made}");
        var path = made["Location"]!;
        await CreateAsync(backend.Admin, types.Hidden);
        var seen = await CreateAsync(backend.Admin, types.Seen);
        var own = await CreateAsync(caller, types.Own);
        await CreateAsync(backend.Admin, types.Own);
        Assert.Equal([seen, own], await PullAsync(2));

        await AllowAsync($"resource/{types.Hidden}:read", "subscription:*:own");
        var hidden = new HashSet<string>();
        for (var delivered = (string[])[]; !delivered.Any(hidden.Contains); delivered = await PullAsync(0))
            hidden.Add(await CreateAsync(backend.Admin, types.Hidden));
        var unseen = await CreateAsync(backend.Admin, types.Seen);
        hidden.Add(await CreateAsync(backend.Admin, types.Hidden));
        Assert.DoesNotContain(unseen, await PullAsync(1));

        async Task<string[]> PullAsync(int count)
        {
            var subjects = new List<string>();
            await Eventually.HoldsAsync(
                async () =>
                {
                    var pulled = await caller.SendAsync(
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
                        await caller.SendAsync("POST", path + "/ack", $$"""{"lease":"{{lease}}"}""");
                    return subjects.Count >= count;
                },
                within: TimeSpan.FromSeconds(15)
            );
            return [.. subjects];
        }
    }

    async Task IsMissingAsync(string path, Answer missing, params Caller[] callers)
    {
        foreach (var by in callers is [] ? [caller] : callers)
        foreach (
            var (method, tail, body, type) in new[]
            {
                ("GET", "", null, "application/json"),
                ("HEAD", "", null, "application/json"),
                ("GET", "?version=1", null, "application/json"),
                ("GET", "?at=2020-01-01T00:00:00Z", null, "application/json"),
                ("GET", "/events", null, "application/json"),
                ("GET", "/events?after=x", null, "application/json"),
                ("PUT", "", """{"name":"x"}""", "application/json"),
                ("PUT", "", "{", "application/json"),
                ("PATCH", "", """{"name":"x"}""", "application/merge-patch+json"),
                ("DELETE", "", null, "application/json"),
                ("POST", "/restore", null, "application/json"),
            }
        )
        foreach (var header in new[] { ("If-None-Match", "\"1\""), ("If-Match", "\"7\""), ("X-None", "") })
        {
            var answer = await by.SendAsync(method, path + tail, body, type, header);
            if (by == backend.User && method is not ("GET" or "HEAD"))
                Assert.Equal(403, answer.Status);
            else
                Assert.True(
                    answer is { Status: 404, ETag: null }
                        && (
                            method is "HEAD"
                            || answer.Code == missing.Code && answer.Text("/detail") == missing.Text("/detail")
                        ),
                    $"{method} {path}{tail} {header}: {answer}"
                );
        }
    }

    async Task AllowAsync(params string[] permissions) =>
        Assert.Equal(
            200,
            (
                await backend.Admin.SendAsync(
                    "PUT",
                    $"/api/v1/roles/{role}",
                    JsonSerializer.Serialize(new { permissions })
                )
            ).Status
        );

    async Task<string> RoleAsync(params string[] permissions)
    {
        var name = $"r{Guid.NewGuid():n}";
        var made = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/roles",
            JsonSerializer.Serialize(new { name, permissions })
        );
        Assert.True(made.Status is 201, $"{made}");
        return name;
    }
}
