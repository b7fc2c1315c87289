using System.Text.Json.Serialization;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Access tokens, the keys that sign them, and tokens of other issuers.</summary>
sealed class TokensFeature : Feature
{
    public override JsonSerializerContext Json => TokenJson.Default;

    public override void Add(IServiceCollection services, Settings settings)
    {
        var tokens = settings.Add<TokenOptions>(services, "Tokens");
        var identity = settings.Add<IdentityProviderOptions>(services, "Identity");
        settings.Ensure(
            identity.Issuers.All(issuer => issuer.Issuer != tokens.Issuer),
            "Identity:Issuers: Tokens:Issuer is this server's own name; nobody else may have it."
        );
        services
            .AddRunning<SigningKeys>()
            .AddSingleton<ExternalIssuers>()
            .AddSingleton<Tokens>()
            .AddSingleton<SessionTokens>()
            .AddSingleton<SessionCookie>()
            .AddSingleton<DeviceCookie>();
    }

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api) => root.MapKeySet();
}
