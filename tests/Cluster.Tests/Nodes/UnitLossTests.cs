using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>
/// Nodes that are killed while they delete a thousand resources at once: all of these are gone then, or none, and no node
/// serves what was before.
/// </summary>
[Collection(Processes.Alone)]
public sealed class UnitLossTests(TestPostgres postgres) : IAsyncLifetime
{
    static readonly int Kills = int.TryParse(Environment.GetEnvironmentVariable("RESOURCES_KILLS"), out var kills)
        ? kills
        : 6;

    const int Size = 1_000;

    const string Definition = """
        {"name":"page","schema":{"type":"object","properties":{"part":{"type":"string"}}},
         "references":{"/metadata/part":{"type":"page","onDelete":"cascade"}}}
        """;

    readonly string cluster = $"unit-{Guid.NewGuid():n}";
    readonly Random random = new();
    readonly List<ServerProcess> nodes = [];

    /// <summary>A client of each node, which are always at the same addresses.</summary>
    HttpClient[] clients = [];
    string database = "";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = await postgres.CreateDatabaseAsync();
        for (var i = 0; i < 3; i++)
            nodes.Add(ServerProcess.Start(DatabaseOf(i), cluster));
        foreach (var node in nodes)
            await node.ReadyAsync();
        var token = await nodes[0].SignInAsync();
        clients = [.. nodes.Select(node => node.Client(token, TimeSpan.FromSeconds(30)))];
        using var declared = await clients[0]
            .PostAsJsonAsync("/api/v1/types", JsonElement.Parse(Definition), Cancelled);
        Assert.Equal(HttpStatusCode.Created, declared.StatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients)
            client.Dispose();
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [Fact]
    public async Task Thousand_resources_go_together_or_not_at_all_whenever_their_node_is_killed()
    {
        var tree = await PlantAsync(0);
        await RefuseOneMoreAsync(tree);
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(HttpStatusCode.NoContent, await DeleteAsync(0, tree[0]));
        var took = Stopwatch.GetElapsedTime(started);
        Assert.Equal(Size, await GoneAsync(tree));
        await ReadAsync(tree, HttpStatusCode.Gone);

        var whole = 0;
        var expected = HttpStatusCode.OK;
        tree = await PlantAsync(1);
        for (var n = 1; n <= Kills; n++)
        {
            var at = n % 3;
            var deletion = DeleteAsync(at, tree[0]);
            await Task.Delay(took * (random.NextDouble() * 1.2), Cancelled);
            await nodes[at].KillAsync();
            var answered = await deletion;
            // What was on its way may still arrive.
            await Eventually.HoldsAsync(
                async () => await ConnectionsOfAsync(at) is 0,
                TimeSpan.FromSeconds(30),
                () => "the killed node has no connection any more"
            );
            var gone = await GoneAsync(tree);
            Assert.True(gone is 0 or Size, $"{gone} of {Size} are gone. {nodes[at].Log}");
            Assert.True(gone is Size || answered is null, $"{answered} was answered, and nothing is gone.");
            expected = gone is 0 ? HttpStatusCode.OK : HttpStatusCode.Gone;
            await ReadAsync(tree, expected, except: at);
            nodes[at] = ServerProcess.Start(DatabaseOf(at), cluster, nodes[at].Address);
            await nodes[at].ReadyAsync();
            if (gone is not 0)
                whole++;
            if (n == Kills)
                break;
            // What was not deleted still can be.
            if (gone is 0)
            {
                Assert.Equal(HttpStatusCode.NoContent, await DeleteAsync((at + 1) % 3, tree[0]));
                Assert.Equal(Size, await GoneAsync(tree));
                await ReadAsync(tree, HttpStatusCode.Gone);
            }
            // Another node may have taken over the root of an old tree, and would carry the next deletion out.
            tree = await PlantAsync((n + 1) % 3);
        }
        TestContext.Current.SendDiagnosticMessage(
            $"A thousand deletions took {took.TotalMilliseconds:F0} ms; of {Kills} that were killed {whole} came to an end"
        );

        var since = Stopwatch.GetTimestamp();
        foreach (var seconds in new[] { 5, 31, 45 })
        {
            await Task.Delay(TimeSpan.FromSeconds(seconds) - Stopwatch.GetElapsedTime(since), Cancelled);
            await ReadAsync(tree, expected);
        }
    }

