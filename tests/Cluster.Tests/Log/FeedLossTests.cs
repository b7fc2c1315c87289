using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>
/// Every kind of reader gets exactly the log, on a cluster whose nodes are killed and whose database restarts.
/// <c>RESOURCES_FEED_SECONDS</c> sets the duration, 30 unless given, and <c>RESOURCES_FEED_SUBSCRIBERS</c> how many
/// subscribers of GraphQL there are; 4 unless given.
/// </summary>
[Collection(Processes.Alone)]
public sealed class FeedLossTests : IAsyncLifetime
{
    static readonly TimeSpan Duration = TimeSpan.FromSeconds(
        int.Parse(Environment.GetEnvironmentVariable("RESOURCES_FEED_SECONDS") ?? "30", CultureInfo.InvariantCulture)
    );

    static readonly int Subscribers = int.Parse(
        Environment.GetEnvironmentVariable("RESOURCES_FEED_SUBSCRIBERS") ?? "4",
        CultureInfo.InvariantCulture
    );

    readonly TestDirectory directory = new();
    readonly ServerProcess[] nodes = new ServerProcess[3];
    readonly string cluster = $"feed-{Guid.NewGuid():n}";
    StoppablePostgres postgres = null!;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        postgres = await StoppablePostgres.StartAsync(directory.Path, Cancelled);
        for (var i = 0; i < nodes.Length; i++)
            nodes[i] = Start();
        foreach (var node in nodes)
            await node.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
        await postgres.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Readers_get_the_committed_log_despite_killed_nodes_database_restarts_and_a_late_commit()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var token = await nodes[0].SignInAsync();
        var addresses = nodes.Select(node => node.Address).ToArray();
        LogReader[] readers =
        [
            new StreamReader(token, addresses),
            new StreamReader(token, [.. addresses.Reverse()]),
            new PollReader(token, addresses),
            new SocketReader(token, addresses),
            .. Enumerable.Range(0, Subscribers).Select(i => Subscriber(i)),
        ];
        LogReader Subscriber(int number)
        {
            Uri[] from = [.. addresses[(number % 3)..], .. addresses[..(number % 3)]];
            var kind = (string?[])[null, "resource.created", "resource.renamed"] is var kinds
                ? kinds[number / 2 % 3]
                : null;
            return number % 2 is 0
                ? new GraphStreamReader(token, from, kind)
                : new GraphSocketReader(token, from, kind);
        }
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(_ => Random.Shared.Next(50) is 0 ? 500 : 200);
        await SubscribeAsync(token, new { kind = "webhook", url = receiver.Url });
        var group = await SubscribeAsync(token, new { kind = "pull" });
        var pulled = new List<Read>();
        LogReader[] consumers =
        [
            new GroupReader(token, addresses, group, seed, pulled),
            new GroupReader(token, [.. addresses.Reverse()], group, seed + 1, pulled),
        ];
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var reading = readers.Concat(consumers).Select(reader => reader.RunAsync(enough.Token)).ToArray();
        await using var load = Load.Start(token, nodes, clients: 32);
        await load.SucceedsAsync(300, TimeSpan.FromSeconds(60));

        var late = await CommitLateAsync();
        var (kills, restarts) = await HarmAsync(random, load);
        await load.SucceedsAsync(300, TimeSpan.FromSeconds(60));
        var history = await load.StopAsync();

        var (log, kinds) = await ReadLogAsync();
        Read[] Wanted(LogReader reader) => reader.Kind is { } kind ? [.. kinds[kind]] : log;
        await Eventually.HoldsAsync(
            () => readers.All(reader => reader.Got is [.., var last] && last.Position >= Wanted(reader)[^1].Position),
            TimeSpan.FromSeconds(30),
            () => $"every reader is at {log[^1].Position}: " + $"{string.Join(", ", readers.AsEnumerable())}"
        );
        Read[] Called() => [.. receiver.Taken.Select(request => Read.Of(request.Event))];
        for (
            var watch = Stopwatch.StartNew();
            !Called().ToHashSet().IsSupersetOf(log) || !consumers[0].Got.ToHashSet().IsSupersetOf(log);
            await Task.Delay(200, Cancelled)
        )
            Assert.True(
                watch.Elapsed < TimeSpan.FromSeconds(120),
                $"seed {seed}: the webhook has {Called().Distinct().Count()} of {log.Length} events and the "
                    + $"group {consumers[0].Got.Distinct().Count()}.\n{await StatesAsync(token)}"
            );
        await enough.CancelAsync();
        await Task.WhenAll(reading);

