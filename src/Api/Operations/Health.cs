using System.Globalization;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What a probe sees: a status, and the parts that are not ready.</summary>
public sealed record HealthDocument(string Status, string[] Waiting);

/// <summary>The node with the followers of the log, for people and monitors.</summary>
/// <param name="Status">
/// <c>ok</c>; <c>degraded</c> while a follower stands still or nobody runs it; <c>unavailable</c> while this node
/// cannot serve.
/// </param>
public sealed record HealthReport(
    string Status,
    string[] Waiting,
    IReadOnlyList<FollowerHealth> Followers,
    TailHealth Tail,
    AccessHealth Access
);

/// <summary>
/// A follower's position, lag and fault. Why it stands still is for operators: <c>GET /api/v1/admin/followers</c>.
/// </summary>
/// <param name="FaultAt">The position of the event at which it stands still.</param>
public sealed record FollowerHealth(
    string Name,
    string State,
    string Position,
    long Lag,
    double LagSeconds,
    string? FaultAt
);

/// <summary>This node's tail of the log, from which its streams are served.</summary>
/// <param name="State">
/// <c>running</c>; <c>idle</c> while nobody follows the log here; <c>stopped</c> while it cannot be read.
/// </param>
/// <param name="Lag">Positions between it and the log's head of a second ago.</param>
public sealed record TailHealth(string State, string Position, long Lag, int Streams);

/// <summary>What this node knows of roles, sessions and keys: where in the log that is.</summary>
/// <param name="State"><c>running</c>, or <c>stopped</c> while the log cannot be read.</param>
/// <param name="Lag">Positions between it and the log's head of a second ago.</param>
public sealed record AccessHealth(string State, string Position, long Lag);

/// <summary>
/// Probes. Live: the process runs. Ready: it can serve, with its database and as a member of the cluster.
/// </summary>
public static class Health
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        var health = app.MapGroup("/health").AllowAnonymous().WithMetadata(new Unlimited()).WithTags("operations");
        health
            .MapRead("", ReportAsync)
            .WithName("health")
            .WithSummary("Get the node's health")
            .WithDescription("Includes the followers of the log.")
            .Answers<HealthReport>(200)
            .Answers<HealthReport>(503);
        health
            .MapRead("/live", (HttpContext context) => WriteAsync(context, []))
            .WithName("live")
            .WithSummary("Check liveness")
            .WithDescription("Succeeds while the process runs.")
            .Answers<HealthDocument>(200);
        health
            .MapRead("/ready", (HttpContext context, StoreContact contact, Draining draining) =>
                WriteAsync(context, Waiting(contact, draining))
            )
            .WithName("ready")
            .WithSummary("Check readiness")
            .WithDescription("Succeeds while the node can serve requests.")
            .Answers<HealthDocument>(200)
            .Answers<HealthDocument>(503);
    }

    static Task ReportAsync(
        HttpContext context,
        StoreContact contact,
        Draining draining,
        FollowerMonitor monitor,
        LogTail tail,
        AccessBook access,
        StreamAccess streams
    )
    {
        var waiting = Waiting(contact, draining);
        var followers = monitor.Latest;
        var reached = tail.Position;
        var known = access.Position;
        var isWell =
            tail.Fault is null
            && access.Fault is null
            && followers.All(follower => follower is { Fault: null, Owned: true });
        var head = followers.Select(follower => follower.Head).DefaultIfEmpty(0).Max();
        context.Response.StatusCode = waiting is [] ? 200 : 503;
        context.Response.Headers.CacheControl = "no-store";
        if (waiting is not [])
            context.Response.Headers.RetryAfter = "1";
        return Responses.WriteAsync(
            context,
            new HealthReport(
                waiting is not [] ? "unavailable"
                    : isWell ? "ok"
                    : "degraded",
                waiting,
                [
                    .. followers
                        .Select(FollowerDocument.Of)
                        .Select(each => new FollowerHealth(
                            each.Name,
                            each.State,
                            each.Position,
                            each.Lag,
                            each.LagSeconds,
                            each.Fault?.Position
                        )),
                ],
                new(
                    tail.Fault is not null ? "stopped"
                        : tail.IsIdle ? "idle"
                        : "running",
                    reached.ToString(CultureInfo.InvariantCulture),
                    tail.IsIdle ? 0 : Math.Max(0, head - reached),
                    streams.Count
                ),
                new(
                    access.Fault is null ? "running" : "stopped",
                    known.ToString(CultureInfo.InvariantCulture),
                    Math.Max(0, head - known)
                )
            ),
            OperationsJson.Default.HealthReport,
            "application/json"
        );
    }

    static string[] Waiting(StoreContact contact, Draining draining) =>
        [
            .. new[]
            {
                contact.IsAvailable ? null : "database",
                contact.IsMember ? null : "cluster",
                draining.IsDraining ? "stopping" : null,
            }.OfType<string>(),
        ];

    static Task WriteAsync(HttpContext context, string[] waiting)
    {
        context.Response.StatusCode = waiting is [] ? 200 : 503;
        context.Response.Headers.CacheControl = "no-store";
        if (waiting is not [])
            context.Response.Headers.RetryAfter = "1";
        return Responses.WriteAsync(
            context,
            new HealthDocument(waiting is [] ? "ok" : "unavailable", waiting),
            OperationsJson.Default.HealthDocument,
            "application/json"
        );
    }
}
