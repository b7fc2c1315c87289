using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Types: what resources of a name look like and may do.</summary>
sealed class TypesNodeFeature : NodeFeature
{
    public override void Add(IServiceCollection services, Settings settings) =>
        services
            .AddSingleton<TypeBook>()
            .AddSingleton<TypeActions>()
            .AddRunning<TypeFollower>()
            .AddSingleton<StoredReferences>()
            .AddSingleton<TypeCheck>()
            .AddSingleton<TypeChangeStore>()
            .AddSingleton<TypeTrial>()
            .AddSingleton<TypeKeys>()
            .AddSingleton<TypeDoor>();

    public override void AddToSilo(IServiceCollection services) =>
        services.AddSingleton<TypeMigrationRun>().AddSingleton<TypeChangeRun>().AddHostedService<TypeChangeWorker>();
}
