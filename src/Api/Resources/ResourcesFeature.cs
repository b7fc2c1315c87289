using System.Text.Json.Serialization;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Resources: documents with their whole history, lists of them, and statistics.</summary>
sealed class ResourcesFeature : Feature
{
    public override Tag[] Tags => [new("resources", "Manage resources: JSON documents with a full history.")];

    public override JsonSerializerContext Json => ResourceJson.Default;

    public override void Add(IServiceCollection services, Settings settings) => services.AddSingleton<Cursors>();

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api) => api.MapResources();
}
