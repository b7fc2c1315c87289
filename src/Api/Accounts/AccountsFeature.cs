using System.Text.Json.Serialization;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The caller's account, account management, registration and recovery.</summary>
sealed class AccountsFeature : Feature
{
    public override Tag[] Tags => [new("users", "Manage accounts, for administrators.")];

    public override JsonSerializerContext Json => AccountJson.Default;

    public override void Add(IServiceCollection services, Settings settings)
    {
        settings.Add<PasswordOptions>(services, "Passwords");
        var accounts = settings.Add<AccountOptions>(services, "Accounts");
        settings.Ensure(
            accounts.Registration is Registration.Closed
                || settings.Read<MailOptions>("Mail").Host is not null
                || settings.IsDevelopment,
            "Accounts:Registration: invitations and registrations need mail; set Mail:Host."
        );
        services.AddSingleton<Passwords>().AddSingleton<PasswordGuard>();
    }

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api)
    {
        api.MapAccounts();
        api.MapRecovery();
    }
}
