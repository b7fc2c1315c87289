using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>Pull subscriptions, whose consumers share the events over HTTP.</summary>
public sealed class PullTests(Backend shared, SubscriptionBackend backend) : IClassFixture<SubscriptionBackend>
{
    sealed record Leased(string Lease, (string Resource, long Version, string Position)[] Events);

    readonly string type = FreshType();

    /// <summary>The administrator of another server.</summary>
    ApiClient? On { get; init; }

    ApiClient Admin => On ?? backend.Admin;

    async Task<Leased?> PullAsync(string path, string consumer, int limit = 100, int wait = 0, int leaseSeconds = 30)
    {
        var answer = await Admin.SendAsync(
            "POST",
            path + "/pull",
            $$"""{"consumer":"{{consumer}}","limit":{{limit}},"wait":{{wait}},"leaseSeconds":{{leaseSeconds}}}"""
        );
        Assert.True(answer.Status is 200, answer.ToString());
        if (answer.At("/data/lease")!.Value.GetString() is not { } lease)
            return null;
        return new(
            lease,
            [
                .. Rows(answer, "/data/events")
                    .Select(each => each.GetProperty("event"))
                    .Select(each =>
                        (
                            each.GetProperty("subject").GetString()!,
                            each.GetProperty("resourceversion").GetInt64(),
                            each.GetProperty("position").GetString()!
                        )
                    ),
            ]
        );
    }

    Task<Answer> SettleAsync(string path, string how, string lease, string[]? positions = null, string more = "") =>
        Admin.SendAsync(
            "POST",
            $"{path}/{how}",
            $$"""{"lease":"{{lease}}"{{(positions is null ? "" : $",\"positions\":[{string.Join(',', positions.Select(position => $"\"{position}\""))}]")}}{{more}}}"""
        );

