using System.Text.Json;
using Resources.Grains;

namespace Resources.Api;

/// <summary>What a probe sees: a status, and the parts that are not ready.</summary>
public sealed record HealthDocument(string Status, string[] Waiting);

/// <summary>Probes. Live: the process runs. Ready: it can serve, with its database and as a member of the cluster.</summary>
public static class Health
{
    public static void MapHealth(this WebApplication app)
    {
        var health = app.MapGroup("/health").AllowAnonymous().WithMetadata(new Unlimited()).WithTags("operations");
        health.MapRead("/live", (HttpContext context) => WriteAsync(context, [])).WithName("live").WithSummary("Whether the process runs").Answers<HealthDocument>(200);
        health.MapRead("/ready", (HttpContext context, StoreContact contact, Draining draining) => WriteAsync(context, Waiting(contact, draining)))
            .WithName("ready").WithSummary("Whether this node can serve").Answers<HealthDocument>(200).Answers<HealthDocument>(503);
    }

    static string[] Waiting(StoreContact contact, Draining draining) =>
        [.. new[] { contact.IsAvailable ? null : "database", contact.MemoryIsTrusted ? null : "cluster", draining.IsDraining ? "stopping" : null }.OfType<string>()];

    static Task WriteAsync(HttpContext context, string[] waiting)
    {
        context.Response.StatusCode = waiting is [] ? 200 : 503;
        context.Response.Headers.CacheControl = "no-store";
        if (waiting is not []) context.Response.Headers.RetryAfter = "1";
        return Answers.WriteAsync(context, new HealthDocument(waiting is [] ? "ok" : "unavailable", waiting), WireJson.Default.HealthDocument, "application/json");
    }
}
