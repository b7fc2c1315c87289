using Microsoft.Extensions.DependencyInjection;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>The read models, and the followers of the log that keep them.</summary>
sealed class FollowersNodeFeature : NodeFeature
{
    public override void Add(IServiceCollection services, Settings settings) =>
        services.AddSingleton<Followers>().AddRunning<FollowerMonitor>();

    public override void AddToSilo(IServiceCollection services) => services.AddHostedService<ProjectionHost>();
}
