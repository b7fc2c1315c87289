using Microsoft.Extensions.DependencyInjection;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Who may do what, as the log says.</summary>
sealed class AccessNodeFeature : NodeFeature
{
    public override void Add(IServiceCollection services, Settings settings) =>
        services.AddSingleton<AccessLog>().AddSingleton<AuditQueries>().AddRunning<AccessBook>();
}
