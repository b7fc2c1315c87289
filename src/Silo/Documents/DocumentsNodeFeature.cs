using Microsoft.Extensions.DependencyInjection;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>The trusted documents of GraphQL.</summary>
sealed class DocumentsNodeFeature : NodeFeature
{
    public override void Add(IServiceCollection services, Settings settings) =>
        services.AddSingleton<TrustedDocuments>();
}
