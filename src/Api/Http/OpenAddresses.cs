using Microsoft.AspNetCore.Authorization;

namespace Resources.Api;

/// <summary>
/// Addresses that need no caller. There, a wrong method is told as such, and not as a missing credential; and no browser is
/// asked for one in a preflight, as it never sends any.
/// </summary>
public static class OpenAddresses
{
    /// <summary>What the router calls the endpoint that it makes for methods that nobody has.</summary>
    const string WrongMethod = "405 HTTP Method Not Supported";

    public static void UseOpenAddresses(this WebApplication app)
    {
        var open = new Lazy<HashSet<string>>(() =>
            app
                .Services.GetRequiredService<EndpointDataSource>()
                .Endpoints.OfType<RouteEndpoint>()
                .Where(endpoint => endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
                .Where(endpoint => endpoint.RoutePattern.Parameters.Count is 0)
                .Select(endpoint => "/" + endpoint.RoutePattern.RawText!.Trim('/'))
                .ToHashSet(StringComparer.Ordinal)
        );
        app.Use(
            (context, next) =>
            {
                if (IsPreflight(context.Request))
                {
                    // Without a header that allows anything: pages of other origins may not read this server.
                    context.Response.StatusCode = StatusCodes.Status204NoContent;
                    context.Response.Headers.CacheControl = "no-store";
                    return Task.CompletedTask;
                }
                if (context.GetEndpoint() is not { DisplayName: WrongMethod, RequestDelegate: { } refuse })
                    return next(context);
                return open.Value.Contains(context.Request.Path.Value!) ? refuse(context) : next(context);
            }
        );
    }

    static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.AccessControlRequestMethod.Count > 0;
}
