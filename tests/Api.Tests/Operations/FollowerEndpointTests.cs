using System.Globalization;
using System.Text.Json;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Endpoints for followers. Each test has a server of its own, as a poison event stops all lists.</summary>
public sealed class FollowerEndpointTests(Backend backend)
{
    const string Followers = "/api/v1/admin/followers";
    const string Views = Followers + "/resource_views";

    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Follower_reports_position_and_lag_to_operators_probes_and_metrics()
    {
        await backend.CreateAsync();
        var followers = await backend.Admin.GetAsync(Followers);
        Assert.Equal(
            ("resource_views", "running", "null", "null"),
            (
                followers.Text("/data/0/name"),
                followers.Text("/data/0/state"),
                followers.Text("/data/0/fault"),
                followers.Text("/data/0/rebuild")
            )
        );
        Assert.Matches("^[0-9]+$", followers.Text("/data/0/position"));
        Assert.Matches("^[0-9]+$", followers.Text("/data/0/head"));

        await Eventually.HoldsAsync(
            async () =>
                (await backend.Guest.GetAsync("/health")) is var health
                && health.Text("/status") is "ok"
                && health.Text("/followers/0/name") is "resource_views",
            Plenty
        );
        var metrics = System.Text.Encoding.UTF8.GetString((await backend.Guest.GetAsync("/metrics")).Body);
        foreach (
            var name in new[]
            {
                "resources_follower_position",
                "resources_follower_lag",
                "resources_follower_lag_seconds",
                "resources_follower_faulted",
                "resources_follower_visible_seconds_count",
            }
        )
            Assert.Contains(name + "{", metrics, StringComparison.Ordinal);
    }

    [
        Theory,
        InlineData("GET", Followers),
        InlineData("POST", Views + "/rebuild"),
        InlineData("POST", Views + "/resume"),
        InlineData("POST", Views + "/skip")
    ]
    public async Task Only_operators_can_use_follower_endpoints(string method, string path)
    {
        Assert.Equal(403, (await backend.User.SendAsync(method, path, method is "POST" ? "{}" : null)).Status);
        Assert.Equal(401, (await backend.Guest.SendAsync(method, path, method is "POST" ? "{}" : null)).Status);
    }

    [Fact]
    public async Task Invalid_follower_requests_are_refused()
    {
        Assert.Equal(404, (await backend.Admin.SendAsync("POST", Followers + "/nobody/rebuild")).Status);
        Assert.Equal("FOLLOWER_ELSEWHERE", (await backend.Admin.SendAsync("POST", Views + "/resume")).Code);
        Assert.Equal(
            "FOLLOWER_ELSEWHERE",
            (
                await backend.Admin.SendAsync(
                    "POST",
                    Views + "/skip",
                    """{"position":"1","reason":"to see what happens"}"""
                )
            ).Code
        );
        Assert.Equal(
            ["/position", "/reason"],
            (await backend.Admin.SendAsync("POST", Views + "/skip", """{"position":1,"reason":""}""")).Faults
        );
        Assert.Equal(
            ["/position"],
            (await backend.Admin.SendAsync("POST", Views + "/skip", """{"position":"first","reason":"x"}""")).Faults
        );
    }

    [Theory]
    [
        InlineData("resource.renamed", "[]"),
        InlineData("resource.renamed", """{"name":null}"""),
        InlineData("resource.exploded", "{}"),
        InlineData("resource.status_changed", """{"status":7}""")
    ]
    [InlineData("resource.created", """{"type":"t","name":"n","status":"s","owner":"o"}""")]
    public async Task Poison_event_stops_the_follower_visibly_and_can_be_skipped(string type, string data)
    {
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
        var first = await admin.SendAsync("POST", "/api/v1/resources", """{"name":"first"}""");
        var position = await PoisonAsync(node, Guid.Parse(first.Text("/data/id")!), type, data);
        await admin.SendAsync("POST", "/api/v1/resources", """{"name":"second"}""");

        await Eventually.HoldsAsync(
            async () => (await admin.GetAsync(Followers)).Text("/data/0/fault/position") == position,
            Plenty
        );
        var follower = await admin.GetAsync(Followers);
        Assert.Equal("stopped", follower.Text("/data/0/state"));
        Assert.NotEmpty(follower.Text("/data/0/fault/detail")!);
        await Eventually.HoldsAsync(
            async () =>
                (await admin.GetAsync("/health")) is var health
                && health.Text("/status") is "degraded"
                && health.Text("/followers/0/faultAt") == position,
            Plenty
        );
        Assert.Contains(
            "resources_follower_faulted{otel_scope_name=\"Resources.Followers\",follower=\"resource_views\"} 1",
            System.Text.Encoding.UTF8.GetString((await admin.GetAsync("/metrics")).Body),
            StringComparison.Ordinal
        );
        Assert.Equal("READ_MODEL_BEHIND", (await admin.GetAsync("/api/v1/resources")).Code);
        Assert.Equal("first", (await admin.GetAsync("/api/v1/resources?consistency=eventual")).Text("/data/0/name"));

        // Another try finds the same event; another position is not the one.
        Assert.Equal(200, (await admin.SendAsync("POST", Views + "/resume")).Status);
        await Eventually.HoldsAsync(
            async () => (await admin.GetAsync(Followers)).Text("/data/0/fault/position") == position,
            Plenty
        );
        Assert.Equal(
            409,
            (await admin.SendAsync("POST", Views + "/skip", """{"position":"1","reason":"the wrong one"}""")).Status
        );

        Assert.Equal(
            200,
            (
                await admin.SendAsync(
                    "POST",
                    Views + "/skip",
                    $$"""{"position":"{{position}}","reason":"a test wrote it"}"""
                )
            ).Status
        );
        await Eventually.HoldsAsync(
            async () =>
                (await admin.GetAsync("/api/v1/resources")) is var list && list.Text("/data/0/name") is "second",
            Plenty
        );
        await Eventually.HoldsAsync(
            async () => (await admin.GetAsync(Followers)).Text("/data/0/state") is "running",
            Plenty
        );

        Assert.Equal(202, (await admin.SendAsync("POST", Views + "/rebuild")).Status);
        await Eventually.HoldsAsync(
            async () => (await admin.GetAsync(Followers)).Text("/data/0/generation") is "2",
            Plenty
        );
        Assert.Equal("2", (await admin.GetAsync("/api/v1/resources?count=exact")).Text("/meta/count"));
        await ReadModel.HasInAuditAsync(admin, "rebuild_requested", "event_skipped", "resumed");
    }

