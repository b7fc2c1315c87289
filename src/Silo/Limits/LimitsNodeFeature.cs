using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>Rate limits that hold for the whole cluster.</summary>
sealed class LimitsNodeFeature : NodeFeature
{
    public override void AddToSilo(IServiceCollection services) => services.AddSingleton<LimitStore>();
}
