using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>The grain that counts a limit, on two activations, as a cluster may briefly have.</summary>
[Trait("Conformance", "F10")]
public sealed class LimitGrainTests(LogDatabase tables) : IClassFixture<LogDatabase>, IAsyncLifetime
{
    const int Permits = 200;
    const int Window = 600_000;

    readonly string bucket = $"default/{Guid.NewGuid():n}";
    readonly List<InProcessSilo> nodes = [];

    public async ValueTask InitializeAsync()
    {
        for (var i = 0; i < 2; i++)
            await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [Fact]
    public async Task Two_activations_together_grant_at_most_the_limit_and_one_first_lease()
    {
        var given = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(client =>
                    Task.Run(async () =>
                    {
                        var taken = 0;
                        while (await LeaseAsync(client % 2, 3) is { Granted: > 0 } lease)
                            taken += lease.Granted;
                        return taken;
                    })
                )
        );
        TestContext.Current.SendDiagnosticMessage($"two activations gave {given.Sum()} of {Permits}");
        Assert.InRange(given.Sum(), Permits, Permits + 3);
        Assert.Equal(0, (await LeaseAsync(await StartAsync(), 3)).Granted);
    }

    [Fact]
    public async Task Successor_continues_the_window()
    {
        var first = await LeaseAsync(0, 50);
        var second = await LeaseAsync(0, 70);
        var taken = await LeaseAsync(1, Permits);
        Assert.Equal((50, 70, Permits - 120, 0), (first.Granted, second.Granted, taken.Granted, taken.Left));
        Assert.Equal(first.Window, taken.Window);
        Assert.InRange(taken.EndsIn, 1, second.EndsIn);
    }

    [Fact]
    public async Task Orderly_deactivation_loses_no_lease()
    {
        Assert.Equal(Permits, (await LeaseAsync(0, Permits)).Granted);
        await InProcessSilo.DeactivateAsync(Grain(0));
        await Eventually.HoldsAsync(
            async () =>
                await tables.ExecuteAsync("select granted from rate_limits where bucket = $1", bucket) is Permits,
            TimeSpan.FromSeconds(10),
            () => "the lease is kept"
        );
        Assert.Equal((0, 0), await LeaseAsync(0, 1) is var here ? (here.Granted, here.Left) : default);
        Assert.Equal(0, (await LeaseAsync(1, 1)).Granted);
    }

    [Fact]
    public async Task Returned_permits_are_granted_again_only_in_the_same_window()
    {
        var lease = await LeaseAsync(0, Permits);
        Assert.Equal(0, (await LeaseAsync(0, 5, returned: 9, of: lease.Window - 1)).Granted);
        Assert.Equal(
            (5, 4),
            await LeaseAsync(0, 5, returned: 9, of: lease.Window) is var again ? (again.Granted, again.Left) : default
        );
    }

    [Fact]
    public async Task Expired_window_is_replaced_by_a_new_one()
    {
        for (var i = 0; i < 2; i++)
            Assert.Equal(Permits / 2, (await LeaseAsync(0, Permits / 2, window: 1_000)).Granted);
        var before = await LeaseAsync(0, 1, window: 1_000);
        Assert.Equal(0, before.Granted);
        await Eventually.HoldsAsync(
            async () =>
                await LeaseAsync(0, Permits, window: 1_000) is { Granted: Permits } after
                && after.Window >= before.Window + 1_000,
            TimeSpan.FromSeconds(5),
            () => "a window begins"
        );
    }

    async Task<int> StartAsync()
    {
        nodes.Add(await InProcessSilo.StartAsync(tables, $"limits-{Guid.NewGuid():n}"));
        return nodes.Count - 1;
    }

    ILimitGrain Grain(int node) => nodes[node].Service<IGrainFactory>().GetGrain<ILimitGrain>(bucket);

    Task<LimitLease> LeaseAsync(int node, int wanted, int returned = 0, long of = 0, int window = Window) =>
        Grain(node).Lease(new("key", Permits, window, wanted, returned, of));
}