    /// <summary>
    /// The resource keeps a skipped event, because the event was acknowledged and its writer relies on it.
    /// </summary>
    [Fact]
    public async Task Resource_keeps_an_event_that_followers_skip()
    {
        string database,
            last,
            middle;
        await using (var node = await backend.StartServerAsync())
        {
            database = node.ConnectionString;
            var admin = await node.AdminAsync();
            await ExecuteAsync(
                node,
                "alter table resource_views_1 add constraint poison check (name not like 'poison%')"
            );
            last = await ChangeAsync(admin, "poison that is the last event");
            middle = await ChangeAsync(admin, "poison in the middle");
            foreach (var resource in new[] { last, middle })
            {
                await Eventually.HoldsAsync(
                    async () => (await admin.GetAsync(Followers)).Text("/data/0/state") is "stopped",
                    Plenty
                );
                // Not before, as a page that has both names writes only the second.
                if (resource == middle)
                    Assert.Equal(
                        200,
                        (
                            await admin.SendAsync(
                                "PATCH",
                                middle,
                                """{"name":"third"}""",
                                "application/merge-patch+json"
                            )
                        ).Status
                    );
                var position = (await admin.GetAsync(Followers)).Text("/data/0/fault/position");
                Assert.Equal(
                    200,
                    (
                        await admin.SendAsync(
                            "POST",
                            Views + "/skip",
                            $$"""{"position":"{{position}}","reason":"{{resource}}"}"""
                        )
                    ).Status
                );
            }
            await Eventually.HoldsAsync(
                async () =>
                    (await admin.GetAsync("/api/v1/resources")) is var list && list.Text("/data/0/name") is "third",
                Plenty
            );
        }

        await using var next = InProcessServer.Start(database);
        var reader = await next.AdminAsync();
        Assert.Equal(("2", "poison that is the last event"), await ReadAsync(last));
        Assert.Equal(("3", "third"), await ReadAsync(middle));
        foreach (var resource in new[] { last, middle })
            Assert.Equal(
                200,
                (
                    await reader.SendAsync("PATCH", resource, """{"status":"mended"}""", "application/merge-patch+json")
                ).Status
            );

        async Task<(string?, string?)> ReadAsync(string resource) =>
            (await reader.GetAsync(resource)) is var answer
                ? (answer.Text("/data/version"), answer.Text("/data/name"))
                : default;
    }

    static async Task<string> ChangeAsync(ApiClient caller, string name)
    {
        var resource =
            "/api/v1/resources/"
            + (await caller.SendAsync("POST", "/api/v1/resources", """{"name":"first"}""")).Text("/data/id");
        Assert.Equal(
            200,
            (
                await caller.SendAsync("PATCH", resource, $$"""{"name":"{{name}}"}""", "application/merge-patch+json")
            ).Status
        );
        return resource;
    }

