using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>A kind of delivery that an application brings: one class and one registration.</summary>
public sealed class DeliveryKindTests(LogDatabase tables) : IClassFixture<LogDatabase>
{
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(30);

    readonly string type = $"t{Guid.NewGuid():n}";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Third_kind_is_read_stored_shown_and_delivered_in_order_through_failures()
    {
        var delivery = new ListDelivery();
        await using var node = await StartAsync(delivery);
        var (id, secret) = await SubscribeAsync(node, """{"kind":"list","shelf":"a&b"}""");

        var resource = await WriteAsync(node, 5);

        await Eventually.HoldsAsync(() => delivery.Taken.Count is 5, Plenty, () => "all is delivered");
        Assert.Equal(
            [
                ("a&b", resource, 1L),
                ("a&b", resource, 2L),
                ("a&b", resource, 3L),
                ("a&b", resource, 4L),
                ("a&b", resource, 5L),
            ],
            delivery.Taken
        );
        Assert.Equal("list:42", secret);
        var shown = await node.Service<SubscriptionQueries>().FindAsync(id, null, Cancelled);
        Assert.Equal("list", shown!.Kind);
        Assert.Equal("""{"kind":"list","shelf":"a&b"}""", shown.Delivery.ToString());
        Assert.Null((await node.Grain<ISubscriptionGrain>(id).Test())!.Error);
    }

