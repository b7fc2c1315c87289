using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Resources.Cluster.Tests;

/// <summary>What an account loses counts at every node.</summary>
[Collection(Processes.Alone)]
public sealed class RevocationTests(TestPostgres postgres) : IAsyncLifetime
{
    const string Email = "reader@example.org";
    const string Password = "a password of enough length";

    readonly List<ApiNode> nodes = [];

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var (database, cluster) = (await postgres.CreateDatabaseAsync(), $"revocation-{Guid.NewGuid():n}");
        for (var i = 0; i < 3; i++) nodes.Add(ApiNode.Start(database, cluster));
        foreach (var node in nodes) await node.ReadyAsync(TimeSpan.FromSeconds(60));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes) await node.DisposeAsync();
    }

    [Fact]
    public async Task A_role_that_is_lost_ends_the_streams_at_every_node_within_a_second()
    {
        using var admin = nodes[0].Client(await nodes[0].SignInAsync());
        var account = await DataAsync(admin.PostAsJsonAsync("/api/v1/users", new { email = Email, password = Password, roles = new[] { "user" } }, Cancelled));
        var token = (await DataAsync(admin.PostAsJsonAsync("/api/v1/auth/login", new { email = Email, password = Password }, Cancelled))).GetProperty("accessToken").GetString()!;
        var streams = await Task.WhenAll(nodes.Select(node => OpenAsync(node, token)));

        await DataAsync(admin.PutAsJsonAsync($"/api/v1/users/{account.GetProperty("id").GetString()}/roles", new { roles = Array.Empty<string>() }, Cancelled));
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(streams.Select(async items =>
        {
            while (await items.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancelled))
                if (items.Current.EventType is "end") return;
            Assert.Fail("The stream has ended without saying why.");
        }));
        TestContext.Current.SendDiagnosticMessage($"three streams ended after {watch.Elapsed.TotalMilliseconds:F0} ms");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(1), $"The last stream ended after {watch.Elapsed}.");
    }

    /// <summary>Opens a stream and reads it to the end of the log.</summary>
    static async Task<IAsyncEnumerator<SseItem<string>>> OpenAsync(ApiNode node, string token)
    {
        var client = node.Client(token, Timeout.InfiniteTimeSpan);
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        var items = SseParser.Create(await client.GetStreamAsync("/api/v1/events", Cancelled)).EnumerateAsync(Cancelled).GetAsyncEnumerator(Cancelled);
        while (await items.MoveNextAsync() && items.Current.EventType is not "caught-up") Assert.StartsWith("resource.", items.Current.EventType, StringComparison.Ordinal);
        return items;
    }

    static async Task<JsonElement> DataAsync(Task<HttpResponseMessage> request)
    {
        using var answer = await request;
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        Assert.True(answer.IsSuccessStatusCode, $"{body}");
        return body.GetProperty("data");
    }
}
