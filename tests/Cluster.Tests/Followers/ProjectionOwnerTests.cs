using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>The node that owns the read model for the whole cluster, and its replacement.</summary>
[Collection(Processes.Alone)]
public sealed class ProjectionOwnerTests(TestPostgres postgres) : IAsyncLifetime
{
    readonly string cluster = $"projection-{Guid.NewGuid():n}";
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
    public async Task Lists_show_writes_of_other_nodes_after_a_killed_owner_or_a_lost_position()
    {
        var token = await StartAsync();
        using var second = nodes[1].Client(token);
        using var third = nodes[2].Client(token);

        var ordinary = await ShowsAsync(second, third, "written elsewhere");
        Assert.True(
            ordinary < TimeSpan.FromSeconds(2),
            $"A list showed a write of another node after {ordinary}. {nodes[0].Log}"
        );

        await nodes[0].KillAsync();
        var moved = await ShowsAsync(second, third, "after the owner");
        Assert.True(
            moved < TimeSpan.FromSeconds(5),
            $"The projection moved within {moved}. {nodes[1].Log}\n{nodes[2].Log}"
        );

        await AbortAnAppendAsync();
        var gap = await ShowsAsync(second, third, "behind the gap");
        Assert.True(gap < TimeSpan.FromSeconds(5), $"A gap held lists for {gap}. {nodes[1].Log}\n{nodes[2].Log}");
        TestContext.Current.SendDiagnosticMessage(
            $"list of another node {ordinary.TotalMilliseconds:F0} ms, after the owner's death "
                + $"{moved.TotalSeconds:F1} s, behind a gap {gap.TotalSeconds:F1} s"
        );
    }

    [Fact]
    public async Task Paused_owner_of_the_projections_is_replaced()
    {
        var token = await StartAsync();
        using var second = nodes[1].Client(token);
        using var third = nodes[2].Client(token);
        var watch = Stopwatch.StartNew();

        await nodes[0].PauseAsync();
        await ShowsAsync(second, third, "while the owner is paused");

        var moved = watch.Elapsed;
        await nodes[0].ResumeAsync();
        // The write may first have to wait until the cluster has given the paused node up.
        Assert.True(
            moved < TimeSpan.FromSeconds(8),
            $"The projection moved within {moved}. {nodes[1].Log}\n{nodes[2].Log}"
        );
        TestContext.Current.SendDiagnosticMessage($"list after the owner was paused {moved.TotalSeconds:F1} s");
    }

    /// <summary>Three nodes, the first of which owns the projections. Returns a token.</summary>
    async Task<string> StartAsync()
    {
        // The first alone, so that it gets them.
        nodes.Add(await ServerProcess.StartReadyAsync(database, cluster));
        var token = await nodes[0].SignInAsync();
        using var owner = nodes[0].Client(token);
        await ShowsAsync(owner, owner, "first");
        nodes.Add(ServerProcess.Start(database, cluster));
        nodes.Add(ServerProcess.Start(database, cluster));
        foreach (var node in nodes)
            await node.ReadyAsync();
        return token;
    }

    /// <summary>Writes through one node. Returns how long it takes until a list of the other shows it.</summary>
    static async Task<TimeSpan> ShowsAsync(HttpClient writer, HttpClient reader, string name)
    {
        var watch = Stopwatch.StartNew();
        await Eventually.HoldsAsync(
            async () =>
                (await writer.PostAsJsonAsync("/api/v1/resources", new { name }, Cancelled)).IsSuccessStatusCode,
            TimeSpan.FromSeconds(20),
            () => $"'{name}' is written"
        );
        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await reader.GetAsync("/api/v1/resources", Cancelled);
                if (!answer.IsSuccessStatusCode)
                    return false;
                var list = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
                // A list that is answered at all shows every write that was acknowledged before it was asked for.
                Assert.Equal(name, list.GetProperty("data")[0].GetProperty("name").GetString());
                return true;
            },
            TimeSpan.FromSeconds(20),
            () => $"the list shows '{name}'"
        );
        return watch.Elapsed;
    }

    async Task AbortAnAppendAsync()
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var transaction = await connection.BeginTransactionAsync(Cancelled);
        await new AppendCall((Guid.CreateVersion7(), 0, [Guid.CreateVersion7(), Guid.CreateVersion7()])).RunAsync(
            connection
        );
        await transaction.RollbackAsync(Cancelled);
    }
}
