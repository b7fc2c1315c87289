using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A probe's answer: a status, and the parts that are not ready.</summary>
public sealed record HealthDocument(string Status, string[] Waiting);

/// <summary>The node with the followers of the log, for people and monitors.</summary>
/// <param name="Status">
/// <c>ok</c>; <c>degraded</c> while a follower has stopped or no node runs it; <c>unavailable</c> while this node
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
/// A follower's position, lag and fault. Only operators see why it has stopped: <c>GET /api/v1/admin/followers</c>.
/// </summary>
/// <param name="FaultAt">The position of the event at which it has stopped.</param>
public sealed record FollowerHealth(
    string Name,
    string State,
    string Position,
    long Lag,
    double LagSeconds,
    string? FaultAt
)
{
    public static FollowerHealth Of(FollowerDocument follower) =>
        new(
            follower.Name,
            follower.State,
            follower.Position,
            follower.Lag,
            follower.LagSeconds,
            follower.Fault?.Position
        );
}

/// <summary>This node's tail of the log, from which its streams are served.</summary>
/// <param name="State">
/// <c>running</c>; <c>idle</c> while no stream follows the log here; <c>stopped</c> while it cannot be read.
/// </param>
/// <param name="Lag">Positions between it and the log's head of a second ago.</param>
public sealed record TailHealth(string State, string Position, long Lag, int Streams);

/// <summary>How far this node has read the changes of roles, sessions and keys.</summary>
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
            .MapRead("", Report)
            .WithName("health")
            .WithSummary("Get the node's health")
            .WithDescription("Includes the followers of the log.")
            .Answers<HealthReport>(200)
            .Answers<HealthReport>(503);
        health
            .MapRead("/live", () => Status([]))
            .WithName("live")
            .WithSummary("Check liveness")
            .WithDescription("Succeeds while the process runs.")
            .Answers<HealthDocument>(200);
        health
            .MapRead("/ready", (StoreContact contact, Draining draining, AccessBook access) =>
                Status(Waiting(contact, draining, access))
            )
            .WithName("ready")
            .WithSummary("Check readiness")
            .WithDescription("Succeeds while the node can serve requests.")
            .Answers<HealthDocument>(200)
            .Answers<HealthDocument>(503);
    }

    static Answer Report(
        StoreContact contact,
        Draining draining,
        FollowerMonitor monitor,
        LogTail tail,
        AccessBook access,
        StreamAccess streams
    )
    {
        var waiting = Waiting(contact, draining, access);
        var followers = monitor.Latest;
        var isWell =
            tail.Fault is null
            && access.Fault is null
            && followers.All(follower => follower is { Fault: null, Owned: true });
        var reached = tail.Position;
        var known = access.Position;
        var head = followers.Select(follower => follower.Head).DefaultIfEmpty(0).Max();
        return Bare(
            new HealthReport(
                waiting is not [] ? "unavailable"
                    : isWell ? "ok"
                    : "degraded",
                waiting,
                [.. followers.Select(FollowerDocument.Of).Select(FollowerHealth.Of)],
                new(
                    tail.Fault is not null ? "stopped"
                        : tail.IsIdle ? "idle"
                        : "running",
                    Responses.Text(reached),
                    tail.IsIdle ? 0 : Math.Max(0, head - reached),
                    streams.Count
                ),
                new(access.Fault is null ? "running" : "stopped", Responses.Text(known), Math.Max(0, head - known))
            ),
            waiting
        );
    }

    static Answer Status(string[] waiting) =>
        Bare(new HealthDocument(waiting is [] ? "ok" : "unavailable", waiting), waiting);

    static BareAnswer<T> Bare<T>(T document, string[] waiting) =>
        waiting is []
            ? new(document) { Headers = [("Cache-Control", "no-store")] }
            : new(document)
            {
                Status = StatusCodes.Status503ServiceUnavailable,
                Headers = [("Cache-Control", "no-store"), ("Retry-After", "1")],
            };

    static string[] Waiting(StoreContact contact, Draining draining, AccessBook access) =>
        [
            .. new[]
            {
                contact.IsAvailable ? null : "database",
                contact.IsMember ? null : "cluster",
                access.IsCurrent ? null : "access",
                draining.IsDraining ? "stopping" : null,
            }.OfType<string>(),
        ];
}
