using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>What subscriptions read ahead is bounded for each owner, and no owner waits for another's targets.</summary>
[Trait("Conformance", "H4")]
public sealed class ReadAheadTests(LogDatabase tables) : IClassFixture<LogDatabase>
{
    const int Stuck = 40;
    const int Events = 24;
    const int Size = 300_000;
    const long Megabyte = 1 << 20;

    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(60);

    readonly string type = $"t{Guid.NewGuid():n}";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Subscriptions_of_one_owner_whose_targets_take_nothing_leave_the_node_to_others()
    {
        var delivery = new StuckDelivery();
        await using var node = await InProcessSilo.StartAsync(
            tables,
            $"ahead-{Guid.NewGuid():n}",
            [.. NodeFeature.All, new DeliveryFeature(delivery)],
            ("Subscriptions:MaxReadAheadMegabytes", "16")
        );
        var ahead = node.Service<ReadAhead>();
        var large = JsonText.From(JsonSerializer.SerializeToElement(new { text = new string('x', Size) }));
        for (var i = 0; i < Events; i++)
            Assert.Null(
                (
                    await node.Resource(Guid.CreateVersion7())
                        .Execute(
                            new CreateResource(type, "sample", "active", large),
                            new(Guid.NewGuid(), "somebody", null, null, Conditions.None)
                        )
                ).Rejection
            );

        var owner = await OwnerAsync(node);
        for (var i = 0; i < Stuck; i++)
            await SubscribeAsync(node, owner, "stuck", i);
        // Each has its first event, however little room there is.
        await Eventually.HoldsAsync(() => delivery.Stuck >= Stuck, Plenty, () => $"{delivery.Stuck} deliveries");
        Assert.InRange(ahead.Used, Megabyte, 4 * Megabyte + Stuck * (Size + Megabyte / 4));

        await SubscribeAsync(node, await OwnerAsync(node), "taken", 0);
        await Eventually.HoldsAsync(() => delivery.Taken is Events, Plenty, () => $"{delivery.Taken} deliveries");

        Assert.InRange(ahead.Used, Megabyte, 4 * Megabyte + Stuck * (Size + Megabyte / 4));
        delivery.End();
    }

    static async Task<Guid> OwnerAsync(InProcessSilo node) =>
        (
            await node.Service<Accounts>()
                .RegisterAsync(new($"{Guid.NewGuid():n}@example.org", null, ["admin"], true), Intent.OfNode())
        ).Item1;

    async Task SubscribeAsync(InProcessSilo node, Guid owner, string target, int number)
    {
        var settings = JsonText.From(JsonSerializer.SerializeToElement(new { kind = "either", target }));
        var (creation, _) = await node.Service<Subscriptions>()
            .CreateAsync(
                new(Guid.CreateVersion7(), owner, $"{target} {number}", new(type), settings, 0),
                Intent.OfNode(),
                Cancelled
            );
        Assert.Equal(Creation.Done, creation);
    }

    sealed class DeliveryFeature(IDelivery delivery) : NodeFeature
    {
        public override void Add(IServiceCollection services, Settings settings) => services.AddSingleton(delivery);
    }

    /// <summary>Delivers at once, or not before the end of the test.</summary>
    sealed class StuckDelivery : IPushDelivery
    {
        readonly TaskCompletionSource<DeliveryOutcome> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int stuck;
        int taken;

        public int Stuck => Volatile.Read(ref stuck);

        public int Taken => Volatile.Read(ref taken);

        public string Kind => "either";

        public int MaxConcurrent => 1;

        public IReadOnlyList<TimeSpan> Retries { get; } = [TimeSpan.FromMinutes(1)];

        public Task<JsonText?> ReadAsync(ObjectReader asked, List<Fault> faults, CancellationToken ct) =>
            throw new NotSupportedException("The settings are made by the test.");

        public Task<DeliveryOutcome> SendAsync(DeliveryTarget target, LogEvent logged, CancellationToken ct)
        {
            if (target.Settings.GetProperty("target").GetString() is "stuck")
            {
                Interlocked.Increment(ref stuck);
                return end.Task;
            }
            Interlocked.Increment(ref taken);
            return Task.FromResult(new DeliveryOutcome(null, null, 0));
        }

        public void End() => end.SetResult(new(null, null, 0));
    }
}
