using Marten;
using Microsoft.Extensions.Logging.Abstractions;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>The event log of one node, without the rest of the node.</summary>
public sealed class StandaloneLog : IAsyncDisposable
{
    readonly NodeDatabase database;
    readonly DocumentStore store;
    readonly StoreProbe probe;

    StandaloneLog(NodeDatabase database)
    {
        this.database = database;
        var kinds = new EventKinds();
        var contact = new StoreContact(TimeProvider.System, NullLogger<StoreContact>.Instance);
        var pools = database.Roles(contact);
        store = DocumentStore.For(options =>
        {
            MartenSetup.Configure(options, kinds);
            pools.Log.Serve(options);
        });
        probe = new(
            pools,
            contact,
            (_, _) => Task.FromResult(true),
            TimeProvider.System,
            NullLogger<StoreProbe>.Instance
        );
        Log = new(pools.Log, pools.Reads, pools.Sessions, store, contact, new(), kinds, NullLogger<EventLog>.Instance);
    }

    public EventLog Log { get; }

    public static async Task<StandaloneLog> StartAsync(NodeDatabase database)
    {
        var node = new StandaloneLog(database);
        await node.probe.StartAsync(default);
        await node.Log.StartAsync(default);
        return node;
    }

    /// <summary>Appends one event for each name.</summary>
    public Task<Appended?> AppendAsync(Guid stream, long expectedVersion, params string[] names) =>
        Log.AppendAsync(stream, expectedVersion, [.. names.Select(name => new ResourceRenamed(name))], Intend());

    public async ValueTask DisposeAsync()
    {
        await Log.StopAsync(default);
        await probe.StopAsync(default);
        Log.Dispose();
        probe.Dispose();
        store.Dispose();
        await database.DisposeAsync();
    }

    static Intent Intend() => new(Guid.CreateVersion7(), "tester", null, null, Conditions.None);
}
