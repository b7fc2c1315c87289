using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Durable subscriptions: webhooks, and consumers that pull.</summary>
sealed class SubscriptionsNodeFeature : NodeFeature
{
    public override void Add(IServiceCollection services, Settings settings)
    {
        settings.Add<SubscriptionOptions>(services, "Subscriptions");
        settings.Add<WebhookOptions>(services, "Webhooks");
        services
            .AddSingleton<ResolveName>(Dns.GetHostAddressesAsync)
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
            .AddSingleton<SubscriptionServices>()
            .AddRunning<SubscriptionWatch>();
}
