using System.Text.Json.Serialization;
using Resources.Silo;

namespace Resources.Api;

/// <summary>GraphQL: what REST can do, in a schema that is made of the declared types.</summary>
sealed class GraphFeature : Feature
{
    public override Tag[] Tags => [new("graphql", "Query resources with GraphQL.")];

    public override JsonSerializerContext Json => GraphJson.Default;

    public override void Add(IServiceCollection services, Settings settings)
    {
        settings.Add<GraphOptions>(services, "GraphQl");
        services
            .AddSingleton<GraphTelemetry>()
            .AddSingleton<GraphQueries>()
            .AddSingleton<GraphMutations>()
            .AddSingleton<GraphEvents>()
            .AddSingleton<GraphChanges>()
            .AddSingleton<DocumentCache>()
            .AddSingleton<GraphSchemas>()
            .AddSingleton<DocumentReader>()
            .AddSingleton<DocumentVerdicts>()
            .AddSingleton<GraphExecutor>();
    }

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api)
    {
        api.MapGraph();
        var services = root.ServiceProvider;
        if (
            services.GetRequiredService<GraphOptions>().Explorer
            ?? services.GetRequiredService<IHostEnvironment>().IsDevelopment()
        )
            root.MapExplorer();
    }
}