        TestContext.Current.SendDiagnosticMessage(
            $"seed {seed}: {log.Length} events, {kills} nodes killed, {restarts} restarts of the database; "
                + $"{history.Operations.Count(operation => operation.Succeeded)} of "
                + $"{history.Operations.Count} requests succeeded; connections: "
                + $"{string.Join(", ", readers.Select(reader => $"{reader.Name} {reader.Connections}"))}; "
                + $"{Called().Length} webhooks taken of {receiver.All.Length}, {consumers[0].Got.Length} "
                + "events pulled"
        );
        foreach (var reader in readers)
        {
            var got = reader.Got;
            Assert.True(
                Wanted(reader).SequenceEqual(got),
                $"seed {seed}: {reader} lacks {Wanted(reader).Except(got).Count()} of {log.Length} events, has "
                    + $"{got.Length - got.Distinct().Count()} twice and "
                    + $"{(got.Zip(got.Skip(1)).Count(pair => pair.First.Position >= pair.Second.Position))} out of "
                    + "order."
            );
        }
        foreach (var delivered in new[] { Called(), consumers[0].Got })
        {
            Assert.Equal(log.ToHashSet(), delivered.ToHashSet());
            // What comes again comes with the same id, which Read holds, and never before what comes first.
            foreach (var resource in delivered.Distinct().GroupBy(read => read.Resource))
                Assert.Equal(resource.Select(read => read.Version).Order(), resource.Select(read => read.Version));
        }
        Assert.Contains(late, log.Select(read => read.Position));
        await history.CheckAsync(postgres.ConnectionString, () => string.Join('\n', nodes.Select(node => node.Log)));
    }

    async Task<string> SubscribeAsync(string token, object delivery)
    {
        using var client = nodes[0].Client(token);
        using var answer = await client.PostAsJsonAsync(
            "/api/v1/subscriptions",
            new
            {
                name = $"{Guid.NewGuid():n}",
                delivery,
                after = "0",
            },
            Cancelled
        );
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        Assert.True(answer.IsSuccessStatusCode, $"{body}");
        return body.GetProperty("data").GetProperty("id").GetString()!;
    }

    async Task<string> StatesAsync(string token)
    {
        using var client = nodes[0].Client(token);
        return await client.GetStringAsync("/api/v1/subscriptions", Cancelled);
    }

    /// <summary>Allocates a position and commits ten seconds later. Returns the position.</summary>
    async Task<long> CommitLateAsync()
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var connection = await source.OpenConnectionAsync(Cancelled);
        await using var transaction = await connection.BeginTransactionAsync(Cancelled);
        var appended = await new AppendCall((Guid.CreateVersion7(), 0, [Guid.CreateVersion7()])).RunAsync(connection);
        await Task.Delay(TimeSpan.FromSeconds(10), Cancelled);
        await transaction.CommitAsync(Cancelled);
        return appended[0].Positions![0];
    }

    async Task<(int Kills, int Restarts)> HarmAsync(Random random, Load load)
    {
        var kills = 0;
        var restarts = 0;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Duration; )
        {
            if (random.Next(3) is 0)
            {
                await postgres.StopAsync(random.Next(2) is 0 ? "fast" : "immediate");
                await Task.Delay(random.Next(2_000), Cancelled);
                await postgres.StartAgainAsync();
                restarts++;
            }
            else
            {
                var at = random.Next(nodes.Length);
                await nodes[at].KillAsync();
                await Task.Delay(random.Next(1_000), Cancelled);
                var old = nodes[at];
                nodes[at] = Start(old.Address);
                await old.DisposeAsync();
                await nodes[at].ReadyAsync();
                kills++;
            }
            await load.SucceedsAsync(random.Next(50, 400), TimeSpan.FromSeconds(60));
        }
        return (kills, restarts);
    }

    ServerProcess Start(Uri? at = null) =>
        ServerProcess.Start(postgres.ConnectionString, cluster, at, WebhookReceiver.ServerOptions);

    async Task<(Read[] All, ILookup<string, Read> ByKind)> ReadLogAsync()
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var command = source.CreateCommand(
            "select seq_id, id, stream_id, version, type from mt_events where type like 'resource.%' order by seq_id"
        );
        var log = new List<(Read Event, string Kind)>();
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        while (await row.ReadAsync(Cancelled))
            log.Add((new(row.GetInt64(0), row.GetGuid(1), row.GetGuid(2), row.GetInt64(3)), row.GetString(4)));
        return ([.. log.Select(each => each.Event)], log.ToLookup(each => each.Kind, each => each.Event));
    }
}
