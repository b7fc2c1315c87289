using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A session.</summary>
/// <param name="Current">It is the caller's own.</param>
/// <param name="Kind"><c>token</c> or <c>cookie</c>.</param>
/// <param name="Methods">
/// How its owner was known: <c>pwd</c>, <c>otp</c>, <c>rc</c> (recovery code), <c>hwk</c> (passkey).
/// </param>
/// <param name="UsedAt">When it was last refreshed or, by cookie, seen; to a few minutes.</param>
public sealed record SessionDocument(
    Guid Id,
    bool Current,
    string Kind,
    string[] Methods,
    DateTimeOffset StartedAt,
    DateTimeOffset AuthenticatedAt,
    DateTimeOffset UsedAt,
    DateTimeOffset ExpiresAt,
    string? UserAgent
);

/// <summary>Sessions: one's own, and, for administrators, those of others.</summary>
public static class SessionEndpoints
{
    /// <summary>More sessions than this are not shown; the newest come first.</summary>
    const int Most = 200;

    public static void MapSessions(this RouteGroupBuilder api)
    {
        var sessions = api.MapGroup("/sessions").WithTags("sessions");
        sessions
            .MapRead("", ListOwnAsync)
            .RequireSession()
            .WithName("listSessions")
            .WithSummary("List your sessions")
            .WithDescription("Returns active sessions only, newest first.")
            .Answers<Envelope<IReadOnlyList<SessionDocument>>>(200);
        sessions
            .MapDelete("", EndOthersAsync)
            .RequireSession()
            .WithName("endOtherSessions")
            .WithSummary("End your other sessions")
            .Produces(204);
        sessions
            .MapDelete("/{id}", EndAsync)
            .TakesPath(Parameter.Id("id", "The id of the session."))
            .RequireSession()
            .WithName("endSession")
            .WithSummary("End a session")
            .WithDescription("Ending a session of another account requires the permission `session:manage`.")
            .Produces(204)
            .Refuses(404);
        var others = api.MapGroup("/users/{id}/sessions")
            .TakesPath(Parameter.Id("id", "The id of the account."))
            .WithTags("sessions");
        others
            .MapRead("", ListOfAsync)
            .Require(Permissions.SessionRead)
            .WithName("listUserSessions")
            .WithSummary("List an account's sessions")
            .WithDescription("Returns active sessions only, newest first.")
            .Answers<Envelope<IReadOnlyList<SessionDocument>>>(200)
            .Refuses(404);
    }

    static Task ListOwnAsync(
        HttpContext context,
        AccountQueries queries,
        IClusterClient cluster,
        SessionLimits options,
        TimeProvider time
    ) => ListAsync(context, context.Caller().Account, queries, cluster, options, time);

    static async Task ListOfAsync(
        HttpContext context,
        string id,
        AccountQueries queries,
        IClusterClient cluster,
        SessionLimits options,
        TimeProvider time
    )
    {
        if (Ids.TryParse(id, out var account))
            await ListAsync(context, account, queries, cluster, options, time);
        else
            await Problems.RefuseAsync(context, Account.None);
    }

    static async Task ListAsync(
        HttpContext context,
        Guid id,
        AccountQueries queries,
        IClusterClient cluster,
        SessionLimits options,
        TimeProvider time
    )
    {
        if (
            (await ClusterCalls.SendAsync(_ => cluster.GetGrain<IAccountGrain>(id).Get())).Value
            is not { Deleted: false } account
        )
        {
            await Problems.RefuseAsync(context, Account.None);
            return;
        }
        var now = time.GetUtcNow();
        var own = context.Caller().Credential;
        var open = (await queries.SessionsAsync(id, Most, context.RequestAborted)).Where(found =>
            found.Session.IsOpen(now, options.Idle) && account.Allows(found.Id, found.Session.AccountVersion)
        );
        await Responses.OkAsync<IReadOnlyList<SessionDocument>>(
            context,
            [.. open.Select(found => Document(found.Id, found.Session, found.Id == own))],
            SignInJson.Default.EnvelopeIReadOnlyListSessionDocument
        );
    }

    static async Task EndOthersAsync(HttpContext context, IClusterClient cluster)
    {
        var caller = context.Caller();
        var intent = context.Intend();
        await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<IAccountGrain>(caller.Account).Execute(new EndSessions(caller.Credential), sent)
        );
        context.Response.StatusCode = 204;
    }

    static async Task EndAsync(HttpContext context, string id, IClusterClient cluster, RoleRights rights)
    {
        var caller = context.Caller();
        var open = Ids.TryParse(id, out var session)
            ? await ClusterCalls.SendAsync(_ => cluster.GetGrain<ISessionGrain>(session).Find())
            : null;
        if (
            open is null
            || open.Session.Account != caller.Account && !caller.Permissions.Allows(Permissions.SessionManage)
        )
        {
            await Problems.WriteAsync(context, ProblemType.SessionNotFound, "There is no such session, or it is over.");
            return;
        }
        if (open.Session.Account != caller.Account && await rights.RefuseManagingAsync(context, open.Account.Roles))
            return;
        var intent = context.Intend();
        await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<ISessionGrain>(session).Execute(new EndSession("ended"), sent)
        );
        context.Response.StatusCode = 204;
    }

    static SessionDocument Document(Guid id, Session session, bool isCurrent) =>
        new(
            id,
            isCurrent,
            session.Kind,
            session.Methods,
            session.StartedAt,
            session.AuthenticatedAt,
            session.UsedAt,
            session.ExpiresAt,
            session.UserAgent
        );
}