    [Fact]
    public async Task Unknown_kind_is_refused_and_the_known_ones_are_named()
    {
        await using var node = await StartAsync(new ListDelivery());
        var faults = new List<Fault>();

        var read = await node.Service<Deliveries>()
            .ReadAsync(
                new(JsonElement.Parse("""{"kind":"pigeon","wings":2}"""), faults, "/delivery"),
                faults,
                Cancelled
            );

        Assert.Null(read);
        Assert.Equal(
            [("/delivery/kind", "UNKNOWN_DELIVERY"), ("/delivery/wings", FaultCode.UnknownMember)],
            faults.Select(fault => (fault.Pointer, fault.Code))
        );
        Assert.Contains("webhook, pull, list", faults[0].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_that_does_not_know_a_kind_holds_its_events_for_one_that_does()
    {
        Guid id;
        await using (var node = await StartAsync(new ListDelivery()))
        {
            (id, _) = await SubscribeAsync(node, """{"kind":"list","shelf":"kept"}""");
            await node.Service<Subscriptions>().PauseAsync(id, Intent.OfNode());
            await WriteAsync(node, 2);
        }
        await using (var older = await StartAsync(null))
        {
            await older.Service<Subscriptions>().ResumeAsync(id, Intent.OfNode());
            await Eventually.HoldsAsync(
                async () =>
                    await tables.ExecuteAsync("select last_error from subscriptions where id = $1", id) is string error
                    && error.Contains("delivery kind list", StringComparison.Ordinal),
                Plenty,
                () => "the subscription says why it waits"
            );
            Assert.Null(await older.Grain<ISubscriptionGrain>(id).Test());
        }
        var delivery = new ListDelivery();
        await using var newer = await StartAsync(delivery);
        await Eventually.HoldsAsync(() => delivery.Taken.Count is 2, Plenty, () => "what waited is delivered");
    }

    /// <summary>During an upgrade, nodes of the version before make subscriptions and read those of this version.</summary>
    [Fact]
    public async Task Rows_are_readable_in_the_form_of_this_version_and_of_the_one_before()
    {
        await using var node = await StartAsync(null);
        var before = Guid.CreateVersion7();
        await tables.ExecuteAsync(
            """
            insert into subscriptions (id, owner, name, filter, kind, url, position)
            values ($1, $1, 'before', '{}', 'webhook', 'https://example.org/', 0)
            """,
            before
        );
        var shown = await node.Service<SubscriptionQueries>().FindAsync(before, null, Cancelled);
        Assert.Equal("""{"url":"https://example.org/","kind":"webhook"}""", shown!.Delivery.ToString());

        var (now, _) = await SubscribeAsync(node, """{"kind":"pull"}""");
        Assert.Equal(
            true,
            await tables.ExecuteAsync("select kind = 'pull' and url is null from subscriptions where id = $1", now)
        );
    }

    Task<InProcessSilo> StartAsync(IDelivery? delivery) =>
        InProcessSilo.StartAsync(
            tables,
            $"kinds-{Guid.NewGuid():n}",
            delivery is null ? NodeFeature.All : [.. NodeFeature.All, new DeliveryFeature(delivery)]
        );

    async Task<(Guid Id, string? Secret)> SubscribeAsync(InProcessSilo node, string delivery)
    {
        var (owner, _) = await node.Service<Accounts>()
            .RegisterAsync(new($"{Guid.NewGuid():n}@example.org", null, ["admin"], true), Intent.OfNode());
        var faults = new List<Fault>();
        var settings = await node.Service<Deliveries>()
            .ReadAsync(new(JsonElement.Parse(delivery), faults, "/delivery"), faults, Cancelled);
        Assert.Empty(faults);
        var id = Guid.CreateVersion7();
        var (creation, secret) = await node.Service<Subscriptions>()
            .CreateAsync(new(id, owner, "list", new(type), settings!, 0), Intent.OfNode(), Cancelled);
        Assert.Equal(Creation.Done, creation);
        return (id, secret);
    }

    async Task<Guid> WriteAsync(InProcessSilo node, int versions)
    {
        var resource = Guid.CreateVersion7();
        for (var version = 1; version <= versions; version++)
        {
            ResourceCommand command = version is 1
                ? new CreateResource(type, "sample", "active", JsonText.Empty)
                : new ReplaceResource(null, $"{version}", "active", JsonText.Empty);
            var reply = await node.Resource(resource)
                .Execute(command, new(Guid.NewGuid(), "somebody", null, null, Conditions.None));
            Assert.Null(reply.Rejection);
        }
        return resource;
    }

    sealed class DeliveryFeature(IDelivery delivery) : NodeFeature
    {
        public override void Add(IServiceCollection services, Settings settings) => services.AddSingleton(delivery);
    }

    /// <summary>Delivers to a list; each event fails once before it is taken.</summary>
    sealed class ListDelivery : IPushDelivery
    {
        readonly ConcurrentDictionary<Guid, bool> failed = new();

        public ConcurrentQueue<(string Shelf, Guid Resource, long Version)> Taken { get; } = new();

        public string Kind => "list";

        public int MaxConcurrent => 4;

        public IReadOnlyList<TimeSpan> Retries { get; } = [TimeSpan.FromMilliseconds(50)];

        public Task<JsonText?> ReadAsync(ObjectReader asked, List<Fault> faults, CancellationToken ct)
        {
            var shelf = asked.Text("shelf", 1, 10);
            asked.RefuseOthers();
            return Task.FromResult(
                shelf is null ? null : JsonText.From(JsonSerializer.SerializeToElement(new { kind = Kind, shelf }))
            );
        }

        public DeliverySecret CreateSecret() => new([42], "list:42", TimeSpan.Zero);

        public Task<DeliveryOutcome> SendAsync(DeliveryTarget target, LogEvent logged, CancellationToken ct)
        {
            Assert.Equal([42], target.Secret);
            if (logged.ResourceType is "subscription")
                return Task.FromResult(new DeliveryOutcome(null, null, 0));
            if (failed.TryAdd(logged.Id, true))
                return Task.FromResult(new DeliveryOutcome(null, "not yet", 0));
            Taken.Enqueue((target.Settings.GetProperty("shelf").GetString()!, logged.Resource, logged.Version));
            return Task.FromResult(new DeliveryOutcome(null, null, 0));
        }
    }
}
