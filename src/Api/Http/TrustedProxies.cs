using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.HttpOverrides;
using IPNetwork = System.Net.IPNetwork;

namespace Resources.Api;

/// <summary>Section <c>Proxies</c>.</summary>
public sealed class ProxyOptions : IValidatableObject
{
    /// <summary>
    /// Networks (such as 10.0.0.0/8) of balancers whose word on a client's address and scheme is taken; nobody else's
    /// is.
    /// </summary>
    public string[] Trusted { get; set; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext context) =>
        Trusted
            .Where(network => !IPNetwork.TryParse(network, out _))
            .Select(network => new ValidationResult(
                $"'{network}' is no network such as 10.0.0.0/8.",
                [nameof(Trusted)]
            ));
}

/// <summary>
/// Takes the client's address from <c>X-Forwarded-For</c> and the scheme from <c>X-Forwarded-Proto</c>, from trusted
/// balancers only.
/// </summary>
public static class TrustedProxies
{
    // Afterwards: ASPNETCORE_FORWARDEDHEADERS_ENABLED, which believes whoever connects, has no say.
    public static void AddTrustedProxies(this IServiceCollection services, ProxyOptions proxies) =>
        services
            .AddSingleton(proxies)
            .PostConfigure<ForwardedHeadersOptions>(options =>
            {
                options.ForwardedHeaders = proxies.Trusted is []
                    ? ForwardedHeaders.None
                    : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
                options.KnownProxies.Clear();
                options.KnownIPNetworks.Clear();
                foreach (var network in proxies.Trusted)
                    options.KnownIPNetworks.Add(IPNetwork.Parse(network));
                // A chain of balancers ends at the first address that is not one of them.
                options.ForwardLimit = null;
            });

    public static void UseTrustedProxies(this WebApplication app)
    {
        if (app.Services.GetRequiredService<ProxyOptions>().Trusted is not [])
            app.UseForwardedHeaders();
    }
}
