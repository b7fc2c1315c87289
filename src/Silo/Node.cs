using Marten;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
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

    /// <summary>Adds the store, the grains and the projections, as far as the role asks for them.</summary>
    public static IHostApplicationBuilder AddNode(
        this IHostApplicationBuilder builder,
        NodeDatabase database,
        NodeSettings settings
    )
    {
        builder.Services.AddStore(database).AddAccounts(settings).AddSubscriptions(settings);
        if (settings.Cluster.Role is NodeRole.Client)
            builder.UseOrleansClient(client => client.Join(database, settings.Cluster));
        else
            builder.AddSilo(database, settings.Cluster);
        return builder;
    }

    static IServiceCollection AddStore(this IServiceCollection services, NodeDatabase database)
    {
        services
            .AddSingleton(TimeProvider.System)
            .AddSingleton(database)
            .AddSingleton(database.Source)
            .AddSingleton(database.Searches)
            .AddSingleton(database.Sessions);
        services.AddSingleton<AccessLog>().AddSingleton<AuditQueries>();
        services
            .AddSingleton<Snapshots>()
            .AddSingleton<ResourceQueries>()
            .AddSingleton<StatisticsQueries>()
            .AddSingleton<LogQueries>()
            .AddSingleton<AccountQueries>()
            .AddSingleton<ReadIndex>()
            .AddSingleton<Followers>();
        services
            .AddSingleton<Signal>()
            .AddSingleton<LogNews>()
            .AddHostedService(services => services.GetRequiredService<LogNews>());
        services
            .AddSingleton<EventFeed>()
            .AddSingleton<LogTail>()
            .AddHostedService(services => services.GetRequiredService<LogTail>());
        services
            .AddSingleton<FollowerMonitor>()
            .AddHostedService(services => services.GetRequiredService<FollowerMonitor>());
        services.AddSingleton<AccessBook>().AddHostedService(services => services.GetRequiredService<AccessBook>());
        return services
            .AddSingleton<StoreContact>()
            .AddHostedService(services => services.GetRequiredService<StoreContact>());
    }

    static IServiceCollection AddAccounts(this IServiceCollection services, NodeSettings settings) =>
        services
            .AddSingleton(_ => MasterKey.Load(settings.Secrets, settings.Embedded.DataDirectory))
            .AddSingleton(settings.Sessions)
            .AddSingleton<Vault>()
            .AddSingleton<AccountDirectory>()
            .AddSingleton<Accounts>();

    static void AddSubscriptions(this IServiceCollection services, NodeSettings settings)
    {
        services.AddSingleton(settings.Subscriptions).AddSingleton(settings.Webhooks);
        services
            .AddSingleton<ResolveName>(System.Net.Dns.GetHostAddressesAsync)
            .AddSingleton<WebhookTargets>()
            .AddSingleton<Subscriptions>()
            .AddSingleton<SubscriptionQueries>();
    }

    static void AddSilo(this IHostApplicationBuilder builder, NodeDatabase database, ClusterOptions cluster)
    {
        var services = builder.Services;
        services.AddMarten(options => MartenSetup.Configure(options, database.Source)).UseLightweightSessions();
        // Registered before the silo, so that it stops after it: grains append until they are deactivated.
        services
            .AddSingleton<LimitStore>()
            .AddSingleton<EventLog>()
            .AddHostedService(services => services.GetRequiredService<EventLog>());
        services.AddHostedService<ProjectionHost>();
        services
            .AddSingleton<SubscriptionStore>()
            .AddSingleton<WebhookSender>()
            .AddSingleton<SubscriptionServices>()
            .AddSingleton<SubscriptionWatch>()
            .AddHostedService(services => services.GetRequiredService<SubscriptionWatch>());
        builder.UseOrleans(silo => silo.Join(database, cluster));
    }

    static void Join(this ISiloBuilder silo, NodeDatabase database, ClusterOptions cluster)
    {
        silo.UseAdoNetClustering(options =>
        {
            options.Invariant = "Npgsql";
            options.DataSource = database.Source;
        });
        silo.UseAdoNetReminderService(options =>
        {
            options.Invariant = "Npgsql";
            options.DataSource = database.Source;
        });
        silo.Configure<Orleans.Configuration.ClusterOptions>(options =>
        {
            options.ClusterId = cluster.ClusterId;
            options.ServiceId = cluster.ClusterId;
        });
        silo.Configure<EndpointOptions>(options =>
        {
            options.AdvertisedIPAddress = NodeAddress.Advertised(cluster.AdvertisedAddress, database.Source);
            options.SiloPort = NodeAddress.Port(cluster.SiloPort, 11111);
            options.GatewayPort = NodeAddress.Port(cluster.GatewayPort, 30000);
        });
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = TimeSpan.FromSeconds(1);
            // Times the limit below, this is also how long a silent connection still speaks for a silo that has stopped
            // answering: a node that hangs is replaced within five seconds.
            options.MaxProbeTimeout = TimeSpan.FromSeconds(1.25);
            options.NumMissedProbesLimit = 3;
            options.TableRefreshTimeout = TimeSpan.FromSeconds(10);
            // A cluster that was killed as a whole starts again without waiting long for its dead.
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(3);
            options.NumMissedTableIAmAliveLimit = 2;
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
        silo.Services.AddSingleton<StoreContact.Membership>(NodeAddress.MembershipOf).AddHostedService<MembershipWatch>();
    }

    static void Join(this IClientBuilder client, NodeDatabase database, ClusterOptions cluster)
    {
        client.UseAdoNetClustering(options =>
        {
            options.Invariant = "Npgsql";
            options.DataSource = database.Source;
        });
        client.Configure<Orleans.Configuration.ClusterOptions>(options =>
        {
            options.ClusterId = cluster.ClusterId;
            options.ServiceId = cluster.ClusterId;
        });
        client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = CallTimeout);
        client.AddActivityPropagation();
        client.Services.AddSingleton<StoreContact.Membership>((connection, ct) => Task.FromResult(true));
    }
}