    [Fact]
    public async Task Fault_not_caused_by_an_event_cannot_be_skipped_and_ends_with_its_cause()
    {
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
        await ExecuteAsync(node, "alter table resource_statistics_1 rename to elsewhere");
        await admin.SendAsync("POST", "/api/v1/resources", """{"name":"innocent"}""");
        await Eventually.HoldsAsync(
            async () => (await admin.GetAsync(Followers)).Text("/data/0/state") is "stopped",
            Plenty
        );
        var position = (await admin.GetAsync(Followers)).Text("/data/0/fault/position");
        Assert.Equal(
            "FOLLOWER_ELSEWHERE",
            (
                await admin.SendAsync(
                    "POST",
                    Views + "/skip",
                    $$"""{"position":"{{position}}","reason":"it is in the way"}"""
                )
            ).Code
        );

        await ExecuteAsync(node, "alter table elsewhere rename to resource_statistics_1");
        Assert.Equal(200, (await admin.SendAsync("POST", Views + "/resume")).Status);
        await Eventually.HoldsAsync(
            async () =>
                (await admin.GetAsync("/api/v1/resources?count=exact")) is var list
                && list.Text("/data/0/name") is "innocent"
                && list.Text("/meta/count") is "1",
            Plenty
        );
        await Eventually.HoldsAsync(
            async () => (await admin.GetAsync(Followers)).Text("/data/0/state") is "running",
            Plenty
        );
    }

    [Fact]
    public async Task Consecutive_poison_events_are_skipped_one_by_one()
    {
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
        string[] resources =
        [
            (await admin.SendAsync("POST", "/api/v1/resources", """{"name":"a"}""")).Text("/data/id")!,
            (await admin.SendAsync("POST", "/api/v1/resources", """{"name":"b"}""")).Text("/data/id")!,
        ];
        foreach (var resource in resources)
            await PoisonAsync(node, Guid.Parse(resource), "resource.renamed", "[]");
        await admin.SendAsync("POST", "/api/v1/resources", """{"name":"behind both"}""");
        for (var skipped = 0; skipped < 2; skipped++)
        {
            await Eventually.HoldsAsync(
                async () => (await admin.GetAsync(Followers)).Text("/data/0/state") is "stopped",
                Plenty
            );
            var position = (await admin.GetAsync(Followers)).Text("/data/0/fault/position");
            Assert.Equal(
                200,
                (
                    await admin.SendAsync(
                        "POST",
                        Views + "/skip",
                        $$"""{"position":"{{position}}","reason":"a test wrote it"}"""
                    )
                ).Status
            );
        }
        await Eventually.HoldsAsync(
            async () => (await admin.GetAsync("/api/v1/resources")).Text("/data/0/name") is "behind both",
            Plenty
        );
    }

    [Fact]
    public async Task Rebuild_replaces_the_read_model_while_lists_keep_working()
    {
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
        var written = 0;
        using var enough = new CancellationTokenSource();
        var writer = Task.Run(
            async () =>
            {
                for (; !enough.IsCancellationRequested; written++)
                    Assert.Equal(
                        201,
                        (await admin.SendAsync("POST", "/api/v1/resources", $$"""{"name":"n{{written}}"}""")).Status
                    );
            },
            TestContext.Current.CancellationToken
        );
        for (var generation = 2; generation < 5; generation++)
        {
            Assert.Equal(202, (await admin.SendAsync("POST", Views + "/rebuild")).Status);
            Assert.Equal("FOLLOWER_BUSY", (await admin.SendAsync("POST", Views + "/rebuild")).Code);
            await Eventually.HoldsAsync(
                async () =>
                {
                    var before = Volatile.Read(ref written);
                    var list = await admin.GetAsync("/api/v1/resources?count=exact");
                    Assert.True(
                        list.Status is 200
                            && long.Parse(list.Text("/meta/count")!, CultureInfo.InvariantCulture) >= before,
                        $"{before} were written: {list}"
                    );
                    return (await admin.GetAsync(Followers)).Text("/data/0/generation") == $"{generation}";
                },
                Plenty
            );
        }
        await enough.CancelAsync();
        await writer;
        Assert.Equal($"{written}", (await admin.GetAsync("/api/v1/resources?count=exact")).Text("/meta/count"));
        Assert.Equal($"{written}", (await admin.GetAsync("/api/v1/statistics")).Text("/data/total"));
    }

    /// <summary>Appends an event that the product would never write. Returns its position.</summary>
    static async Task<string> PoisonAsync(InProcessServer node, Guid stream, string type, string data)
    {
        await using var database = NpgsqlDataSource.Create(node.ConnectionString);
        await using var command = database.CreateCommand(
            """
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, user_name)
            values (nextval('mt_events_sequence'), gen_random_uuid(), $1, 2, $2::jsonb, $3, clock_timestamp(), 'unknown', 'somebody') returning seq_id::text
            """
        );
        command.Parameters.Add(new() { Value = stream });
        command.Parameters.Add(new() { Value = data });
        command.Parameters.Add(new() { Value = type });
        return (string)(await command.ExecuteScalarAsync())!;
    }

    static async Task ExecuteAsync(InProcessServer node, string sql)
    {
        await using var database = NpgsqlDataSource.Create(node.ConnectionString);
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
