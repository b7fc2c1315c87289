using Resources.Silo;

namespace Resources.Api;

/// <summary>GraphQL: what REST can do, in a schema that is made of the declared types.</summary>
sealed class GraphFeature : Feature
{
    public static readonly ProblemType TooComplex = new("TOO_COMPLEX", 400, "The operation is too complex");

    public static readonly ProblemType NotPersisted = new(
        "PERSISTED_QUERY_NOT_FOUND",
        404,
        "The document is not known by its hash"
    );

    public override Tag[] Tags => [new("graphql", "Query resources with GraphQL.")];

    public override ProblemType[] Problems => [TooComplex, NotPersisted];

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
