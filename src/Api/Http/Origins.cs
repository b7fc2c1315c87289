using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>Section <c>Origins</c>.</summary>
public sealed class OriginOptions : IValidatableObject
{
    /// <summary>
    /// Origins, beside its own, whose pages may use this server; as browsers send them: <c>https://app.example.org</c>.
    /// </summary>
    public string[] Allowed { get; set; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext context) =>
        Allowed
            .Where(origin => !IsOrigin(origin))
            .Select(origin => new ValidationResult(
                $"'{origin}' is no origin such as https://app.example.org.",
                [nameof(Allowed)]
            ));

    static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var page)
        && page.Scheme is "https" or "http"
        && page.Host == page.IdnHost
        && page.GetLeftPart(UriPartial.Authority) == text;
}

/// <summary>
/// Pages of other origins: browsers let those that are named read answers (CORS), open sockets and use the session of
/// their cookie, and no others.
/// </summary>
public static class Origins
{
    /// <param name="readable">The headers of answers that those pages may read.</param>
    public static void AddOrigins(this IServiceCollection services, OriginOptions origins, IEnumerable<string> readable)
    {
        services.AddSingleton(origins);
        services.AddCors(cors =>
            cors.AddDefaultPolicy(policy =>
                policy
                    .WithOrigins(origins.Allowed)
                    .AllowCredentials()
                    .AllowAnyMethod()
                    .AllowAnyHeader()
                    .WithExposedHeaders([.. readable])
                    .SetPreflightMaxAge(TimeSpan.FromMinutes(10))
            )
        );
    }

    /// <summary>
    /// Before anyone is asked who they are: browsers ask in advance without saying it, and pages may read refusals too.
    /// </summary>
    public static void UseOrigins(this WebApplication app)
    {
        if (app.Services.GetRequiredService<OriginOptions>().Allowed is [])
            return;
        app.Use(VaryAsync);
        app.UseCors();
    }

    /// <summary>Whether a browser's page is of this host, or of an origin that is allowed.</summary>
    public static bool Knows(this OriginOptions origins, string origin, HttpRequest request) =>
        origins.Allowed.Contains(origin, StringComparer.OrdinalIgnoreCase)
        // A balancer that is not trusted may have ended TLS unseen; but a page by HTTP is never that of a host by
        // HTTPS.
        || Uri.TryCreate(origin, UriKind.Absolute, out var page)
            && page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)
            && (page.Scheme is "https" || page.Scheme == request.Scheme);

    /// <summary>
    /// Answers to pages that are not allowed, and to no page, are other answers too; the framework marks some only.
    /// </summary>
    static Task VaryAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(
            static state =>
            {
                var headers = ((HttpContext)state).Response.Headers;
                if (!headers.Vary.Contains("Origin"))
                    headers.Append("Vary", "Origin");
                return Task.CompletedTask;
            },
            context
        );
        return next(context);
    }
}
