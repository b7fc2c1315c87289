using Resources.Silo;

namespace Resources.Api;

/// <summary>The log as pages and as streams.</summary>
sealed class EventsFeature : Feature
{
    public override Tag[] Tags => [new("events", "Read the event log, in pages or as live streams.")];

    public override void Add(IServiceCollection services, Settings settings)
    {
        settings.Add<StreamOptions>(services, "Streams");
        services.AddRunning<StreamAccess>();
    }

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api) => api.MapEvents();
}
