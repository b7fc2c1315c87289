using System.Text.Json.Serialization;

namespace Resources.Api;

/// <summary>The log as pages and as streams.</summary>
sealed class EventsFeature : Feature
{
    public override Tag[] Tags => [new("events", "Read the event log, in pages or as live streams.")];

    public override JsonSerializerContext Json => EventJson.Default;

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api) => api.MapEvents();
}
