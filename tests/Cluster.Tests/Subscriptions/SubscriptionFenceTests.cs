using System.Collections.Concurrent;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>A subscription that two activations take from each other again and again.</summary>
[Trait("Conformance", "I5")]
public sealed class SubscriptionFenceTests(LogDatabase tables) : IClassFixture<LogDatabase>, IAsyncLifetime
{
    const int Versions = 15;

    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(60);

    readonly List<InProcessSilo> nodes = [];
    readonly string type = $"t{Guid.NewGuid():n}";
    WebhookReceiver receiver = null!;
    Guid owner;

    public async ValueTask InitializeAsync()
    {
        receiver = await WebhookReceiver.StartAsync();
        for (var i = 0; i < 2; i++)
            nodes.Add(
                await InProcessSilo.StartAsync(
                    tables,
                    $"fence-{Guid.NewGuid():n}",
                    ("Webhooks:AllowPrivateTargets", "true"),
                    ("Webhooks:RetrySeconds", "0.1,0.1,0.5,1,1,1,1")
                )
            );
        var email = $"{Guid.NewGuid():n}@example.org";
        (owner, _) = await nodes[0]
            .Service<Accounts>()
            .RegisterAsync(new(email, null, ["admin"], true), Intent.OfNode());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
        await receiver.DisposeAsync();
    }

    [Fact]
    public async Task Two_activations_of_a_webhook_lose_and_reorder_nothing()
    {
        var random = new Random(1);
        receiver.AnswerWith(_ =>
        {
            lock (random)
                return random.Next(10) is 0 ? 500 : 200;
        });
        var id = await SubscribeAsync(receiver.Url.ToString());
        var resources = await WriteAsync();
        await Eventually.HoldsAsync(
            () =>
                receiver.Taken.Select(request => (request.Resource, request.Version)).Distinct().Count()
                == resources.Length * Versions,
            Plenty,
            () => $"all is delivered. {receiver}"
        );
        DeliveryOrder.Check(receiver.Taken.Select(request => (request.Resource, request.Version)), Versions);
        Assert.All(receiver.All.GroupBy(request => (request.Resource, request.Version)), same =>
            Assert.Single(same.Select(request => request.WebhookId).Distinct())
        );
        await Eventually.HoldsAsync(
            async () => await tables.ExecuteAsync("select epoch from subscriptions where id = $1", id) is > 2L,
            Plenty,
            () => "it was taken over"
        );
    }

    [Fact]
    public async Task Two_activations_of_a_pull_group_never_lease_a_resource_twice_at_once()
    {
        var id = await SubscribeAsync(null);
        var writing = WriteAsync();
        var done = new ConcurrentQueue<(string Resource, long Version)>();
        var busy = new ConcurrentDictionary<string, int>();
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(consumer =>
                    Task.Run(
                        async () =>
                        {
                            var grain = nodes[consumer % 2].Grain<ISubscriptionGrain>(id);
                            for (
                                var started = TimeProvider.System.GetTimestamp();
                                done.Distinct().Count() < 6 * Versions
                                    && TimeProvider.System.GetElapsedTime(started) < Plenty;

                            )
                            {
                                if (
                                    await AskAsync(() =>
                                        grain.Pull(
                                            new($"{consumer}", 5, TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1))
                                        )
                                    )
                                    is not { Value: { } batch }
                                )
                                    continue;
                                var events = batch
                                    .Events.Select(each => each.Event.ToElement())
                                    .Select(each =>
                                        (
                                            Resource: each.GetProperty("subject").GetString()!,
                                            Version: each.GetProperty("resourceversion").GetInt64()
                                        )
                                    )
                                    .ToArray();
                                foreach (var resource in events.Select(each => each.Resource).Distinct())
                                    Assert.True(busy.TryAdd(resource, consumer), $"{resource} is with two consumers");
                                foreach (var each in events)
                                    done.Enqueue(each);
                                foreach (var resource in events.Select(each => each.Resource).Distinct())
                                    busy.TryRemove(resource, out _);
                                while (
                                    await AskAsync(() =>
                                        grain.Settle(new(batch.Lease, SettlementKind.Ack, null, TimeSpan.Zero, null))
                                    )
                                        is { Rejection: null, Value: 0 }
                                            or null
                                )
                                    await Task.Yield();
                            }
                        },
                        TestContext.Current.CancellationToken
                    )
                )
        );
        Assert.Equal(6 * Versions, done.Distinct().Count());
        DeliveryOrder.Check(done, Versions);
        Assert.True(await tables.ExecuteAsync("select epoch from subscriptions where id = $1", id) is > 2L);
        await writing;
    }

    /// <summary>Asks an activation; null when it has just lost the subscription.</summary>
    static async Task<Reply<T>?> AskAsync<T>(Func<Task<Reply<T>>> ask)
    {
        try
        {
            return await ask();
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    async Task<Guid> SubscribeAsync(string? url)
    {
        var id = Guid.CreateVersion7();
        var delivery = url is null ? """{"kind":"pull"}""" : $$"""{"kind":"webhook","url":"{{url}}"}""";
        var settings = JsonText.From(JsonElement.Parse(delivery));
        var (creation, _) = await nodes[0]
            .Service<Subscriptions>()
            .CreateAsync(
                new(id, owner, $"{id}", new(Type: type), settings, 0),
                Intent.OfNode(),
                TestContext.Current.CancellationToken
            );
        Assert.Equal(Creation.Done, creation);
        return id;
    }

    /// <summary>
    /// Writes six resources with the same number of events each, slowly enough for several takeovers.
    /// </summary>
    async Task<Guid[]> WriteAsync()
    {
        Guid[] resources = [.. Enumerable.Range(0, 6).Select(_ => Guid.CreateVersion7())];
        await Task.WhenAll(
            resources.Select(async resource =>
            {
                for (var version = 1; version <= Versions; version++)
                {
                    ResourceCommand command = version is 1
                        ? new CreateResource(type, "sample", "active", JsonText.Empty)
                        : new PatchResource(
                            PatchFormat.Merge,
                            System.Text.Encoding.UTF8.GetBytes($$"""{"name":"{{version}}"}""")
                        );
                    var reply = await nodes[0]
                        .Resource(resource)
                        .Execute(command, new(Guid.NewGuid(), owner.ToString(), null, null, Conditions.None));
                    Assert.Null(reply.Rejection);
                    await Task.Delay(300, TestContext.Current.CancellationToken);
                }
            })
        );
        return resources;
    }
}
