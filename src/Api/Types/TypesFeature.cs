using System.Text.Json.Serialization;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Types: what resources of a name look like and may do.</summary>
sealed class TypesFeature : Feature
{
    public override Tag[] Tags => [new("types", "Declare what resources of a type look like, and what they may do.")];

    public override JsonSerializerContext Json => TypeJson.Default;

    public override void Add(IServiceCollection services, Settings settings) =>
        services.AddSingleton<TypeDryRun>().AddSingleton<TypeDescription>();

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api)
    {
        api.MapTypes();
        api.MapTypeChecks();
        api.MapTypeDescriptions();
        api.MapKeyed();
        api.MapTypedRoutes();
    }
}
