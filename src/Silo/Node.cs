using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Streams;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>What makes a process a member of the cluster.</summary>
public static class Node
{
    /// <summary>
    /// Silos count as dead after three probes of a second; a call that hits one waits no longer than this.
    /// </summary>
    static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The name under which Orleans loads the PostgreSQL driver.</summary>
    const string Invariant = "Npgsql";

    /// <summary>
    /// Reads the options of a node and of its features, and registers what they bring. Faults of the options are kept
    /// until <see cref="Settings.ThrowIfFaulty"/>; the <see cref="NodeDatabase"/> is opened and registered after that.
    /// </summary>
    public static IHostApplicationBuilder AddNode(
        this IHostApplicationBuilder builder,
        Settings settings,
        IReadOnlyList<NodeFeature> features
    )
    {
        var cluster = settings.Add<ClusterOptions>(builder.Services, "Cluster");
        // A node in production does not fetch programs unless it is told to.
        settings.Add<EmbeddedOptions>(builder.Services, "Embedded").Download ??= settings.IsDevelopment;
        settings.Read<SchemaOptions>("Schema");
        settings.Read<DatabaseOptions>("Database");
        builder
            .Services.AddSingleton(TimeProvider.System)
            .AddSingleton(
                new PermissionCatalogue([.. Permissions.All, .. features.SelectMany(feature => feature.Permissions)])
            );
        builder.Services.AddSingleton(new EventKinds(features.Select(feature => feature.Assembly)));
        foreach (var feature in features)
            feature.Add(builder.Services, settings);
        builder.Services.AddDatabase();
        builder.Services.AddSingleton<SecretStore>();
        if (cluster.Role is NodeRole.Client)
        {
            builder.UseOrleansClient(client => client.Join(cluster));
            return builder;
        }
        // Registered before the silo, so that it stops after it: grains append until they are deactivated.
        foreach (var feature in features)
            feature.AddToSilo(builder.Services);
        builder.UseOrleans(silo => silo.Join(cluster));
        return builder;
    }

    /// <summary>Registers the pools of the node's database, each by its role. None is disposed with the host.</summary>
    static void AddDatabase(this IServiceCollection services) =>
        services
            .AddSingleton(provider =>
                provider.GetRequiredService<NodeDatabase>().Roles(provider.GetRequiredService<StoreContact>())
            )
            .AddSingleton(provider => provider.GetRequiredService<DbRoles>().Log)
            .AddSingleton(provider => provider.GetRequiredService<DbRoles>().Control)
            .AddSingleton(provider => provider.GetRequiredService<DbRoles>().Reads)
            .AddSingleton(provider => provider.GetRequiredService<DbRoles>().Follow)
            .AddSingleton(provider => provider.GetRequiredService<DbRoles>().Deliveries)
            .AddSingleton(provider => provider.GetRequiredService<DbRoles>().Searches)
            .AddSingleton(provider => provider.GetRequiredService<DbRoles>().Sessions)
            .AddSingleton(provider => provider.GetRequiredService<DbRoles>().Bulk);

    static void NameCluster(this IServiceCollection services, ClusterOptions cluster) =>
        services
            .AddOptions<Orleans.Configuration.ClusterOptions>()
            .Configure<NodeDatabase>(
                (options, database) =>
                {
                    options.ClusterId = database.NameOf(cluster.ClusterId);
                    options.ServiceId = cluster.ClusterId;
                }
            );

    static void Join(this ISiloBuilder silo, ClusterOptions cluster)
    {
        silo.UseAdoNetClustering(options =>
            options.Configure<NodeDatabase>(
                (clustering, database) =>
                {
                    clustering.Invariant = Invariant;
                    clustering.DataSource = database.Membership;
                }
            )
        );
        silo.UseAdoNetReminderService(options =>
            options.Configure<NodeDatabase>(
                (reminders, database) =>
                {
                    reminders.Invariant = Invariant;
                    reminders.DataSource = database.Membership;
                }
            )
        );
        silo.Services.NameCluster(cluster);
        silo.Services.AddSingleton(_ => NodePorts.Take(cluster));
        silo.Services.AddOptions<EndpointOptions>()
            .Configure<NodeDatabase, NodePorts>(
                (options, database, ports) =>
                {
                    options.AdvertisedIPAddress = NodeAddress.Advertised(cluster.AdvertisedAddress, database.Address);
                    options.SiloPort = ports.Silo;
                    options.GatewayPort = ports.Gateway;
                }
            );
        silo.GuardPorts(cluster);
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = TimeSpan.FromSeconds(1);
            // Times the limit below, this is also how long a silent connection still speaks for a silo that has stopped
            // answering: a node that hangs is replaced within five seconds.
            options.MaxProbeTimeout = TimeSpan.FromSeconds(1.25);
            options.NumMissedProbesLimit = 3;
            // A probe through a node that hangs too says nothing, again and again.
            options.EnableIndirectProbes = false;
            // Nodes whose clocks differ by seconds take each other for silent, and are told of no change: they look.
            options.TableRefreshTimeout = TimeSpan.FromSeconds(3);
            // A cluster that was killed as a whole starts again without waiting long for its dead. And where most nodes of
            // one die at once, those that have been silent for so long need not vote on each other: a lone survivor would
            // wait for a second vote.
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(1);
            options.NumMissedTableIAmAliveLimit = 3;
        });
        silo.Configure<SiloMessagingOptions>(options =>
        {
            options.ResponseTimeout = CallTimeout;
            options.SystemResponseTimeout = CallTimeout;
        });
        silo.Configure<GrainCollectionOptions>(options => options.EnableActivationSheddingOnMemoryPressure = true);
        // Types of resources are named by clients, so streams must cost nothing where nobody consumes them: explicit
        // subscriptions would be asked for, and stored, for each type.
        silo.AddPersistentStreams(LoggedEvent.Provider, LogStreams.Create, streams =>
            streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly)
        );
        silo.AddActivityPropagation();
        silo.Services.AddSingleton<IFatalErrorHandler, DeclaredDead>();
        silo.Services.AddSingleton<StoreProbe.Membership>(NodeAddress.MembershipOf).AddHostedService<MembershipWatch>();
    }

    static void Join(this IClientBuilder client, ClusterOptions cluster)
    {
        client.UseAdoNetClustering(options =>
            options.Configure<NodeDatabase>(
                (clustering, database) =>
                {
                    clustering.Invariant = Invariant;
                    clustering.DataSource = database.Membership;
                }
            )
        );
        client.Services.NameCluster(cluster);
        client.UseClusterTls(cluster);
        client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = CallTimeout);
        client.AddActivityPropagation();
        client.Services.AddSingleton<StoreProbe.Membership>(NodeAddress.MembershipOfClient);
    }
}
