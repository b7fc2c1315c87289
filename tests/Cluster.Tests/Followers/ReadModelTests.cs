using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>Read models of a cluster: never stale, and equal to the log whatever happens to their owner.</summary>
[Collection(Processes.Alone)]
public sealed class ReadModelTests(TestPostgres postgres) : IAsyncLifetime
{
    /// <summary><c>RESOURCES_PAIRS=20000</c> is the long form (bench/README.md).</summary>
    static readonly int Pairs = int.TryParse(Environment.GetEnvironmentVariable("RESOURCES_PAIRS"), out var pairs)
        ? pairs
        : 1500;

    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(60);

    readonly string cluster = $"readmodel-{Guid.NewGuid():n}";
    readonly List<ServerProcess> nodes = [];
    string database = "";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => database = await postgres.CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task List_includes_every_earlier_write_on_any_node(bool byPosition)
    {
        var token = await StartAsync();
        var seed = Random.Shared.Next();
        await using var others = Load.Start(token, nodes, clients: 3);
        var clients = nodes.Select(node => node.Client(token)).ToArray();
        var tried = 0;
        var stale = 0;
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(async worker =>
                {
                    var random = new Random(seed + worker);
                    var type = $"pairs-{worker}";
                    while (Interlocked.Increment(ref tried) <= Pairs)
                    {
                        var name = $"pair {Guid.NewGuid():n}";
                        using var created = await clients[random.Next(3)]
                            .PostAsJsonAsync("/api/v1/resources", new { name, type }, Cancelled);
                        Assert.True(created.IsSuccessStatusCode, $"{created.StatusCode}");
                        var list = $"/api/v1/resources?type={type}&limit=1";
                        if (random.Next(2) is 0)
                            list += $"&q={name[..20]}";
                        if (byPosition)
                            list += "&consistency=eventual";
                        using var request = new HttpRequestMessage(HttpMethod.Get, list);
                        if (byPosition)
                            request.Headers.Add("Min-Position", created.Headers.GetValues("Position"));
                        using var listed = await clients[random.Next(3)].SendAsync(request, Cancelled);
                        var page = await listed.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
                        Assert.True(listed.IsSuccessStatusCode, $"{page}");
                        if (
                            page.GetProperty("data") is var rows
                            && (rows.GetArrayLength() is 0 || rows[0].GetProperty("name").GetString() != name)
                        )
                            Interlocked.Increment(ref stale);
                    }
                })
        );
        foreach (var client in clients)
            client.Dispose();
        TestContext.Current.SendDiagnosticMessage(
            $"{Pairs} pairs of a write and a list on random nodes, "
                + $"{(byPosition ? "by Min-Position" : "linearizable")}, seed {seed}, {others.Operations.Count} "
                + $"other requests: {stale} stale"
        );
        Assert.Equal(0, stale);
    }

    [Fact]
    public async Task Lists_are_correct_beside_a_slow_transaction_and_a_gap()
    {
        var token = await StartAsync(1);
        using var client = nodes[0].Client(token);
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using (var slow = await connection.BeginTransactionAsync(Cancelled))
        {
            // Holds a snapshot, a lock of its own and a number of the sequence that nobody will ever use.
            await using var hold = new NpgsqlCommand(
                "select nextval('mt_events_sequence'), txid_current(), pg_advisory_xact_lock(42)",
                connection,
                slow
            );
            await hold.ExecuteNonQueryAsync(Cancelled);
            for (var i = 0; i < 20; i++)
            {
                var watch = Stopwatch.StartNew();
                using var created = await client.PostAsJsonAsync(
                    "/api/v1/resources",
                    new { name = $"beside {i}" },
                    Cancelled
                );
                Assert.True(created.IsSuccessStatusCode);
                var list = await client.GetFromJsonAsync<JsonElement>("/api/v1/resources?limit=1", Cancelled);
                Assert.Equal($"beside {i}", list.GetProperty("data")[0].GetProperty("name").GetString());
                Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"It took {watch.Elapsed}. {nodes[0].Log}");
            }
            await slow.RollbackAsync(Cancelled);
        }
        await LogFold.EqualsReadModelsAsync(database, Plenty);
    }

    [Fact]
    public async Task Append_with_a_slow_commit_is_not_skipped()
    {
        await StartAsync(1);
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var slow = await connection.BeginTransactionAsync(Cancelled);
        await using var append = new NpgsqlCommand(
            "select pg_advisory_xact_lock(7238163); " + Seed(200),
            connection,
            slow
        );
        await append.ExecuteNonQueryAsync(Cancelled);
        // Longer than any look by itself, and than any wait for the lock.
        var watch = Stopwatch.StartNew();
        await Eventually.HoldsAsync(
            () => watch.Elapsed > TimeSpan.FromSeconds(8),
            TimeSpan.FromSeconds(9),
            () => "the append has taken long"
        );
        await slow.CommitAsync(Cancelled);
        await LogFold.EqualsReadModelsAsync(database, Plenty);
    }

    [Fact]
    public async Task Killed_owner_of_the_projections_is_replaced_within_five_seconds_without_a_gap()
    {
        var token = await StartAsync();
        await using var load = Load.Start(token, nodes);
        for (var kills = 0; kills < 2; kills++)
        {
            await load.SucceedsAsync(600, Plenty);
            var owner = await OwnerAsync();
            await owner.KillAsync();
            var killed = await PositionAsync("select coalesce(max(seq_id), 0) from mt_events");
            var moved = await Eventually.HoldsAsync(
                async () => await PositionAsync("select position from resource_views_position") > killed,
                Plenty,
                () => "another owner goes on"
            );
            TestContext.Current.SendDiagnosticMessage(
                $"kill -9 of the owner: another went past it after {moved.TotalSeconds:F1} s"
            );
            Assert.True(
                moved < TimeSpan.FromSeconds(5) + load.Ordinary,
                $"The projections stood still for {moved}. {string.Join('\n', nodes.Select(node => node.Log))}"
            );
            nodes.Remove(owner);
            await owner.DisposeAsync();
        }
        await load.StopAsync();
        await LogFold.EqualsReadModelsAsync(database, Plenty);
    }

    [Fact]
    public async Task Rebuild_survives_the_death_of_its_owner_at_every_stage()
    {
        var token = await StartAsync();
        await SeedAsync();
        await using var load = Load.Start(token, nodes, clients: 4);
        await load.SucceedsAsync(100, Plenty);
        await ExecuteAsync(
            "update followers set building = 2, stage = 'filling', requested_at = now(), requested_by = 'test'"
        );
        // Indexing waits for this lock, so that its owner is killed in the middle of it.
        await using (var blocker = new NpgsqlConnection(database))
        {
            await blocker.OpenAsync(Cancelled);
            await using var hold = new NpgsqlCommand("select pg_advisory_lock(7238165)", blocker);
            await hold.ExecuteNonQueryAsync(Cancelled);
            foreach (var stage in new[] { "filling", "indexing" })
            {
                await Eventually.HoldsAsync(
                    async () => await ExecuteAsync("select stage from followers") is string at && at == stage,
                    Plenty,
                    () => $"the rebuild is {stage}"
                );
                var owner = await OwnerAsync();
                await owner.KillAsync();
                nodes.Remove(owner);
                await owner.DisposeAsync();
            }
        }
        await Eventually.HoldsAsync(
            async () => await ExecuteAsync("select generation from followers") is 2,
            Plenty,
            () => "the rebuild is done"
        );
        await load.StopAsync();
        await LogFold.EqualsReadModelsAsync(database, Plenty);
        await Eventually.HoldsAsync(
            async () => await ExecuteAsync("select to_regclass('resource_views_1')::text") is DBNull,
            Plenty,
            () => "the old generation is gone"
        );
    }

    [Fact]
    public async Task Rebuild_creates_a_lexicon_of_the_current_words()
    {
        const string words = "select string_agg(word, ' ' order by word) from resource_words",
            used =
                "select string_agg(word, ' ' order by word collate \"C\") from ts_stat('select words from resource_views')";
        var token = await StartAsync(1);
        using var client = nodes[0].Client(token);
        using var created = await client.PostAsJsonAsync(
            "/api/v1/resources",
            new { name = "Urfaust", metadata = new { by = "Goethe" } },
            Cancelled
        );
        await client.GetAsync("/api/v1/resources", Cancelled);
        await client.PatchAsync(
            created.Headers.Location,
            JsonContent.Create(new { name = "Faust II" }, new MediaTypeHeaderValue("application/merge-patch+json")),
            Cancelled
        );
        await client.GetAsync("/api/v1/resources", Cancelled);
        Assert.Equal(
            (". faust goethe ii urfaust", ". faust goethe ii"),
            ((string)(await ExecuteAsync(words))!, (string)(await ExecuteAsync(used))!)
        );

        // The rebuild has both events in one page.
        await client.PostAsync("/api/v1/admin/followers/resource_views/rebuild", null, Cancelled);
        await Eventually.HoldsAsync(
            async () => await ExecuteAsync("select generation from followers") is 2,
            Plenty,
            () => "the rebuild is done"
        );
        Assert.Equal(". faust goethe ii", await ExecuteAsync(words));
        var list = await client.GetFromJsonAsync<JsonElement>("/api/v1/resources?q=fau goe", Cancelled);
        Assert.Equal(1, list.GetProperty("data").GetArrayLength());
        await Eventually.HoldsAsync(
            async () => await ExecuteAsync("select to_regclass('resource_words_1')::text") is DBNull,
            Plenty,
            () => "the old lexicon is gone"
        );
    }

    /// <summary>Seeds a log that is long enough to kill its reader half way.</summary>
    async Task SeedAsync()
    {
        await ExecuteAsync(Seed(60_000));
        await Eventually.HoldsAsync(
            async () =>
                await PositionAsync(
                    "select position - (select max(seq_id) from mt_events) from resource_views_position"
                ) >= 0,
            Plenty,
            () => "the seed is in the read model"
        );
    }

    static string Seed(int resources) =>
        $"""
            with made as (
                insert into mt_streams (id, version, timestamp, created) select gen_random_uuid(), 1, now(), now() from generate_series(1, {resources}) returning id
            )
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, user_name)
            select nextval('mt_events_sequence'), gen_random_uuid(), id, 1, jsonb_build_object('type', 'seed', 'name', 'seed ' || id, 'status', 'active', 'metadata', jsonb_build_object('n', id), 'owner', 'seeder'),
                'resource.created', now(), 'Resources.Grains.ResourceCreated, Resources.Grains', 'seeder' from made
            """;

    async Task<string> StartAsync(int count = 3)
    {
        for (var i = 0; i < count; i++)
            nodes.Add(ServerProcess.Start(database, cluster));
        foreach (var node in nodes)
            await node.ReadyAsync(Plenty);
        return await nodes[0].SignInAsync();
    }

    /// <summary>The node that owns the projections.</summary>
    async Task<ServerProcess> OwnerAsync()
    {
        ServerProcess? owner = null;
        await Eventually.HoldsAsync(
            async () =>
                await ExecuteAsync("select node from followers") is string name
                && (owner = nodes.Find(node => name.EndsWith($":{node.ProcessId}", StringComparison.Ordinal)))
                    is not null,
            Plenty,
            () => "a living node owns the projections"
        );
        return owner!;
    }

    async Task<long> PositionAsync(string sql) => (long)(await ExecuteAsync(sql))!;

    async Task<object?> ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 60 };
        return await command.ExecuteScalarAsync(Cancelled);
    }
}
