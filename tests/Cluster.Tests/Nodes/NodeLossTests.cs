using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Resources.Cluster.Tests;

/// <summary>
/// Nodes that are killed, paused and stopped under load. Afterwards all responses are compared with the log.
/// </summary>
[Collection(Processes.Alone)]
public sealed class NodeLossTests(TestPostgres postgres) : IAsyncLifetime
{
    static readonly TimeSpan Back = TimeSpan.FromSeconds(5);

    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(60);

    readonly string cluster = $"loss-{Guid.NewGuid():n}";
    readonly List<ServerProcess> nodes = [];
    string database = "";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => database = await postgres.CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [Fact]
    [Trait("Conformance", "F8")]
    public async Task Killed_node_loses_no_acknowledged_write_and_others_take_over_within_five_seconds()
    {
        var token = await StartAsync(3);
        await using var load = Load.Start(token, nodes);
        await load.SucceedsAsync(600, Plenty);
        var written = load
            .Operations.Where(operation => operation is { Kind: Kind.Create, Succeeded: true })
            .Select(operation => operation.Resource)
            .Distinct()
            .Take(60)
            .ToArray();

        var ordinary = load.Ordinary;
        await nodes[0].KillAsync();
        var back = await ServesAllAsync(nodes[1], token, written);
        await load.SucceedsAsync(300, Plenty);

        await CheckAsync(await load.StopAsync());
        TestContext.Current.SendDiagnosticMessage(
            $"kill -9: every one of {written.Length} resources served again after {back.TotalSeconds:F1} s"
        );
        Assert.True(back < Back + ordinary, $"Back after {back}. {nodes[1].Log}");
    }

    [Fact]
    public async Task Paused_node_acknowledges_and_serves_nothing_stale_when_it_resumes()
    {
        var token = await StartAsync(3);
        await using var load = Load.Start(token, nodes);
        await load.SucceedsAsync(600, Plenty);

        var ordinary = load.Ordinary;
        var watch = Stopwatch.StartNew();
        await nodes[0].PauseAsync();
        await Eventually.HoldsAsync(
            () => watch.Elapsed > TimeSpan.FromSeconds(10),
            TimeSpan.FromSeconds(11),
            () => "the pause is over"
        );
        await nodes[0].ResumeAsync();
        await load.SucceedsAsync(300, Plenty);

        var history = await load.StopAsync();
        var gap = LongestSilence(history.Operations.Where(operation => operation.Node != nodes[0].Address));
        TestContext.Current.SendDiagnosticMessage(
            $"SIGSTOP 10 s: longest time without a success on the other nodes {gap.TotalSeconds:F1} s, the "
                + $"paused node {(nodes[0].HasExited ? "ended" : "went on")}"
        );
        await CheckAsync(history);
        Assert.True(gap < Back + ordinary, $"The other nodes stood still for {gap}. {nodes[1].Log}");
        // It was replaced meanwhile: a supervisor starts it anew.
        Assert.Equal(75, await nodes[0].EndedAsync());
    }

    [Fact]
    public async Task Graceful_stop_under_load_fails_no_request_of_clients_that_move_on()
    {
        var token = await StartAsync(2, drainSeconds: 2);
        await using var load = Load.Start(token, nodes, clients: 6);
        await load.SucceedsAsync(300, Plenty);

        var exitCode = await nodes[0].StopAsync();
        await load.SucceedsAsync(200, Plenty);

        var history = await load.StopAsync();
        await CheckAsync(history);
        var failed = history
            .Operations.Where(operation => !operation.Succeeded && !IsRefusedConnection(operation))
            .ToArray();
        Assert.True(
            failed is [],
            $"{failed.Length} requests failed:\n"
                + $"{string.Join('\n', failed.Take(10).Select(operation => operation.ToString()))}\n"
                + $"{nodes[0].Log}"
        );
        Assert.True(exitCode is 0, $"Exit code {exitCode}. {nodes[0].Log}");
    }

    [Fact]
    public async Task Three_nodes_start_at_once_on_an_empty_database_and_recover_from_a_kill_within_twenty_seconds()
    {
        var token = await StartAsync(3);
        using (var client = nodes[2].Client(token))
        {
            var created = await client.PostAsJsonAsync("/api/v1/resources", new { name = "kept" }, Cancelled);
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        }

        foreach (var node in nodes)
            await node.KillAsync();
        nodes.Add(ServerProcess.Start(database, cluster));
        var ready = await nodes[^1].ReadyAsync(TimeSpan.FromSeconds(20));

        TestContext.Current.SendDiagnosticMessage(
            $"cold start after kill -9 of all: ready after {ready.TotalSeconds:F1} s"
        );
        using var survivor = nodes[^1].Client(token);
        var list = await survivor.GetFromJsonAsync<JsonElement>("/api/v1/resources", Cancelled);
        Assert.Equal("kept", list.GetProperty("data")[0].GetProperty("name").GetString());
    }

    /// <summary>Starts the whole cluster at once. Returns a token.</summary>
    async Task<string> StartAsync(int count, int drainSeconds = 0)
    {
        for (var i = 0; i < count; i++)
            nodes.Add(ServerProcess.Start(database, cluster, options: ("Shutdown:DrainSeconds", $"{drainSeconds}")));
        foreach (var node in nodes)
            await node.ReadyAsync();
        return await nodes[0].SignInAsync();
    }

    /// <summary>How long it takes until a node has served a read and a write of each resource.</summary>
    static async Task<TimeSpan> ServesAllAsync(ServerProcess node, string token, Guid[] resources)
    {
        var watch = Stopwatch.StartNew();
        using var client = node.Client(token);
        await Parallel.ForEachAsync(
            resources,
            new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancelled },
            async (resource, ct) =>
            {
                await Eventually.HoldsAsync(
                    async () => await IsSuccessAsync(client.GetAsync($"/api/v1/resources/{resource}", ct)),
                    TimeSpan.FromSeconds(30),
                    () => $"{resource} can be read. {node.Log}"
                );
                await Eventually.HoldsAsync(
                    async () =>
                        await IsSuccessAsync(
                            client.PatchAsync(
                                $"/api/v1/resources/{resource}",
                                JsonContent.Create(new { name = $"after the loss {resource}" }, Load.MergePatch),
                                ct
                            )
                        ),
                    TimeSpan.FromSeconds(30),
                    () => $"{resource} can be written. {node.Log}"
                );
            }
        );
        return watch.Elapsed;
    }

    static async Task<bool> IsSuccessAsync(Task<HttpResponseMessage> request)
    {
        try
        {
            using var answer = await request;
            return answer.IsSuccessStatusCode;
        }
        catch (TaskCanceledException)
        {
            return false;
        }
    }

    Task CheckAsync(History history) =>
        history.CheckAsync(database, () => string.Join('\n', nodes.Select(node => node.Log)));

    static TimeSpan LongestSilence(IEnumerable<Operation> operations)
    {
        var times = operations
            .Where(operation => operation.Succeeded)
            .Select(operation => operation.Returned)
            .Order()
            .ToArray();
        return Stopwatch.GetElapsedTime(0, times.Zip(times.Skip(1), (one, next) => next - one).Max());
    }

    /// <summary>No request was sent: the client takes another node, as it would behind a balancer.</summary>
    static bool IsRefusedConnection(Operation operation) =>
        operation.Status is null && operation.Code!.Contains("refused", StringComparison.Ordinal);
}
