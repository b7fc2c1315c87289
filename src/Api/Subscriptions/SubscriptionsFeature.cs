using System.Text.Json.Serialization;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Durable subscriptions to events.</summary>
sealed class SubscriptionsFeature : Feature
{
    public override Tag[] Tags => [new("subscriptions", "Deliver events to webhooks, or to consumers that pull them.")];

    public override JsonSerializerContext Json => SubscriptionJson.Default;

    public override void Add(IServiceCollection services, Settings settings) =>
        services.AddSingleton<NamedSubscriptions>();

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api) => api.MapSubscriptions();
}