    /// <summary>Pulls until a batch has at least so many events.</summary>
    async Task<Leased> NextAsync(string path, string consumer, int limit = 100, int leaseSeconds = 30, int least = 1)
    {
        Leased? leased = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                leased = await PullAsync(path, consumer, limit, 2, leaseSeconds);
                if (leased is null || leased.Events.Length >= least)
                    return leased is not null;
                await SettleAsync(path, "nack", leased.Lease);
                return false;
            },
            Plenty,
            () => $"{consumer} gets events"
        );
        return leased!;
    }

    async Task<string> SubscribeAsync() => (await SubscriptionBackend.SubscribeAsync(Admin, type, null)).Path;

    async Task LagsAsync(string path, string parked = "0") =>
        await Eventually.HoldsAsync(
            async () =>
                (await Admin.GetAsync(path)) is var now
                && now.Text("/data/lag") is "0"
                && now.Text("/data/parked") == parked,
            Plenty,
            () => "the position follows"
        );

    [Fact]
    public async Task Consumers_share_events_and_each_resource_goes_in_order_to_one_at_a_time()
    {
        var path = await SubscribeAsync();
        var resources = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => CreateAsync(Admin, type)));
        var writes = Task.WhenAll(resources.Select(resource => RenameAsync(Admin, resource, 9)));
        var done = new ConcurrentQueue<(string Resource, long Version)>();
        var busy = new ConcurrentDictionary<string, string>();
        var consumers = new ConcurrentDictionary<string, int>();
        await Task.WhenAll(
            new[] { "a", "b", "c" }.Select(consumer =>
                Task.Run(
                    async () =>
                    {
                        for (var watch = Stopwatch.StartNew(); done.Count < 120 && watch.Elapsed < Plenty; )
                        {
                            if (await PullAsync(path, consumer, limit: 5, wait: 1) is not { } leased)
                                continue;
                            consumers.AddOrUpdate(consumer, 1, (_, count) => count + 1);
                            var mine = leased.Events.Select(each => each.Resource).Distinct().ToArray();
                            foreach (var resource in mine)
                                Assert.True(busy.TryAdd(resource, consumer), $"{resource} is with two consumers");
                            foreach (var (resource, version, _) in leased.Events)
                                done.Enqueue((resource, version));
                            foreach (var resource in mine)
                                busy.TryRemove(resource, out _);
                            Assert.Equal(
                                $"{leased.Events.Length}",
                                (await SettleAsync(path, "ack", leased.Lease)).Text("/data/settled")
                            );
                        }
                    },
                    TestContext.Current.CancellationToken
                )
            )
        );
        await writes;
        Assert.Equal(120, done.Distinct().Count());
        Assert.Equal(120, done.Count);
        DeliveryOrder.Check(done, 10);
        Assert.Equal(3, consumers.Count);
        await LagsAsync(path);
    }

    [Fact]
    public async Task Lease_of_a_dead_consumer_passes_to_another_in_order()
    {
        var path = await SubscribeAsync();
        var resource = await CreateAsync(Admin, type);
        await RenameAsync(Admin, resource, 4);
        var lost = await NextAsync(path, "dies", limit: 3, leaseSeconds: 4, least: 3);
        Assert.Equal([1L, 2, 3], lost.Events.Select(each => each.Version));
        // What is behind what is leased has to wait.
        Assert.Null(await PullAsync(path, "lives"));
        var other = await CreateAsync(Admin, type);
        Assert.Equal(
            [(other, 1L)],
            (await NextAsync(path, "lives")).Events.Select(each => (each.Resource, each.Version))
        );

        var taken = await NextAsync(path, "lives", least: 5);
        Assert.Equal([1L, 2, 3, 4, 5], taken.Events.Select(each => each.Version));
        Assert.Equal("LEASE_LOST", (await SettleAsync(path, "ack", lost.Lease)).Code);
        Assert.Equal("5", (await SettleAsync(path, "ack", taken.Lease)).Text("/data/settled"));
        await Eventually.HoldsAsync(
            async () =>
                Rows(await Admin.GetAsync(path + "/attempts"))
                    .Count(attempt => attempt.GetProperty("outcome").GetString() is "expired")
                    is 3,
            Plenty,
            () => "expiries are logged"
        );
    }

    [Fact]
    public async Task Many_settled_events_behind_an_open_one_do_not_block_consumers()
    {
        await using var node = await backend.StartAsync(("Subscriptions:MaxUnacked", "10"));
        var small = new PullTests(shared, backend) { On = await node.AdminAsync() };
        var path = await small.SubscribeAsync();
        var resources = new List<string>();
        for (var i = 0; i < 30; i++)
            resources.Add(await CreateAsync(small.Admin, small.type));
        var first = await small.NextAsync(path, "slow", limit: 1, leaseSeconds: 3);
        for (var i = 0; i < 24; i++)
            await small.SettleAsync(path, "ack", (await small.NextAsync(path, "quick", limit: 1)).Lease);
        await small.NextAsync(path, "quick", limit: 1);

        // Who takes it over reads what was settled again, as the position stands before the first event, and has no
        // room for all of it.
        foreach (var what in new[] { "/pause", "/resume" })
            Assert.Equal(200, (await small.Admin.SendAsync("POST", path + what)).Status);
        var had = first.Events.Select(each => each.Resource).ToHashSet();
        while (had.Count < 29)
        {
            var next = await small.NextAsync(path, "other");
            had.UnionWith(next.Events.Select(each => each.Resource));
            await small.SettleAsync(path, "ack", next.Lease);
        }
        Assert.Subset(resources.ToHashSet(), had);
    }

    [Fact]
    public async Task Returned_event_is_redelivered_before_its_successors()
    {
        var path = await SubscribeAsync();
        var resource = await CreateAsync(Admin, type);
        await RenameAsync(Admin, resource, 3);
        var leased = await NextAsync(path, "a", limit: 3, least: 3);
        Assert.Equal(
            "1",
            (await SettleAsync(path, "ack", leased.Lease, [leased.Events[0].Position])).Text("/data/settled")
        );
        // The third goes back with the second.
        Assert.Equal(
            "2",
            (await SettleAsync(path, "nack", leased.Lease, [leased.Events[1].Position], ""","delaySeconds":1""")).Text(
                "/data/settled"
            )
        );
        Assert.Equal("LEASE_LOST", (await SettleAsync(path, "ack", leased.Lease)).Code);
        Assert.Null(await PullAsync(path, "b"));
        var again = await NextAsync(path, "b", least: 3);
        Assert.Equal([2L, 3, 4], again.Events.Select(each => each.Version));
        Assert.Equal("3", (await SettleAsync(path, "ack", again.Lease)).Text("/data/settled"));
        await LagsAsync(path);
    }

    [Fact]
    public async Task Parked_resource_waits_for_a_replay_while_others_continue()
    {
        var path = await SubscribeAsync();
        var bad = await CreateAsync(Admin, type);
        var good = await CreateAsync(Admin, type);
        await RenameAsync(Admin, bad, 2);
        var leased = await NextAsync(path, "a", limit: 2, least: 2);
        Assert.Equal([bad, good], leased.Events.Select(each => each.Resource));
        Assert.Equal(
            "1",
            (await SettleAsync(path, "ack", leased.Lease, [leased.Events[1].Position])).Text("/data/settled")
        );
        Assert.Equal(
            "1",
            (await SettleAsync(path, "park", leased.Lease, null, ""","reason":"The price is missing." """)).Text(
                "/data/settled"
            )
        );
        await RenameAsync(Admin, bad, 1);
        await RenameAsync(Admin, good, 1);
        var rest = await NextAsync(path, "a");
        Assert.Equal([(good, 2L)], rest.Events.Select(each => (each.Resource, each.Version)));
        await SettleAsync(path, "ack", rest.Lease);
        await LagsAsync(path, parked: "1");
        var parked = await Admin.GetAsync(path + "/parked");
        Assert.Equal(
            (bad, "The price is missing.", leased.Events[0].Position),
            (parked.Text("/data/0/resource"), parked.Text("/data/0/error"), parked.Text("/data/0/position"))
        );

        Assert.Equal(200, (await Admin.SendAsync("POST", path + "/replay", $$"""{"resource":"{{bad}}"}""")).Status);
        var again = await NextAsync(path, "b", limit: 2, least: 2);
        Assert.Equal([(bad, 1L), (bad, 2L)], again.Events.Select(each => (each.Resource, each.Version)));
        await RenameAsync(Admin, bad, 1);
        Assert.Null(await PullAsync(path, "c"));
        await SettleAsync(path, "ack", again.Lease);
        var seen = new List<long>();
        while (seen.Count < 3)
        {
            var more = await NextAsync(path, "c");
            seen.AddRange(more.Events.Select(each => each.Version));
            await SettleAsync(path, "ack", more.Lease);
        }
        Assert.Equal([3L, 4, 5], seen);
        await LagsAsync(path);
    }

    [Fact]
    public async Task Leases_and_positions_survive_a_restart()
    {
        var connectionString = await shared.CreateDatabaseAsync();
        string path,
            resource;
        Leased leased;
        await using (var node = InProcessServer.Start(connectionString))
        {
            var admin = await node.AdminAsync();
            var before = new PullTests(shared, backend) { On = admin };
            (path, _) = await SubscriptionBackend.SubscribeAsync(admin, type, null);
            resource = await CreateAsync(admin, type);
            await RenameAsync(admin, resource, 3);
            var first = await before.NextAsync(path, "a", limit: 1);
            await before.SettleAsync(path, "ack", first.Lease);
            leased = await before.NextAsync(path, "a", limit: 2, leaseSeconds: 600, least: 2);
        }
        await using (var node = InProcessServer.Start(connectionString))
        {
            var after = new PullTests(shared, backend) { On = await node.AdminAsync() };
            // The first is done, the next two are still leased, and so the fourth has to wait.
            Assert.Null(await after.PullAsync(path, "b", wait: 1));
            Assert.Equal("2", (await after.SettleAsync(path, "ack", leased.Lease)).Text("/data/settled"));
            Assert.Equal(
                [(resource, 4L)],
                (await after.NextAsync(path, "b")).Events.Select(each => (each.Resource, each.Version))
            );
        }
    }

    [Fact]
    public async Task Pull_waits_for_events_and_invalid_requests_are_refused()
    {
        var path = await SubscribeAsync();
        Assert.Null(await PullAsync(path, "a"));
        var waiting = PullAsync(path, "a", wait: 30);
        await CreateAsync(Admin, type);
        Assert.Single((await waiting)!.Events);

        foreach (
            var (how, body, faults) in new (string, string, string[])[]
            {
                (
                    "pull",
                    """{"limit":0,"wait":61,"leaseSeconds":0,"more":1}""",
                    ["/consumer", "/limit", "/leaseSeconds", "/wait", "/more"]
                ),
                ("pull", """{"consumer":"a","limit":1.5}""", ["/limit"]),
                ("ack", """{"lease":"x","positions":["y",1]}""", ["/lease", "/positions/1"]),
                ("ack", """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","positions":["y"]}""", ["/positions/0"]),
                ("ack", """{"delaySeconds":1}""", ["/lease", "/delaySeconds"]),
                ("nack", """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","delaySeconds":-1}""", ["/delaySeconds"]),
                ("park", """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10"}""", ["/reason"]),
                ("replay", "{}", [""]),
                ("replay", """{"position":"0","resource":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10"}""", [""]),
                ("replay", """{"resource":"x"}""", ["/resource"]),
            }
        )
            Assert.Equal(
                (400, string.Join(' ', faults)),
                (await Admin.SendAsync("POST", $"{path}/{how}", body)) is var answer
                    ? (answer.Status, string.Join(' ', answer.Faults))
                    : default
            );
        Assert.Equal("LEASE_LOST", (await SettleAsync(path, "ack", $"{Guid.CreateVersion7()}")).Code);

        Assert.Equal("paused", (await Admin.SendAsync("POST", path + "/pause")).Text("/data/state"));
        await Eventually.HoldsAsync(
            async () =>
                (await Admin.SendAsync("POST", path + "/pull", """{"consumer":"a"}""")).Code is "SUBSCRIPTION_INACTIVE",
            Plenty,
            () => "a paused subscription is refused"
        );
        var (webhook, _) = await SubscriptionBackend.SubscribeAsync(Admin, type, new Uri("https://93.184.215.14/"));
        Assert.Equal("OTHER_DELIVERY", (await Admin.SendAsync("POST", webhook + "/pull", """{"consumer":"a"}""")).Code);
        Assert.Equal("OTHER_DELIVERY", (await SettleAsync(webhook, "ack", $"{Guid.CreateVersion7()}")).Code);
        Assert.Equal(204, (await Admin.SendAsync("DELETE", webhook)).Status);
    }

    [Fact]
    public async Task Replay_from_a_position_leases_all_later_events_again()
    {
        var path = await SubscribeAsync();
        var start = (await Admin.GetAsync(path)).Text("/data/position");
        var resource = await CreateAsync(Admin, type);
        await RenameAsync(Admin, resource, 2);
        for (var seen = 0; seen < 3; )
        {
            var leased = await NextAsync(path, "a");
            seen += leased.Events.Length;
            await SettleAsync(path, "ack", leased.Lease);
        }
        Assert.True(
            long.Parse((await Admin.GetAsync(path)).Text("/data/position")!, CultureInfo.InvariantCulture)
                >= long.Parse(start!, CultureInfo.InvariantCulture) + 3
        );
        Assert.Equal(200, (await Admin.SendAsync("POST", path + "/replay", $$"""{"position":"{{start}}"}""")).Status);
        var again = await NextAsync(path, "b");
        Assert.Equal((resource, 1L), (again.Events[0].Resource, again.Events[0].Version));
    }
}
