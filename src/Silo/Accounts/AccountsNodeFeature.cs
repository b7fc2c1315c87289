using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Accounts with their secrets, and sessions.</summary>
sealed class AccountsNodeFeature : NodeFeature
{
    public override void Add(IServiceCollection services, Settings settings)
    {
        var secrets = settings.Read<SecretsOptions>("Secrets");
        var embedded = settings.Read<EmbeddedOptions>("Embedded");
        settings.Ensure(
            secrets.MasterKey is not null || settings.IsDevelopment,
            "Secrets:MasterKey: is required outside Development. Make one with 'openssl rand -base64 32', "
                + "give it to every node as Secrets__MasterKey, and keep it."
        );
        settings.Add<SessionLimits>(services, "Sessions");
        services
            .AddSingleton(_ => MasterKey.Load(secrets, embedded.DataDirectory))
            .AddSingleton<Vault>()
            .AddSingleton<AccountDirectory>()
            .AddSingleton<AccountQueries>()
            .AddSingleton<Accounts>()
            .AddSingleton<UserList>()
            .AddSingleton<SigningKeyStore>();
    }

    public override void AddToSilo(IServiceCollection services) => services.AddSingleton<AccountBelongings>();
}
