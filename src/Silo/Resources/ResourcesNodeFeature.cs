using Microsoft.Extensions.DependencyInjection;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Resources: lists and statistics.</summary>
sealed class ResourcesNodeFeature : NodeFeature
{
    public override void Add(IServiceCollection services, Settings settings) =>
        services.AddSingleton<ResourceQueries>().AddSingleton<StatisticsQueries>();
}
