using Resources.Silo;

namespace Resources.Api;

/// <summary>Mails with links.</summary>
sealed class MailFeature : Feature
{
    public override void Add(IServiceCollection services, Settings settings)
    {
        settings.Add<MailOptions>(services, "Mail");
        services.AddRunning<Mailer>().AddSingleton<LinkTokens>().AddSingleton<MailTemplates>();
    }
}