    async Task RefuseOneMoreAsync(Guid[] tree)
    {
        var one = await CreateAsync(1, tree[1]);
        using var refused = await clients[0].DeleteAsync($"/api/v1/resources/{tree[0]}", Cancelled);
        var problem = await refused.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        Assert.Equal(
            (HttpStatusCode.Conflict, "TOO_MANY_REFERRERS"),
            (refused.StatusCode, problem.GetProperty("code").GetString())
        );
        Assert.Equal(HttpStatusCode.NoContent, await DeleteAsync(2, one));
    }

    /// <summary>A root with nine parts, which have 110 parts each; the root was made by one of the nodes.</summary>
    async Task<Guid[]> PlantAsync(int root)
    {
        var first = await CreateAsync(root, null);
        var middle = await Task.WhenAll(Enumerable.Range(0, 9).Select(n => CreateAsync(n % 3, first)));
        var leaves = new Guid[Size - 10];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, leaves.Length),
            new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancelled },
            async (n, _) => leaves[n] = await CreateAsync(n % 3, middle[n % 9])
        );
        return [first, .. middle, .. leaves];
    }

    async Task<Guid> CreateAsync(int node, Guid? part)
    {
        object metadata = part is null ? new { } : new { part };
        using var created = await clients[node]
            .PostAsJsonAsync(
                "/api/v1/resources",
                new
                {
                    name = "page",
                    type = "page",
                    metadata,
                },
                Cancelled
            );
        var body = await created.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        Assert.True(created.StatusCode is HttpStatusCode.Created, $"{body}. {nodes[node].Log}");
        return body.GetProperty("data").GetProperty("id").GetGuid();
    }

    /// <summary>Deletes a resource; null where the node did not live to answer.</summary>
    async Task<HttpStatusCode?> DeleteAsync(int node, Guid id)
    {
        try
        {
            using var answer = await clients[node].DeleteAsync($"/api/v1/resources/{id}", Cancelled);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>How many are deleted, which they are at adjacent positions.</summary>
    async Task<long> GoneAsync(Guid[] tree)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            """
            select count(*), coalesce(max(seq_id) - min(seq_id) + 1, 0) from mt_events e
            where stream_id = any ($1) and type = 'resource.deleted'
            """
        );
        command.Parameters.Add(new() { Value = tree });
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        await row.ReadAsync(Cancelled);
        Assert.Equal(row.GetInt64(0), row.GetInt64(1));
        return row.GetInt64(0);
    }

    /// <summary>The database, to which the connections of a node have a name of their own.</summary>
    string DatabaseOf(int node) => $"{database};Application Name=node-{node}";

    /// <summary>How many connections a node has, working or not.</summary>
    async Task<long> ConnectionsOfAsync(int node)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = $1"
        );
        command.Parameters.Add(new() { Value = $"node-{node}" });
        return (long)(await command.ExecuteScalarAsync(Cancelled))!;
    }

    /// <summary>Reads every resource by some node.</summary>
    async Task ReadAsync(Guid[] tree, HttpStatusCode expected, int? except = null)
    {
        var living = clients.Where((_, at) => at != except).ToArray();
        await Parallel.ForEachAsync(
            tree.Index(),
            new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancelled },
            async (one, ct) =>
            {
                HttpStatusCode? status = null;
                // A node that was lost a moment ago may be the reason for 503.
                await Eventually.HoldsAsync(
                    async () =>
                    {
                        using var answer = await living[one.Index % living.Length]
                            .GetAsync($"/api/v1/resources/{one.Item}", ct);
                        status = answer.StatusCode;
                        return status is HttpStatusCode.OK or HttpStatusCode.Gone;
                    },
                    TimeSpan.FromSeconds(30),
                    () => $"{one.Item} can be read; it was {status}"
                );
                Assert.Equal(expected, status);
            }
        );
    }
}
