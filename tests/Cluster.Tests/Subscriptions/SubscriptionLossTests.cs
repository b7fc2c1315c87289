using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>Subscriptions whose node is killed under load.</summary>
[Collection(Processes.Alone)]
[Trait("Conformance", "I5")]
public sealed class SubscriptionLossTests(TestPostgres postgres) : IAsyncLifetime
{
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(90);

    readonly string cluster = $"subscriptions-{Guid.NewGuid():n}";
    readonly List<ServerProcess> nodes = [];
    string database = "";

    public async ValueTask InitializeAsync() => database = await postgres.CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [Fact]
    public async Task Subscription_delivers_every_committed_event_in_order_after_its_node_is_killed()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        // Now and then a delivery fails, so that resources are parked when the node dies.
        var random = new Random(1);
        receiver.AnswerWith(_ =>
        {
            lock (random)
                return random.Next(20) is 0 ? 500 : 200;
        });
        for (var i = 0; i < 3; i++)
            nodes.Add(ServerProcess.Start(database, cluster, options: WebhookReceiver.ServerOptions));
        foreach (var node in nodes)
            await node.ReadyAsync();
        var token = await nodes[0].SignInAsync();
        string[] subscriptions = await Task.WhenAll(
            Enumerable.Range(0, 3).Select(async i => await SubscribeAsync(token, new Uri(receiver.Url, $"/{i}")))
        );

        await using var load = Load.Start(token, nodes, clients: 4);
        await load.SucceedsAsync(300, Plenty);
        await Eventually.HoldsAsync(() => receiver.Taken.Count() > 300, Plenty, () => "deliveries are under way");
        var victim = await OwnerAsync(subscriptions[0]);
        await victim.KillAsync();
        await load.SucceedsAsync(300, Plenty);
        await load.StopAsync();

        var log = await ReadLogAsync();
        for (var i = 0; i < subscriptions.Length; i++)
        {
            var path = $"/{i}";
            await Eventually.HoldsAsync(
                () =>
                    receiver
                        .Taken.Where(request => request.Path == path)
                        .Select(request => request.WebhookId)
                        .ToHashSet()
                        .IsSupersetOf(log.Select(logged => logged.Id)),
                Plenty,
                () =>
                    $"subscription {i} has delivered all of {log.Count} events. "
                    + $"{string.Join('\n', nodes.Where(node => !node.HasExited).Select(node => node.Log))}"
            );
            var taken = receiver.Taken.Where(request => request.Path == path).ToArray();
            foreach (var resource in taken.GroupBy(request => request.Resource))
            {
                var versions = resource.Select(request => request.Version).Distinct().ToArray();
                Assert.Equal(Enumerable.Range(1, versions.Length).Select(version => (long)version), versions);
            }
            Assert.All(taken.GroupBy(request => (request.Resource, request.Version)), same =>
                Assert.Single(same.Select(request => request.WebhookId).Distinct())
            );
            TestContext.Current.SendDiagnosticMessage(
                $"subscription {i}: {log.Count} events, {taken.Length} deliveries"
            );
        }
    }

    async Task<string> SubscribeAsync(string token, Uri target)
    {
        using var client = nodes[0].Client(token);
        using var answer = await client.PostAsJsonAsync(
            "/api/v1/subscriptions",
            new { name = target.AbsolutePath, delivery = new { kind = "webhook", url = target } },
            TestContext.Current.CancellationToken
        );
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{body}");
        return body.GetProperty("data").GetProperty("id").GetString()!;
    }

    /// <summary>The node that works on a subscription, according to its metrics.</summary>
    async Task<ServerProcess> OwnerAsync(string subscription)
    {
        ServerProcess? owner = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                foreach (var node in nodes)
                {
                    using var client = new HttpClient { BaseAddress = node.Address };
                    if (
                        (await client.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Contains(
                            $"subscription=\"{subscription}\"",
                            StringComparison.Ordinal
                        )
                    )
                        owner = node;
                }
                return owner is not null;
            },
            Plenty,
            () => "some node shows the subscription"
        );
        return owner!;
    }

    async Task<List<(string Id, Guid Resource, long Version)>> ReadLogAsync()
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "select id::text, stream_id, version from mt_events where type like 'resource.%' order by seq_id",
            connection
        );
        await using var row = await command.ExecuteReaderAsync();
        var log = new List<(string, Guid, long)>();
        while (await row.ReadAsync())
            log.Add((row.GetString(0), row.GetGuid(1), row.GetInt64(2)));
        return log;
    }
}
