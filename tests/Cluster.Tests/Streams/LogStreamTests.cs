using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Streams;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Cluster.Tests;

/// <summary>The log for code inside the cluster: as live Orleans streams, and exactly by position.</summary>
[Collection(Processes.Alone)]
public sealed class LogStreamTests(LogDatabase database) : IClassFixture<LogDatabase>, IAsyncLifetime
{
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(60);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    readonly string cluster = $"streams-{Guid.NewGuid():n}";
    readonly string[] types = [.. Enumerable.Range(0, 12).Select(_ => $"t{Guid.NewGuid():n}")];
    InProcessSilo one = null!;
    InProcessSilo two = null!;

    public async ValueTask InitializeAsync()
    {
        one = await InProcessSilo.StartAsync(database, cluster);
        two = await InProcessSilo.StartAsync(database, cluster);
    }

    public async ValueTask DisposeAsync()
    {
        await one.DisposeAsync();
        await two.DisposeAsync();
    }

    [Fact]
    public async Task Grain_receives_events_of_its_type_from_another_node_in_order()
    {
        foreach (var type in types)
            Assert.Equal(
                one.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToString(),
                await NodeOfAsync(type)
            );
        var last = new Dictionary<string, (Guid Resource, long Position)>();
        for (var round = 0; round < 20; round++)
            foreach (var type in types)
                last[type] = await AppendAsync(two, type);

        foreach (var type in types)
        {
            await HearsAsync(type);
            var newest = Listener.Heard(type)[^1];
            Assert.Equal(
                (last[type].Resource, last[type].Position, type, 2L, "resource.renamed", "tester"),
                (newest.Resource, newest.Position, newest.ResourceType, newest.Version, newest.Type, newest.Actor)
            );
            Assert.Equal("""{"name":"renamed","changed":["/name"]}"""u8, newest.Data.Utf8.Span);
        }
    }

    [Fact]
    public async Task Only_the_log_publishes_to_its_streams()
    {
        var provider = one.Services.GetRequiredKeyedService<IStreamProvider>(LoggedEvent.Provider);
        var stream = provider.GetStream<LoggedEvent>(StreamId.Create(LoggedEvent.Namespace, types[0]));
        var made = new LoggedEvent(
            1,
            Guid.NewGuid(),
            "resource.created",
            Guid.NewGuid(),
            types[0],
            "me",
            1,
            DateTimeOffset.UnixEpoch,
            "me",
            null,
            JsonText.Empty
        );
        await Assert.ThrowsAnyAsync<Exception>(() => stream.OnNextAsync(made));
        await AppendAsync(two, types[0]);
        await HearsAsync(types[0]);
    }

    [Fact]
    public async Task Killed_node_costs_no_reader_and_no_grain_elsewhere_an_event()
    {
        await using var killed = await ServerProcess.StartReadyAsync(database.ConnectionString, cluster);
        using var http = killed.Client(await killed.SignInAsync());
        using var enough = new CancellationTokenSource();
        foreach (var type in types)
            await NodeOfAsync(type);
        var read = new List<long>();
        var reading = ReadAsync(one, read, until: enough.Token);
        var writing = Task.WhenAll(WriteAsync(enough.Token), WriteByAsync(http, enough.Token));

        // Some of the queues are with the node that is killed.
        foreach (var type in types)
            await Eventually.HoldsAsync(
                () => Listener.Heard(type).Length > 3,
                Plenty,
                () => $"the grain of {type} hears events"
            );
        var watch = Stopwatch.StartNew();
        await killed.KillAsync();
        var before = read.Count;
        foreach (var type in types)
        {
            var heard = Listener.Heard(type).Length;
            await Eventually.HoldsAsync(
                () => Listener.Heard(type).Length > heard + 3,
                Plenty,
                () => $"the grain of {type} hears events after the kill"
            );
        }
        TestContext.Current.SendDiagnosticMessage(
            $"kill -9: {read.Count - before} events until every grain hears again, {watch.Elapsed.TotalSeconds:F1} s"
        );
        await enough.CancelAsync();
        await Task.WhenAll(reading, writing);
        // Another node goes on where the first one stopped.
        var log = (long[])
            (
                await database.ExecuteAsync(
                    "select array_agg(seq_id order by seq_id) from mt_events where type like 'resource.%'"
                )
            )!;
        using var rest = new CancellationTokenSource();
        var goingOn = ReadAsync(two, read, rest.Token);
        await Eventually.HoldsAsync(() => read.Count >= log.Length, Plenty, () => "the rest is read");
        await rest.CancelAsync();
        await goingOn;

        Assert.Equal(log, read);
        foreach (var type in types)
            await HearsAsync(type);
    }

    /// <summary>The node that hosts the grain of a type. It starts on the first node.</summary>
    Task<string> NodeOfAsync(string type) =>
        one.Services.GetRequiredService<IGrainFactory>().GetGrain<IListener>(type).Node();

    /// <summary>Waits until the grain of a type has received all events of the log, and compares them.</summary>
    async Task HearsAsync(string type)
    {
        var log = (long[])
            (
                await database.ExecuteAsync(
                    "select array_agg(e.seq_id order by e.seq_id) from mt_events e join mt_events f on "
                        + "f.stream_id = e.stream_id and f.version = 1 where f.data ->> 'type' = $1",
                    type
                )
            )!;
        LoggedEvent[] heard = [];
        await Eventually.HoldsAsync(
            () => (heard = Listener.Heard(type)) is [.., var last] && last.Position >= log[^1],
            Plenty,
            () => $"the grain of {type} has heard the newest event"
        );
        Assert.Equal(log, heard.Select(logged => logged.Position));
    }

    /// <summary>Creates and renames a resource through one node. Returns its id and last position.</summary>
    static async Task<(Guid Resource, long Position)> AppendAsync(InProcessSilo node, string type)
    {
        var log = node.Services.GetRequiredService<Grains.EventLog>();
        var resource = Guid.CreateVersion7();
        var intent = new Intent(Guid.CreateVersion7(), "tester", null, null, Conditions.None);
        await log.AppendAsync(
            resource,
            0,
            [new ResourceCreated(type, "new", "active", JsonText.Empty, "tester")],
            intent
        );
        return (
            resource,
            (await log.AppendAsync(resource, 1, [new ResourceRenamed("renamed", ["/name"])], intent))!.Positions[0]
        );
    }

    static async Task ReadAsync(InProcessSilo node, List<long> read, CancellationToken until)
    {
        try
        {
            await foreach (
                var logged in node
                    .Services.GetRequiredService<EventFeed>()
                    .EventsAsync("tests", read is [.., var last] ? last : 0, EventFilter.All, until)
            )
                read.Add(logged.Position);
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
    }

    async Task WriteAsync(CancellationToken until)
    {
        for (var i = 0; !until.IsCancellationRequested; i++)
            await AppendAsync(two, types[i % types.Length]);
    }

    async Task WriteByAsync(HttpClient http, CancellationToken until)
    {
        try
        {
            for (var i = 0; !until.IsCancellationRequested; i++)
                await http.PostAsJsonAsync(
                    "/api/v1/resources",
                    new { name = "new", type = types[i % types.Length] },
                    Cancelled
                );
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            // The node was killed.
        }
    }
}
