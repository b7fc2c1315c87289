using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Durable subscriptions: webhooks, and consumers that pull.</summary>
sealed class SubscriptionsNodeFeature : NodeFeature
{
    /// <summary>Pages of the log that subscriptions read at a time.</summary>
    const int MaxReading = 4;

    /// <summary>The same of one owner's.</summary>
    const int MaxReadingPerOwner = 2;

    /// <summary>Pages on their way from the log to a subscription.</summary>
    const long MaxPageBytes = 32 << 20;

    public override void Add(IServiceCollection services, Settings settings)
    {
        settings.Add<SubscriptionOptions>(services, "Subscriptions");
        settings.Add<WebhookOptions>(services, "Webhooks");
        services
            .AddSingleton<ResolveName>(NameLookups.OnOwnThreadAsync)
            .AddSingleton<NameLookups>()
            .AddSingleton<WebhookTargets>()
            .AddSingleton<WebhookSender>()
            .AddSingleton<IDelivery, WebhookDelivery>()
            .AddSingleton<IDelivery, PullDelivery>()
            .AddSingleton<Deliveries>()
            .AddSingleton<Subscriptions>()
            .AddSingleton<SubscriptionQueries>();
    }

    public override void AddToSilo(IServiceCollection services) =>
        services
            .AddSingleton<SubscriptionStore>()
            .AddSingleton<SubscriptionRows>()
            .AddSingleton(provider => new ReadAhead(
                provider.GetRequiredService<SubscriptionOptions>().MaxReadAheadBytes
            ))
            .AddSingleton(provider =>
                ActivatorUtilities.CreateInstance<SubscriptionServices>(provider, FeedOf(provider))
            )
            .AddRunning<SubscriptionWatch>();

    /// <summary>The log by the connections of deliveries, of which one is left to write down what was delivered.</summary>
    static EventFeed FeedOf(IServiceProvider provider)
    {
        var time = provider.GetRequiredService<TimeProvider>();
        return new(
            new(provider.GetRequiredService<DeliveriesDb>()),
            provider.GetRequiredService<LogTail>(),
            provider.GetRequiredService<ReadIndex>(),
            new(MaxReading, MaxReadingPerOwner, int.MaxValue, time),
            new(MaxPageBytes, time)
        );
    }
}
