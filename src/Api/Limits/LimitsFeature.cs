using Resources.Silo;

namespace Resources.Api;

/// <summary>Rate limits, and load shedding.</summary>
sealed class LimitsFeature : Feature
{
    public override void Add(IServiceCollection services, Settings settings)
    {
        var limits = settings.Read<RateLimitOptions>("RateLimits");
        services
            .AddSingleton(new RateLimitPolicy(RateLimits.Default, limits.Default))
            .AddSingleton(new RateLimitPolicy(RateLimits.Login, limits.Login, ByCaller: false))
            .AddSingleton(new RateLimitPolicy(RateLimits.LoginPair, limits.LoginPair, ByCaller: false))
            .AddSingleton(new RateLimitPolicy(RateLimits.LoginAccount, limits.LoginAccount, ByCaller: false))
            .AddSingleton(new RateLimitPolicy(RateLimits.Mfa, limits.Mfa))
            .AddSingleton(new RateLimitPolicy(RateLimits.Reset, limits.Reset, ByCaller: false))
            .AddSingleton(new RateLimitPolicy(RateLimits.Streams, limits.Streams))
            .AddSingleton(new RateLimitPolicy(RateLimits.Lookups, limits.Lookups))
            .AddSingleton(new RateLimitPolicy(CreationLimit.Users, limits.Users))
            .AddSingleton(new RateLimitPolicy(CreationLimit.Roles, limits.Roles))
            .AddSingleton(new RateLimitPolicy(CreationLimit.ApiKeys, limits.ApiKeys))
            .AddSingleton(new RateLimitPolicy(CreationLimit.Subscriptions, limits.Subscriptions));
        settings.Add<OverloadOptions>(services, "Overload");
        services
            .AddSingleton<RateLimits>()
            .AddSingleton<Overload>()
            .AddSingleton<WaitsForClient>(Overload.Waits)
            .AddSingleton<Arrivals>()
            .AddSingleton<Connections>()
            .AddSingleton<WaitingSockets>()
            .AddSingleton<DocumentReaders>();
    }
}
