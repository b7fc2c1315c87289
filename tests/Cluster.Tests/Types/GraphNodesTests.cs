using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Resources.Cluster.Tests;

/// <summary>The schema of GraphQL on several nodes.</summary>
[Collection(Processes.Alone)]
public sealed class GraphNodesTests(ThreeNodes cluster) : IClassFixture<ThreeNodes>
{
    const int Rounds = 20;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Type_that_was_declared_at_one_node_is_asked_for_at_the_others_at_once()
    {
        var token = await cluster.Nodes[0].SignInAsync();
        var clients = cluster.Nodes.Select(node => node.Client(token)).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            var type = $"g{Guid.NewGuid():n}";
            await PostAsync(clients[0], "/api/v1/types", new { name = type, schema = new { type = "object" } });
            var (query, subscription) = (
                AskAsync(clients[1], $"{{ {type}s {{ totalCount }} }}"),
                FirstAsync(clients[2], $"subscription {{ {type}Events(after: \"0\") {{ type }} }}")
            );
            var counted = await query;
            Assert.True(counted.TryGetProperty("data", out var data), $"{round}: {counted}");
            Assert.Equal(0, data.GetProperty($"{type}s").GetProperty("totalCount").GetInt32());
            await PostAsync(clients[0], "/api/v1/resources", new { type, name = "one" });
            var seen = await subscription;
            Assert.True(seen.TryGetProperty("data", out data), $"{round}: {seen}");
            Assert.Equal("resource.created", data.GetProperty($"{type}Events").GetProperty("type").GetString());
        }
        foreach (var client in clients)
            client.Dispose();
    }

    [Fact]
    public async Task Document_that_was_stored_at_one_node_runs_at_the_others_until_it_is_removed()
    {
        var token = await cluster.Nodes[0].SignInAsync();
        using var one = cluster.Nodes[0].Client(token);
        using var other = cluster.Nodes[1].Client(token);
        for (var round = 0; round < Rounds; round++)
        {
            var text = $"query Q{Guid.NewGuid():n} {{ __typename }}";
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
            var address = $"/api/v1/graphql/documents/{hash}";
            using (var stored = await one.PutAsJsonAsync(address, new { text }, Cancelled))
                stored.EnsureSuccessStatusCode();
            var shown = await AskAsync(other, new { documentId = "sha256:" + hash });
            Assert.True(shown.TryGetProperty("data", out _), $"{round}: {shown}");
            using (var removed = await one.DeleteAsync(address, Cancelled))
                removed.EnsureSuccessStatusCode();
            await Eventually.HoldsAsync(
                async () =>
                    $"{await AskAsync(other, new { documentId = "sha256:" + hash })}".Contains(
                        "DOCUMENT_NOT_FOUND",
                        StringComparison.Ordinal
                    ),
                TimeSpan.FromSeconds(1)
            );
        }
    }

    static Task<JsonElement> AskAsync(HttpClient client, string query) => AskAsync(client, new { query });

    static async Task<JsonElement> AskAsync(HttpClient client, object request)
    {
        using var answer = await client.PostAsJsonAsync("/api/v1/graphql", request, Cancelled);
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
    }

    /// <summary>The first message of a subscription.</summary>
    static async Task<JsonElement> FirstAsync(HttpClient client, string query)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/graphql")
        {
            Content = JsonContent.Create(new { query }),
        };
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
        answer.EnsureSuccessStatusCode();
        await foreach (
            var item in SseParser.Create(await answer.Content.ReadAsStreamAsync(Cancelled)).EnumerateAsync(Cancelled)
        )
            if (item.EventType is "next")
                return JsonElement.Parse(item.Data);
        throw new InvalidOperationException("The subscription has ended without a message.");
    }

    static async Task PostAsync(HttpClient client, string path, object body)
    {
        using var answer = await client.PostAsJsonAsync(path, body, Cancelled);
        answer.EnsureSuccessStatusCode();
    }
}
