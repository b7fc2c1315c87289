using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// What stands between the socket and the endpoints: limits of the listener, authentication, and the middleware in
/// order.
/// </summary>
public static class Pipeline
{
    public const int MaxBodyBytes = 1 << 20;

    const string DefaultUrl = "http://localhost:8080";

    public static void AddPipeline(this WebApplicationBuilder builder, Settings settings)
    {
        // Not in a launch profile: that would win over ASPNETCORE_URLS.
        string[] given = ["urls", "http_ports", "https_ports"];
        if (given.All(key => string.IsNullOrEmpty(builder.Configuration[key])))
            builder.WebHost.UseUrls(DefaultUrl);
        var overload = settings.Read<OverloadOptions>("Overload");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // HTTP/2 lets one connection do the work of many. Balancers that speak it do so with their clients.
            kestrel.ConfigureEndpointDefaults(endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1;
                endpoint.Use(endpoint.ApplicationServices.GetRequiredService<Connections>().Bound);
            });
            var limits = kestrel.Limits;
            limits.MaxRequestBodySize = MaxBodyBytes;
            RequestBounds.Set(limits);
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            limits.MinRequestBodyDataRate = limits.MinResponseDataRate = new(
                overload.MinRate,
                TimeSpan.FromSeconds(overload.GraceSeconds)
            );
        });
        var services = builder.Services;
        services.AddTrustedProxies(settings.Read<ProxyOptions>("Proxies"));
        services.AddOrigins(settings.Read<OriginOptions>("Origins"), AnswerHeaders.All.Select(header => header.Name));
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
    }

    /// <summary>
    /// Checks that nobody else listens at the URLs of the configuration. Ports and endpoints that are given otherwise are
    /// left to the listener.
    /// </summary>
    /// <param name="isDevelopment">Whether the developer's certificate may serve HTTPS.</param>
    /// <exception cref="ConfigurationException">An address is in use, or none at which the node could listen.</exception>
    public static void EnsureFree(IConfiguration configuration, bool isDevelopment)
    {
        if (configuration["urls"] is not { } urls || configuration.GetSection("Kestrel:Endpoints").Exists())
            return;
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var address = Parse(url);
            if (
                address.Scheme is "https"
                && !isDevelopment
                && !configuration.GetSection("Kestrel:Certificates:Default").Exists()
            )
                throw new ConfigurationException(
                    $"{url} needs a certificate. Set Kestrel__Certificates__Default__Path, or end TLS at a proxy."
                );
            if (address.IsUnixPipe || address.Port is 0)
                continue;
            try
            {
                using var listener = new TcpListener(
                    IPAddress.TryParse(address.Host, out var ip) ? ip
                        : address.Host is "localhost" ? IPAddress.Loopback
                        : IPAddress.Any,
                    address.Port
                );
                listener.Start();
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse)
            {
                throw new ConfigurationException(
                    $"Another program listens at {url}. Set ASPNETCORE_URLS to another address."
                );
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AccessDenied)
            {
                throw new ConfigurationException(
                    $"This account may not listen at {url}. Set ASPNETCORE_URLS to another address."
                );
            }
        }
    }

    static BindingAddress Parse(string url)
    {
        try
        {
            return BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            throw new ConfigurationException(
                $"ASPNETCORE_URLS: '{url}' is not an address such as http://localhost:8080."
            );
        }
    }

    public static void UsePipeline(this WebApplication app)
    {
        app.UseTrustedProxies();
        app.UseRequestLog();
        app.Use(SecurityHeaders.AddAsync);
        app.Use(app.Services.GetRequiredService<Draining>().CloseConnectionsAsync);
        app.Use(EntityTags.DistinguishEncodingsAsync);
        app.UseRouting();
        app.Use(StrictPaths.KeepAsync);
        // Answers with secrets are not compressed: their length would reveal them.
        app.UseWhen(
            context => context.GetEndpoint()?.Metadata.GetMetadata<CarriesSecrets>() is null,
            branch => branch.UseResponseCompression()
        );
        app.Use(app.Services.GetRequiredService<RefusalNotes>().WatchAsync);
        app.Use(Problems.HandleAsync);
        app.UseOrigins();
        app.Use(app.Services.GetRequiredService<Overload>().ShedAsync);
        app.UseAuthentication();
        app.Use(app.Services.GetRequiredService<RateLimits>().LimitAsync);
        app.Use(RequestBounds.RefuseAsync);
        app.Use(app.Services.GetRequiredService<SessionCookie>().GuardAsync);
        app.UseOpenAddresses();
        app.UseAuthorization();
        app.Use(app.Services.GetRequiredService<Arrivals>().WatchAsync);
        app.UseWebSockets(
            new() { KeepAliveInterval = TimeSpan.FromSeconds(15), KeepAliveTimeout = TimeSpan.FromSeconds(30) }
        );
    }
}
