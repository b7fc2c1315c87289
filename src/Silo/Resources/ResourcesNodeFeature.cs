using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Resources: the door to them, lists and statistics.</summary>
sealed class ResourcesNodeFeature : NodeFeature
{
    public override void Add(IServiceCollection services, Settings settings)
    {
        settings.Add<StreamOptions>(services, "Streams");
        var reads = settings.Read<ReadOptions>("Reads");
        var database = settings.Read<DatabaseOptions>("Database");
        services
            .AddSingleton(provider => new ReadMemory(reads.MaxBytes, provider.GetRequiredService<TimeProvider>()))
            .AddSingleton(provider => new ReadTurns(database, provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<ResourceQueries>()
            .AddSingleton<StatisticsQueries>()
            .AddSingleton<AggregateQueries>()
            .AddSingleton<EarlierNodes>()
            .AddSingleton<ResourceGrains>()
            .AddSingleton<StopSignal>()
            .AddRunning<StreamAccess>()
            .AddSingleton<ResourceDoor>();
    }

    public override void AddToSilo(IServiceCollection services) =>
        services.AddSingleton(provider => ModelOf(provider.GetRequiredService<TypeBook>()));

    /// <summary>The resource views, with indexes of what the types declare.</summary>
    static ReadModel ModelOf(TypeBook types)
    {
        var declared = new DeclaredMembers(types);
        return ResourceViewProjection.Model with
        {
            NextWork = projection => ResourceViewProjection.NextWork(projection, declared.Now),
        };
    }
}
