using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Core.Internal;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// A whole silo without HTTP in the process of the tests. Two silos of different clusters over one database hold two
/// activations of each grain, as a real cluster may briefly have.
/// </summary>
internal sealed class InProcessSilo : IAsyncDisposable
{
    readonly NodeDatabase database;
    readonly IHost host;

    InProcessSilo(NodeDatabase database, IHost host, NodeClock clock)
    {
        Clock = clock;
        this.database = database;
        this.host = host;
    }

    /// <summary>The clock of the node's services, which a test can put forward.</summary>
    public NodeClock Clock { get; }

    public IServiceProvider Services => host.Services;

    public StoreContact Contact => host.Services.GetRequiredService<StoreContact>();

    public static Task<InProcessSilo> StartAsync(
        LogDatabase tables,
        string clusterId,
        params (string Key, string Value)[] options
    ) => StartAsync(tables, clusterId, NodeFeature.All, options);

    /// <summary>Starts a node with the features of an application.</summary>
    public static async Task<InProcessSilo> StartAsync(
        LogDatabase tables,
        string clusterId,
        IReadOnlyList<NodeFeature> features,
        params (string Key, string Value)[] options
    )
    {
        var database = await LogDatabase.OpenAsync(tables.ConnectionString, applySchema: false);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([
            new("Cluster:ClusterId", clusterId),
            new("Cluster:AdvertisedAddress", "127.0.0.1"),
            new("Cluster:SiloPort", $"{FreePort.Find()}"),
            new("Cluster:GatewayPort", $"{FreePort.Find()}"),
            new("Secrets:MasterKey", TestServer.MasterKey),
            .. options.Select(option => KeyValuePair.Create(option.Key, (string?)option.Value)),
        ]);
        var settings = new Settings(builder.Configuration, builder.Environment);
        builder.AddNode(settings, features);
        settings.ThrowIfFaulty();
        builder.Services.AddSingleton(database);
        var clock = new NodeClock();
        builder.Services.AddSingleton<TimeProvider>(clock);
        // It makes no claim, so that two clusters may be on one database; a process of an earlier test may have made one.
        await tables.ExecuteAsync("delete from database_cluster");
        var node = new InProcessSilo(database, builder.Build(), clock);
        await node.Service<SecretStore>().OpenAsync();
        await node.host.StartAsync();
        await Eventually.HoldsAsync(
            () => node.Contact.IsMember,
            TimeSpan.FromSeconds(10),
            () => "the node counts itself in"
        );
        return node;
    }

    /// <summary>Puts the clock forward, and waits until the node counts itself in again.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        Clock.Ahead += time;
        await Eventually.HoldsAsync(
            () => Contact is { IsMember: true, IsAvailable: true },
            TimeSpan.FromSeconds(10),
            () => "the node counts itself in after a jump of its clock"
        );
    }

    public IResourceGrain Resource(Guid id) => Grain<IResourceGrain>(id);

    public T Grain<T>(Guid id)
        where T : IGrainWithGuidKey => Service<IGrainFactory>().GetGrain<T>(id);

    public T Service<T>()
        where T : notnull => host.Services.GetRequiredService<T>();

    /// <summary>Ends the activation of a resource. The next call creates a new one.</summary>
    public Task DeactivateAsync(Guid id) => DeactivateAsync(Resource(id));

    /// <summary>Ends an activation.</summary>
    public static Task DeactivateAsync(IAddressable grain) =>
        grain.AsReference<IGrainManagementExtension>().DeactivateOnIdle().AsTask();

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
        await database.DisposeAsync();
    }
}

/// <summary>The system's clocks, put forward together.</summary>
sealed class NodeClock : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;

    public override long GetTimestamp() => base.GetTimestamp() + (long)(Ahead.TotalSeconds * TimestampFrequency);
}
