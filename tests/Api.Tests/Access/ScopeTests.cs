using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>Single resources and lists, for a caller whose permissions are limited to types.</summary>
public sealed class ScopeTests(Backend backend) : LimitedCaller(backend)
{
    [Fact]
    [Trait("Conformance", "C1")]
    public async Task Resource_beyond_reach_looks_missing_to_every_operation()
    {
        var missing = await Caller.GetAsync($"/api/v1/resources/{Guid.CreateVersion7()}");
        foreach (var type in new[] { Types.Hidden, Types.Own })
        {
            var live = $"/api/v1/resources/{await CreateAsync(Backend.Admin, type)}";
            var deleted = $"/api/v1/resources/{await CreateAsync(Backend.Admin, type)}";
            Assert.Equal(204, (await Backend.Admin.SendAsync("DELETE", deleted)).Status);
            foreach (var path in new[] { live, deleted })
                await IsMissingAsync(path, missing);
            Assert.Equal("1", (await Backend.Admin.GetAsync(live)).Text("/data/version"));
        }
        foreach (var (by, type) in new[] { (Backend.Admin, Types.Seen), (Caller, Types.Own) })
        {
            var path = $"/api/v1/resources/{await CreateAsync(by, type)}";
            Assert.Equal(
                200,
                (
                    await Caller.SendAsync(
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
                    (await Caller.GetAsync(path + "/events")).Status,
                    (await Caller.GetAsync(path, ("If-None-Match", "\"2\""))).Status,
                    (await Caller.SendAsync("DELETE", path, headers: ("If-Match", "\"1\""))).Status
                )
            );
            Assert.Equal(
                (204, 410, 200),
                (
                    (await Caller.SendAsync("DELETE", path)).Status,
                    (await Caller.GetAsync(path)).Status,
                    (await Caller.SendAsync("POST", path + "/restore")).Status
                )
            );
        }
    }

    [Fact]
    public async Task Ids_of_accounts_sessions_and_keys_are_no_resource_ids()
    {
        var key = await Caller.SendAsync(
            "POST",
            "/api/v1/api-keys",
            $$"""{"name":"k","permissions":["resource/{{Types.Seen}}:read"]}"""
        );
        var me = await Caller.GetAsync("/api/v1/me");
        var missing = await Backend.Admin.GetAsync($"/api/v1/resources/{Guid.CreateVersion7()}");
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
            Assert.NotEmpty(await Backend.EventsAsync(Guid.Parse(id!)));
            await IsMissingAsync($"/api/v1/resources/{id}", missing, Backend.Admin, Backend.User, Caller);
            Assert.Empty(Rows(await Backend.Admin.GetAsync($"/api/v1/events?resource={id}")));
        }
        foreach (var name in new[] { "session.started", "account.registered", "role.created", "api_key.created" })
        {
            Assert.Equal(["?event"], (await Backend.Admin.GetAsync($"/api/v1/events?event={name}")).Faults);
            Assert.Equal(
                ["/filter/events/0"],
                (
                    await Backend.Admin.SendAsync(
                        "POST",
                        "/api/v1/subscriptions",
                        $$$"""{"name":"x","filter":{"events":["{{{name}}}"]},"delivery":{"kind":"pull"}}"""
                    )
                ).Faults
            );
        }
    }

    [Fact]
    public async Task Creating_a_forbidden_type_is_refused_and_appends_nothing()
    {
        var name = $"{Guid.NewGuid():n}";
        var refused = await Caller.SendAsync(
            "POST",
            "/api/v1/resources",
            $$"""{"name":"{{name}}","type":"{{Types.Hidden}}"}""",
            "application/json",
            ("Idempotency-Key", name)
        );
        Assert.Equal((403, "FORBIDDEN"), (refused.Status, refused.Code));
        Assert.Equal(403, (await Caller.SendAsync("POST", "/api/v1/resources", $$"""{"name":"{{name}}"}""")).Status);
        Assert.Equal(0, await Backend.CountCreatedAsync(name));
    }

