using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>
/// Mutations whose answers are lost with their node, and which are sent again. <c>RESOURCES_ROUNDS</c> says how often a node
/// is killed, each time with the answers of 64 clients; once unless given.
/// </summary>
[Collection(Processes.Alone)]
public sealed class GraphRepeatTests(TestPostgres postgres)
{
    const int Clients = 64;

    const string Mutation = """
        mutation($name: String!, $key: String!) {
          createResource(input: {name: $name}, idempotencyKey: $key) { resource { id } replayed }
        }
        """;

    static readonly int Rounds = int.Parse(
        Environment.GetEnvironmentVariable("RESOURCES_ROUNDS") ?? "1",
        CultureInfo.InvariantCulture
    );

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <param name="Code">Why it was refused; null where it was not.</param>
    sealed record Written(string? Id, bool IsReplayed, string? Code);

    [Fact]
    public async Task Mutation_that_is_sent_again_with_its_key_takes_effect_once()
    {
        var database = await postgres.CreateDatabaseAsync();
        var cluster = $"repeat-{Guid.NewGuid():n}";
        var nodes = Enumerable.Range(0, 3).Select(_ => ServerProcess.Start(database, cluster)).ToArray();
        try
        {
            foreach (var node in nodes)
                await node.ReadyAsync();
            using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) });
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Bearer",
                await nodes[0].SignInAsync()
            );
            var answered = new ConcurrentDictionary<string, string>();
            var (lost, replayed) = (0, 0);
            for (var round = 0; round < Rounds; round++)
            {
                var victim = nodes[round % 3];
                var others = nodes.Where(node => node != victim).Select(node => node.Address).ToArray();
                var clients = Enumerable
                    .Range(0, Clients)
                    .Select(async client =>
                    {
                        for (var i = 0; ; i++)
                        {
                            var key = $"{round}-{client}-{i}";
                            if (await SendAsync(http, victim.Address, key, key) is { Id: { } id })
                            {
                                answered[key] = id;
                                continue;
                            }
                            Interlocked.Increment(ref lost);
                            for (var at = client; ; at++)
                            {
                                if (await SendAsync(http, others[at % 2], key, key) is { Id: { } late } written)
                                {
                                    answered[key] = late;
                                    if (written.IsReplayed)
                                        Interlocked.Increment(ref replayed);
                                    return;
                                }
                                await Task.Delay(20, Cancelled);
                            }
                        }
                    })
                    .ToArray();
                var before = answered.Count;
                await Eventually.HoldsAsync(() => answered.Count > before + 2 * Clients, TimeSpan.FromSeconds(30));
                await victim.KillAsync();
                await Task.WhenAll(clients).WaitAsync(TimeSpan.FromSeconds(60), Cancelled);
                nodes[round % 3] = ServerProcess.Start(database, cluster, victim.Address);
                await victim.DisposeAsync();
                await nodes[round % 3].ReadyAsync();
            }
            TestContext.Current.SendDiagnosticMessage(
                $"{answered.Count} mutations; {lost} answers were lost, of which {replayed} had taken effect"
            );

            foreach (var (key, id) in answered.Where((_, i) => i % Rounds is 0))
                Assert.Equal(new Written(id, true, null), await SendAsync(http, nodes[1].Address, key, key));
            var (used, _) = answered.First();
            Assert.Equal(
                "IDEMPOTENCY_KEY_REUSED",
                (await SendAsync(http, nodes[2].Address, used, "another name"))!.Code
            );
            Assert.Equal(answered.ToDictionary(), await ReadLogAsync(database));
            Assert.InRange(lost, Rounds * Clients, Rounds * Clients);
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync();
        }
    }

    /// <summary>What a mutation was answered, sooner or later; null where that was lost.</summary>
    static async Task<Written?> SendAsync(HttpClient http, Uri node, string key, string name)
    {
        while (true)
        {
            var answer = await TrySendAsync(http, node, key, name);
            if (answer is not { Code: "STORE_UNAVAILABLE" or "OVERLOADED" })
                return answer;
            await Task.Delay(20, Cancelled);
        }
    }

    static async Task<Written?> TrySendAsync(HttpClient http, Uri node, string key, string name)
    {
        try
        {
            using var answer = await http.PostAsJsonAsync(
                new Uri(node, "/api/v1/graphql"),
                new { query = Mutation, variables = new { name, key } },
                Cancelled
            );
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
            if (body.TryGetProperty("code", out var code))
                return new(null, false, code.GetString());
            if (body.TryGetProperty("errors", out var errors))
                return new(null, false, errors[0].GetProperty("extensions").GetProperty("code").GetString());
            var written = body.GetProperty("data").GetProperty("createResource");
            return new(
                written.GetProperty("resource").GetProperty("id").GetString(),
                written.GetProperty("replayed").GetBoolean(),
                null
            );
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            return null;
        }
    }

    /// <summary>The ids of all resources that were created, by their names; a name that comes twice is a fault.</summary>
    static async Task<Dictionary<string, string>> ReadLogAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            "select data ->> 'name', stream_id::text from mt_events where type = 'resource.created'"
        );
        var created = new Dictionary<string, string>();
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        while (await row.ReadAsync(Cancelled))
            created.Add(row.GetString(0), row.GetString(1));
        return created;
    }
}
