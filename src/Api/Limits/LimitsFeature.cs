using Resources.Silo;

namespace Resources.Api;

/// <summary>Rate limits, and load shedding.</summary>
sealed class LimitsFeature : Feature
{
    public override void Add(IServiceCollection services, Settings settings)
    {
        settings.Add<RateLimitOptions>(services, "RateLimits");
        settings.Add<OverloadOptions>(services, "Overload");
        services.AddSingleton<RateLimits>().AddSingleton<Overload>();
    }
}
