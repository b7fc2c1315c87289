using System.Text.Json.Serialization;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Sign-in by password, second factor and passkey; sessions by token and by cookie.</summary>
sealed class SignInFeature : Feature
{
    public override Tag[] Tags =>
        [
            new("auth", "Sign in and out, refresh tokens, register and recover accounts."),
            new("sessions", "List and end sessions."),
            new("mfa", "Manage second factors and passkeys."),
        ];

    public override JsonSerializerContext Json => SignInJson.Default;

    public override void Add(IServiceCollection services, Settings settings)
    {
        settings.Add<PasskeyOptions>(services, "Passkeys");
        services.AddSingleton<SignIn>().AddSingleton<Tickets>().AddSingleton<PasskeyStore>().AddSingleton<Passkeys>();
    }

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api)
    {
        api.MapAuth();
        api.MapMfa();
        api.MapPasskeys();
        api.MapSessions();
    }
}