    [Fact]
    [Trait("Conformance", "C2")]
    public async Task Lists_searches_counts_and_deleted_resources_are_limited_to_the_callers_reach()
    {
        var seen = await CreateAsync(Backend.Admin, Types.Seen);
        var own = await CreateAsync(Caller, Types.Own);
        foreach (var type in new[] { Types.Own, Types.Hidden, Types.Hidden })
            await CreateAsync(Backend.Admin, type);
        var gone = new List<string>();
        foreach (
            var (by, type) in new[]
            {
                (Backend.Admin, Types.Seen),
                (Caller, Types.Own),
                (Backend.Admin, Types.Own),
                (Backend.Admin, Types.Hidden),
            }
        )
        {
            gone.Add(await CreateAsync(by, type));
            Assert.Equal(204, (await Backend.Admin.SendAsync("DELETE", $"/api/v1/resources/{gone[^1]}")).Status);
        }
        foreach (
            var (parameters, ids) in new (string, string[])[]
            {
                ("", [own, seen]),
                ("&q=sample", [own, seen]),
                ("&filter=name:sample", [own, seen]),
                ("&sort=createdAt", [seen, own]),
                ($"&type={Types.Hidden}", []),
                ($"&type={Types.Own}", [own]),
                ($"&type={Types.Seen}", [seen]),
                ($"&owner={Person.Id}", [own]),
                ($"&filter=owner%20!=%20%22{Person.Id}%22", [seen]),
                ("&includeDeleted=true", [gone[1], gone[0], own, seen]),
                ($"&includeDeleted=true&type={Types.Own}", [gone[1], own]),
                ($"&includeDeleted=true&type={Types.Hidden}", []),
            }
        )
        foreach (var count in new[] { "exact", "estimated" })
        {
            var list = await Caller.GetAsync($"/api/v1/resources?count={count}{parameters}");
            Assert.True(
                ids.SequenceEqual(Rows(list).Select(row => row.GetProperty("id").GetString())),
                $"{parameters}: {list}"
            );
            Assert.Equal($"{ids.Length}", list.Text("/meta/count"));
        }
        var figures = await Caller.GetAsync("/api/v1/statistics");
        Assert.Equal(("2", 2), (figures.Text("/data/total"), Rows(figures, "/data/byType").Length));
        Assert.Equal("0", (await Caller.GetAsync($"/api/v1/statistics?type={Types.Hidden}")).Text("/data/total"));
    }

    [Fact]
    [Trait("Conformance", "C7")]
    [Trait("Conformance", "C8")]
    public async Task Cursors_and_ETags_of_lists_are_bound_to_the_callers_reach()
    {
        for (var i = 0; i < 3; i++)
            await CreateAsync(Backend.Admin, Types.Seen);
        var page = await Caller.GetAsync("/api/v1/resources?limit=1");
        var cursor = page.Text("/meta/page/next")!;
        Assert.Equal(200, (await Caller.GetAsync($"/api/v1/resources?limit=1&cursor={cursor}")).Status);
        var other = (await (await Backend.CreatePersonAsync(Role)).LoginAsync()).Caller;
        foreach (var stranger in new[] { other, Backend.Admin, Backend.Author })
            Assert.Equal(["?cursor"], (await stranger.GetAsync($"/api/v1/resources?limit=1&cursor={cursor}")).Faults);
        Assert.NotEqual(
            page.ETag,
            (await Backend.Admin.GetAsync("/api/v1/resources?limit=1", ("If-None-Match", page.ETag!))).ETag
        );

        Assert.Equal(
            200,
            (
                await Backend.Admin.SendAsync(
                    "PUT",
                    $"/api/v1/roles/{Role}",
                    $$"""{"permissions":["resource/{{Types.Seen}}:read","resource/{{Types.Hidden}}:read"]}"""
                )
            ).Status
        );
        await Eventually.HoldsAsync(async () =>
            (await Caller.GetAsync($"/api/v1/resources?limit=1&cursor={cursor}")).Faults is ["?cursor"]
        );
    }

    async Task IsMissingAsync(string path, Answer missing, params ApiClient[] callers)
    {
        foreach (var by in callers is [] ? [Caller] : callers)
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
            if (by == Backend.User && method is not ("GET" or "HEAD"))
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
}
