using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Authentication;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Who may do what: credentials, roles, API keys, explanations and the audit.</summary>
sealed class AccessFeature : Feature
{
    public override Tag[] Tags =>
        [
            new("api-keys", "Keys for programs."),
            new("roles", "Roles with their permissions, and why somebody may do something."),
            new("audit", "Who did what, and when."),
        ];

    public override JsonSerializerContext Json => AccessJson.Default;

    public override void Add(IServiceCollection services, Settings settings)
    {
        services
            .AddAuthentication(CallerHandler.Name)
            .AddScheme<AuthenticationSchemeOptions, CallerHandler>(CallerHandler.Name, null);
        services.AddRunning<Credentials>().AddSingleton<ApiKeyText>().AddSingleton<RoleRights>();
    }

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api)
    {
        api.MapApiKeys();
        api.MapRoles();
        api.MapExplain();
        api.MapAudit();
    }
}
