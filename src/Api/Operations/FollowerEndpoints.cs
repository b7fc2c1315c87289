using System.Globalization;
using System.Text.Json;
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

/// <summary>The event at which a follower has stopped.</summary>
public sealed record FollowerFaultDocument(string Position, string Detail, DateTimeOffset Since);

/// <summary>A rebuild that is running.</summary>
/// <param name="Stage"><c>filling</c>, <c>indexing</c>, then <c>catching up</c>.</param>
/// <param name="Progress">The fraction of the log that the new generation has applied, from 0 to 1.</param>
public sealed record FollowerRebuildDocument(
    int Generation,
    string Stage,
    string Position,
    double Progress,
    DateTimeOffset RequestedAt,
    string RequestedBy
);

/// <summary>The event to skip, and why.</summary>
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
            .Audits("follower.rebuild_requested")
            .WithSummary("Rebuild a read model")
            .WithDescription("Builds a new copy while the current one keeps serving reads, then switches over.")
            .Answers<Envelope<FollowerDocument>>(202)
            .Refuses(404, 409);
        followers
            .MapPost("/{name}/resume", ResumeAsync)
            .Require(Permissions.FollowerManage)
            .WithName("resumeFollower")
            .Audits("follower.resumed")
            .WithSummary("Resume a stopped follower")
            .WithDescription("Immediately retries the event at which the follower stopped.")
            .Answers<Envelope<FollowerDocument>>(200)
            .Refuses(404, 409);
        followers
            .MapPost("/{name}/skip", SkipAsync)
            .Require(Permissions.FollowerManage)
            .WithName("skipEvent")
            .Audits("follower.event_skipped")
            .WithSummary("Skip an event")
            .WithDescription("Skips the event at which the follower stopped, now and in every rebuild.")
            .TakesBody<SkipRequest>("""{"position":"1042","reason":"written by a build that was withdrawn"}""")
            .Answers<Envelope<FollowerDocument>>(200)
            .Refuses(404, 409, 413, 415);
    }

    static async Task<Answer> ListAsync(HttpContext context, Followers followers) =>
        Answer.Of<IReadOnlyList<FollowerDocument>>([
            .. (await followers.AllAsync(context.RequestAborted)).Select(FollowerDocument.Of),
        ]);

    static async Task<Answer> RebuildAsync(HttpContext context, string name, Followers followers, AuditNotes notes) =>
        await AnswerAsync(
            context,
            name,
            followers,
            await NoteAsync(await followers.RebuildAsync(name, context.CallerId(), context.RequestAborted), () =>
                notes.NoteAsync(context, new FollowerRebuildRequested(name))
            ),
            StatusCodes.Status202Accepted
        );

    static async Task<Answer> ResumeAsync(HttpContext context, string name, Followers followers, AuditNotes notes) =>
        await AnswerAsync(
            context,
            name,
            followers,
            await NoteAsync(await followers.ResumeAsync(name, context.RequestAborted), () =>
                notes.NoteAsync(context, new FollowerResumed(name))
            )
        );

    static Task<Answer> SkipAsync(HttpContext context, string name, Followers followers, AuditNotes notes) =>
        RequestBody.TakeAsync(context, ReadSkip, async asked =>
            await AnswerAsync(
                context,
                name,
                followers,
                await NoteAsync(
                    await followers.SkipAsync(
                        name,
                        asked.Position,
                        asked.Reason,
                        context.CallerId(),
                        context.RequestAborted
                    ),
                    () => notes.NoteAsync(context, new FollowerEventSkipped(name, asked.Position, asked.Reason))
                )
            )
        );

    /// <summary>Notes what was done, and only that.</summary>
    static async Task<FollowerAnswer> NoteAsync(FollowerAnswer answer, Func<Task> note)
    {
        if (answer is FollowerAnswer.Done)
            await note();
        return answer;
    }

    static (long Position, string Reason) ReadSkip(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var text = reader.Text("position", 1, 20);
        var reason = reader.Text("reason", 1, 1000);
        reader.RefuseOthers();
        var position = 0L;
        if (text is not null && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out position))
            faults.Report("/position", "INVALID_POSITION", "The value must be the position in the follower's fault.");
        return (position, reason ?? "");
    }

    static async Task<Answer> AnswerAsync(
        HttpContext context,
        string name,
        Followers followers,
        FollowerAnswer answer,
        int status = StatusCodes.Status200OK
    ) =>
        answer switch
        {
            FollowerAnswer.NoSuchFollower => Answer.Refused(ProblemType.NotFound, "There is no such follower."),
            FollowerAnswer.Busy => Answer.Refused(
                ProblemType.FollowerBusy,
                "A rebuild is already running; the follower shows its progress."
            ),
            FollowerAnswer.NotThere => Answer.Refused(
                ProblemType.FollowerElsewhere,
                "The follower is not stopped at this position."
            ),
            _ => new Answer<FollowerDocument>(
                FollowerDocument.Of(
                    (await followers.AllAsync(context.RequestAborted)).Single(each => each.Name == name)
                )
            )
            {
                Status = status,
            },
        };
}
