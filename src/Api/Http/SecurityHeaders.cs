using Scalar.AspNetCore;

namespace Resources.Api;

/// <summary>Headers that every answer carries, errors and 304 among them.</summary>
public static class SecurityHeaders
{
    const string Nothing = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'";

    // The API reference is one page that brings its own style and asks this server only; its one inline script has a
    // nonce.
    const string Reference =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src "
        + "'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'";

    public static Task AddAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = Nothing;
        if (context.Request.Path.StartsWithSegments("/docs"))
            AllowReference(context);
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["X-Request-Id"] = context.TraceIdentifier;
        if (context.Request.IsHttps)
            headers.StrictTransportSecurity = "max-age=31536000; includeSubDomains";
        return next(context);
    }

    static void AllowReference(HttpContext context) =>
        context.Response.OnStarting(() =>
        {
            var script = context.Items[ScalarOptions.NonceHttpContextItemKey] is { } nonce
                ? $"script-src 'self' 'nonce-{nonce}'"
                : "script-src 'self'";
            context.Response.Headers.ContentSecurityPolicy = Reference.Replace(
                "script-src 'self'",
                script,
                StringComparison.Ordinal
            );
            return Task.CompletedTask;
        });
}
