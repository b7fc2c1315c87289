using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Authentication;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Who may do what: credentials, roles, API keys, explanations and the audit.</summary>
sealed class AccessFeature : Feature
{
    public override Tag[] Tags =>
        [
            new("api-keys", "Manage API keys for programs."),
            new("roles", "Manage roles and explain access."),
            new("audit", "Read who did what, and when."),
        ];

    public override JsonSerializerContext Json => AccessJson.Default;

    public override void Add(IServiceCollection services, Settings settings)
    {
        services
            .AddAuthentication(CallerHandler.Name)
            .AddScheme<AuthenticationSchemeOptions, CallerHandler>(CallerHandler.Name, null);
        settings.Add<AuditOptions>(services, "Audit");
        services
            .AddRunning<Credentials>()
            .AddRunning<RefusalNotes>()
            .AddSingleton<ApiKeyText>()
            .AddSingleton<AuditNotes>()
            .AddSingleton<RoleRights>();
    }

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api)
    {
        api.MapApiKeys();
        api.MapRoles();
        api.MapExplain();
        api.MapAudit();
    }
}
