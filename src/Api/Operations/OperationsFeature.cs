using System.Text.Json.Serialization;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What operators need: probes, metrics, followers, an orderly stop, and the first start.</summary>
sealed class OperationsFeature : Feature
{
    public override Tag[] Tags =>
        [new("operations", "Health probes, followers of the log, and signing keys, for operators.")];

    public override JsonSerializerContext Json => OperationsJson.Default;

    public override void Add(IServiceCollection services, Settings settings)
    {
        var bootstrap = settings.Add<BootstrapOptions>(services, "Bootstrap");
        settings.Ensure(
            bootstrap.AdminPassword is not { Length: >= Passwords.MinLength } password
                || !PasswordRules.IsBlocked(password, bootstrap.AdminEmail),
            "Bootstrap:AdminPassword: is too easy to guess. Use a few unrelated words, or leave it out."
        );
        var shutdown = settings.Add<ShutdownOptions>(services, "Shutdown");
        var drain = shutdown.DrainSeconds ??= settings.IsDevelopment ? 0 : 3;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(drain + 60));
        services.AddRunning<Draining>().AddHostedService<Bootstrap>();
    }

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api)
    {
        root.MapWelcome();
        root.MapHealth();
        root.MapMetrics();
        api.MapFollowers();
        api.MapSigningKeys();
    }
}
