using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.ResponseCompression;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// What stands between the socket and the endpoints: limits of the listener, authentication, and the middleware in
/// order.
/// </summary>
public static class Edge
{
    public const int MaxBodyBytes = 1 << 20;

    const string DefaultUrl = "http://localhost:8080";

    public static void AddEdge(this WebApplicationBuilder builder, ApiSettings settings)
    {
        // Not in a launch profile: that would win over ASPNETCORE_URLS.
        string[] given = ["urls", "http_ports", "https_ports"];
        if (given.All(key => string.IsNullOrEmpty(builder.Configuration[key])))
            builder.WebHost.UseUrls(DefaultUrl);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.Limits.MaxRequestHeaderCount = 100;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        });
        var services = builder.Services;
        services.AddTrustedProxies(settings.Proxies);
        services.AddOrigins(settings.Origins);
        services
            .AddSingleton(settings)
            .AddSingleton(settings.Tokens)
            .AddSingleton(settings.RateLimits)
            .AddSingleton(settings.Shutdown)
            .AddSingleton(settings.Streams)
            .AddSingleton(settings.Overload);
        services
            .AddSingleton<SigningKeys>()
            .AddHostedService(provider => provider.GetRequiredService<SigningKeys>())
            .AddSingleton<ExternalIssuers>()
            .AddSingleton(settings.Identity)
            .AddSingleton<Cursors>()
            .AddSingleton<Tokens>()
            .AddSingleton<Passwords>()
            .AddSingleton<RateLimits>()
            .AddSingleton<Overload>();
        services
            .AddSingleton<SessionTokens>()
            .AddSingleton<SessionCookie>()
            .AddSingleton<SignIn>()
            .AddSingleton<ApiKeyText>()
            .AddSingleton<RoleRights>();
        services
            .AddSingleton(settings.Passwords)
            .AddSingleton(settings.Accounts)
            .AddSingleton(settings.Mail)
            .AddSingleton<Mailer>()
            .AddHostedService(provider => provider.GetRequiredService<Mailer>())
            .AddSingleton<LinkTokens>()
            .AddSingleton<MailTemplates>();
        services
            .AddSingleton<Tickets>()
            .AddSingleton<PasskeyStore>()
            .AddSingleton<Passkeys>()
            .AddSingleton(settings.Passkeys);
        services.AddSingleton<Credentials>().AddHostedService(provider => provider.GetRequiredService<Credentials>());
        services.AddSingleton<Draining>().AddHostedService(provider => provider.GetRequiredService<Draining>());
        services.AddSingleton<StreamAccess>().AddHostedService(provider => provider.GetRequiredService<StreamAccess>());
        services.AddHostedService<Bootstrap>();
        services
            .AddAuthentication(CallerHandler.Name)
            .AddScheme<AuthenticationSchemeOptions, CallerHandler>(CallerHandler.Name, null);
        // Whatever is not open on purpose needs a caller: unknown paths and forgotten endpoints too.
        services
            .AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true;
            compression.Providers.Add<BrotliCompressionProvider>();
            compression.Providers.Add<GzipCompressionProvider>();
            compression.MimeTypes =
            [
                "application/json",
                "application/problem+json",
                "text/html",
                "text/javascript",
                "application/javascript",
                "text/css",
            ];
        });
        services.Configure<HostOptions>(host =>
            host.ShutdownTimeout = TimeSpan.FromSeconds(settings.Shutdown.DrainSeconds + 60)
        );
    }

    public static void UseEdge(this WebApplication app)
    {
        app.UseTrustedProxies();
        app.Use(SecurityHeaders.AddAsync);
        app.Use(app.Services.GetRequiredService<Draining>().CloseConnectionsAsync);
        app.Use(EntityTags.DistinguishEncodingsAsync);
        // Answers with secrets are not compressed: their length would tell of them.
        app.UseWhen(context => !MayCarrySecrets(context.Request.Path), branch => branch.UseResponseCompression());
        app.Use(Problems.HandleAsync);
        app.UseRouting();
        app.UseOrigins();
        app.Use(app.Services.GetRequiredService<Overload>().ShedAsync);
        app.UseAuthentication();
        app.Use(app.Services.GetRequiredService<RateLimits>().LimitAsync);
        app.Use(app.Services.GetRequiredService<SessionCookie>().GuardAsync);
        app.UseAuthorization();
        app.UseWebSockets(
            new() { KeepAliveInterval = TimeSpan.FromSeconds(15), KeepAliveTimeout = TimeSpan.FromSeconds(30) }
        );
    }

    static bool MayCarrySecrets(PathString path) =>
        path.StartsWithSegments(ApiGroup.Path + "/auth")
        || path.StartsWithSegments(ApiGroup.Path + "/me")
        || path.StartsWithSegments(ApiGroup.Path + "/api-keys")
        || path.StartsWithSegments(ApiGroup.Path + "/subscriptions", out var rest) && rest.Value is "" or "/"
        || path.Value!.EndsWith("/secret", StringComparison.Ordinal);
}

/// <summary>All options of the HTTP edge.</summary>
public sealed record ApiSettings(
    TokenOptions Tokens,
    BootstrapOptions Bootstrap,
    RateLimitOptions RateLimits,
    ShutdownOptions Shutdown,
    StreamOptions Streams,
    OverloadOptions Overload,
    ProxyOptions Proxies,
    OriginOptions Origins,
    PasskeyOptions Passkeys,
    IdentityProviderOptions Identity,
    PasswordOptions Passwords,
    AccountOptions Accounts,
    MailOptions Mail,
    string DataDirectory
)
{
    public static ApiSettings Read(Settings settings, NodeSettings node, IHostEnvironment environment)
    {
        settings.Require(
            node.Cluster.Role is not NodeRole.Silo,
            "Cluster:Role: a silo serves no HTTP; run src/Silo for it."
        );
        var accounts = settings.Read<AccountOptions>("Accounts");
        var mail = settings.Read<MailOptions>("Mail");
        settings.Require(
            accounts.Registration is Registration.Closed || mail.Host is not null || environment.IsDevelopment(),
            "Accounts:Registration: invitations and registrations need mail; set Mail:Host."
        );
        var tokens = settings.Read<TokenOptions>("Tokens");
        var identity = settings.Read<IdentityProviderOptions>("Identity");
        settings.Require(
            identity.Issuers.All(issuer => issuer.Issuer != tokens.Issuer),
            "Identity:Issuers: Tokens:Issuer is this server's own name; nobody else may have it."
        );
        return new(
            tokens,
            settings.Read<BootstrapOptions>("Bootstrap"),
            settings.Read<RateLimitOptions>("RateLimits"),
            settings.Read<ShutdownOptions>("Shutdown"),
            settings.Read<StreamOptions>("Streams"),
            settings.Read<OverloadOptions>("Overload"),
            settings.Read<ProxyOptions>("Proxies"),
            settings.Read<OriginOptions>("Origins"),
            settings.Read<PasskeyOptions>("Passkeys"),
            identity,
            settings.Read<PasswordOptions>("Passwords"),
            accounts,
            mail,
            node.Embedded.DataDirectory
        );
    }
}
