using System.Globalization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A follower of the log, as operators see it.</summary>
/// <param name="State">
/// <c>running</c>, <c>stopped</c> at the event that <c>fault</c> names, or <c>waiting</c> for a node to run it.
/// </param>
/// <param name="Lag">Positions between the follower and the log's head.</param>
/// <param name="LagSeconds">Age of the oldest event that it has not applied.</param>
public sealed record FollowerDocument(
    string Name,
    string State,
    string? Node,
    int Generation,
    string Position,
    string Head,
    long Lag,
    double LagSeconds,
    FollowerFaultDocument? Fault,
    FollowerRebuildDocument? Rebuild,
    DateTimeOffset? RebuiltAt,
    string? RebuildFault
)
{
    public static FollowerDocument Of(Follower follower) =>
        new(
            follower.Name,
            StateOf(follower),
            follower.Owned ? follower.Node : null,
            follower.Generation,
            Text(follower.Position),
            Text(follower.Head),
            follower.Lag,
            Math.Round(follower.LagSeconds, 3),
            follower.Fault is { } fault ? new(Text(fault.Position), fault.Detail, fault.Since) : null,
            follower.Rebuild is { } rebuild
                ? new(
                    rebuild.Generation,
                    rebuild.Stage,
                    Text(rebuild.Position),
                    follower.Head == 0 ? 1 : Math.Round(Math.Min(1, (double)rebuild.Position / follower.Head), 4),
                    rebuild.RequestedAt,
                    rebuild.RequestedBy
                )
                : null,
            follower.RebuiltAt,
            follower.RebuildFault
        );

    public static string StateOf(Follower follower) =>
        follower.Fault is not null ? "stopped"
        : follower.Owned ? "running"
        : "waiting";

    static string Text(long position) => position.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The event at which a follower stands still.</summary>
public sealed record FollowerFaultDocument(string Position, string Detail, DateTimeOffset Since);

/// <summary>A rebuild under way.</summary>
/// <param name="Stage"><c>filling</c>, <c>indexing</c>, then <c>catching up</c>.</param>
/// <param name="Progress">The part of the log that the new generation has, from 0 to 1.</param>
public sealed record FollowerRebuildDocument(
    int Generation,
    string Stage,
    string Position,
    double Progress,
    DateTimeOffset RequestedAt,
    string RequestedBy
);

/// <summary>Which event to leave out, and why.</summary>
public sealed record SkipRequest(string Position, string Reason);

/// <summary>Followers of the log, for operators.</summary>
public static class FollowerEndpoints
{
    public static void MapFollowers(this RouteGroupBuilder api)
    {
        var followers = api.MapGroup("/admin/followers")
            .WithTags("operations")
            .TakesPath(Parameter.Text("name", "The name of the follower.", ResourceViewProjection.FollowerName, 64));
        followers
            .MapRead("", ListAsync)
            .Require(Permissions.FollowerRead)
            .WithName("listFollowers")
            .WithSummary("List followers")
            .WithDescription("Followers build read models from the log. Shows the position, lag and fault of each.")
            .Answers<Envelope<IReadOnlyList<FollowerDocument>>>(200);
        followers
            .MapPost("/{name}/rebuild", RebuildAsync)
            .Require(Permissions.FollowerManage)
            .WithName("rebuildFollower")
            .WithSummary("Rebuild a read model")
            .WithDescription("Builds a new copy while the current one keeps serving reads, then switches over.")
            .Answers<Envelope<FollowerDocument>>(202)
            .Refuses(404, 409);
        followers
            .MapPost("/{name}/resume", ResumeAsync)
            .Require(Permissions.FollowerManage)
            .WithName("resumeFollower")
            .WithSummary("Resume a stopped follower")
            .WithDescription("Immediately retries the event at which the follower stopped.")
            .Answers<Envelope<FollowerDocument>>(200)
            .Refuses(404, 409);
        followers
            .MapPost("/{name}/skip", SkipAsync)
            .Require(Permissions.FollowerManage)
            .WithName("skipEvent")
            .WithSummary("Skip an event")
            .WithDescription("Skips the event at which the follower stopped, now and in every rebuild.")
            .TakesBody<SkipRequest>("""{"position":"1042","reason":"written by a build that was withdrawn"}""")
            .Answers<Envelope<FollowerDocument>>(200)
            .Refuses(404, 409, 413, 415);
    }

    static async Task ListAsync(HttpContext context, Followers followers) =>
        await Responses.OkAsync<IReadOnlyList<FollowerDocument>>(
            context,
            [.. (await followers.AllAsync(context.RequestAborted)).Select(FollowerDocument.Of)],
            OperationsJson.Default.EnvelopeIReadOnlyListFollowerDocument
        );

    static async Task RebuildAsync(HttpContext context, string name, Followers followers) =>
        await AnswerAsync(
            context,
            name,
            followers,
            await followers.RebuildAsync(name, context.CallerId(), context.RequestAborted),
            202
        );

    static async Task ResumeAsync(HttpContext context, string name, Followers followers) =>
        await AnswerAsync(context, name, followers, await followers.ResumeAsync(name, context.RequestAborted), 200);

    static async Task SkipAsync(HttpContext context, string name, Followers followers)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, "application/json");
        if (body is null)
        {
            await RequestBody.RefuseMediaTypeAsync(context, "application/json");
            return;
        }
        var position = 0L;
        var reason = "";
        if (body.Document is { } document)
        {
            var reader = new ObjectReader(document.RootElement, faults);
            var text = reader.Text("position", 1, 20);
            reason = reader.Text("reason", 1, 1000);
            reader.RefuseOthers();
            if (text is not null && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out position))
                faults.Add(
                    new("/position", "INVALID_POSITION", "The position is the one that the follower's fault shows.")
                );
        }
        if (faults is not [])
        {
            await Problems.InvalidAsync(context, faults);
            return;
        }
        await AnswerAsync(
            context,
            name,
            followers,
            await followers.SkipAsync(name, position, reason!, context.CallerId(), context.RequestAborted),
            200
        );
    }

    static async Task AnswerAsync(
        HttpContext context,
        string name,
        Followers followers,
        FollowerAnswer answer,
        int status
    )
    {
        switch (answer)
        {
            case FollowerAnswer.NoSuchFollower:
                await Problems.WriteAsync(context, ProblemType.NotFound, "There is no such follower.");
                return;
            case FollowerAnswer.Busy:
                await Problems.WriteAsync(
                    context,
                    ProblemType.FollowerBusy,
                    "A rebuild is under way; its progress is shown with the follower."
                );
                return;
            case FollowerAnswer.NotThere:
                await Problems.WriteAsync(
                    context,
                    ProblemType.FollowerElsewhere,
                    "The follower does not stand still at this position."
                );
                return;
        }
        var follower = (await followers.AllAsync(context.RequestAborted)).Single(each => each.Name == name);
        await Responses.OkAsync(
            context,
            FollowerDocument.Of(follower),
            OperationsJson.Default.EnvelopeFollowerDocument,
            status: status
        );
    }
}
