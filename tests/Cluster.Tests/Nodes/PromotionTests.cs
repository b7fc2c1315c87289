using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>
/// A standby that lacks the newest writes takes the primary's place, and the primary comes back. Nodes live on.
/// </summary>
[Collection(Processes.Alone)]
public sealed class PromotionTests : IAsyncLifetime
{
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(30);

    readonly TestDirectory directory = new();
    StoppablePostgres primary = null!;
    StandbyPostgres standby = null!;
    ServerProcess node = null!;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        primary = await StoppablePostgres.StartAsync(directory.Path, Cancelled);
        standby = await primary.FollowAsync();
        await standby.StartAsync();
        var both = new NpgsqlConnectionStringBuilder(primary.ConnectionString);
        both.Host = $"127.0.0.1:{both.Port},127.0.0.1:{standby.Port}";
        node = await ServerProcess.StartReadyAsync(both.ConnectionString, "promotion");
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await standby.DisposeAsync();
        await primary.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Positions_are_never_used_twice_and_nothing_that_is_gone_is_served()
    {
        var token = await node.SignInAsync();
        using var client = node.Client(token);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        LogReader[] readers = [new StreamReader(token, [node.Address]), new PollReader(token, [node.Address])];
        var reading = readers.Select(reader => reader.RunAsync(enough.Token)).ToArray();
        var document = await CreateAsync(client, "document");
        await CaughtUpAsync();
        await standby.StopAsync();

        // Acknowledged, read by others, and lost with the primary.
        await client.PatchAsync(document, JsonContent.Create(new { name = "lost" }, Load.MergePatch), Cancelled);
        for (var i = 0; i < 50; i++)
            await CreateAsync(client, $"lost {i}");
        var lost = await HeadAsync(primary.ConnectionString);
        await Eventually.HoldsAsync(
            () => readers.All(reader => reader.Got is [.., var last] && last.Position == lost),
            Plenty,
            () => "the readers have what will be lost"
        );
        await primary.StopAsync("immediate");
        await standby.StartAsync();
        await standby.PromoteAsync();

        await Eventually.HoldsAsync(
            async () => (await client.GetAsync("/health/ready", Cancelled)).StatusCode is HttpStatusCode.OK,
            Plenty,
            () => $"the node serves again. {node.Log}"
        );
        var found = await client.GetFromJsonAsync<JsonElement>(document, Cancelled);
        Assert.Equal("document", found.GetProperty("data").GetProperty("name").GetString());

        // The former primary takes itself for the primary. Nobody goes back to it.
        await primary.StartAgainAsync();
        var kept = new List<string>();
        for (var i = 0; i < 40; i++)
            kept.Add(await CreateAsync(client, $"kept {i}"));

        var log = await LogAsync();
        Assert.Equal(40, log.Length);
        Assert.All(log, read => Assert.True(read.Position > lost + 1_000_000, $"{read.Position} after {lost}"));
        Assert.Equal(lost, await HeadAsync(primary.ConnectionString));
        await Eventually.HoldsAsync(
            () => readers.All(reader => reader.Got is [.., var last] && last.Position == log[^1].Position),
            Plenty,
            () => $"the readers have what came after. {node.Log}"
        );
        Assert.All(readers, reader => Assert.Equal(log, reader.Got.Where(read => read.Position > lost)));
        var list = await client.GetFromJsonAsync<JsonElement>("/api/v1/resources?limit=1", Cancelled);
        Assert.Equal("kept 39", list.GetProperty("data")[0].GetProperty("name").GetString());
        var audit = await client.GetFromJsonAsync<JsonElement>("/api/v1/audit?limit=50", Cancelled);
        var changed = Assert.Single(audit.GetProperty("data").EnumerateArray(), entry =>
            entry.GetProperty("type").GetString() is "log.timeline_changed"
        );
        Assert.Equal(
            (1, 2),
            (
                changed.GetProperty("data").GetProperty("from").GetInt32(),
                changed.GetProperty("data").GetProperty("to").GetInt32()
            )
        );
        await enough.CancelAsync();
        await Task.WhenAll(reading);
    }

    /// <summary>With both hosts in the connection string, the driver could reach the standby alone.</summary>
    [Fact]
    public async Task Standby_answers_nothing_before_it_is_promoted()
    {
        using var client = node.Client(await node.SignInAsync());
        await CreateAsync(client, "known to both");
        await CaughtUpAsync();
        await primary.StopAsync("immediate");

        for (var i = 0; i < 10; i++)
        {
            using var list = await client.GetAsync("/api/v1/resources", Cancelled);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, list.StatusCode);
            using var eventual = await client.GetAsync("/api/v1/resources?consistency=eventual", Cancelled);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, eventual.StatusCode);
        }
    }

    /// <summary>Waits until the standby has what the primary has.</summary>
    async Task CaughtUpAsync()
    {
        var head = await HeadAsync(primary.ConnectionString);
        await Eventually.HoldsAsync(
            async () => await HeadAsync(Standby) == head,
            Plenty,
            () => "the standby has caught up"
        );
    }

    string Standby =>
        new NpgsqlConnectionStringBuilder(primary.ConnectionString) { Port = standby.Port }.ConnectionString;

    static async Task<string> CreateAsync(HttpClient client, string name)
    {
        using var created = await client.PostAsJsonAsync("/api/v1/resources", new { name }, Cancelled);
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Cancelled));
        return created.Headers.Location!.ToString();
    }

    /// <summary>The events of resources on the new primary since it was promoted.</summary>
    async Task<Read[]> LogAsync()
    {
        await using var connection = new NpgsqlConnection(Standby);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(
            """
            select seq_id, id, stream_id, version from mt_events
            where is_of_resource(type) and seq_id > (select max(began_after) from log_epochs) order by seq_id
            """,
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(Cancelled);
        var log = new List<Read>();
        while (await reader.ReadAsync(Cancelled))
            log.Add(new(reader.GetInt64(0), reader.GetGuid(1), reader.GetGuid(2), reader.GetInt64(3)));
        return [.. log];
    }

    static async Task<long> HeadAsync(string database)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand("select head from log_head()", connection);
        return (long)(await command.ExecuteScalarAsync(Cancelled))!;
    }
}
