using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A session.</summary>
/// <param name="Current">Whether it is the session of this request.</param>
/// <param name="Kind"><c>token</c> or <c>cookie</c>.</param>
/// <param name="Methods">
/// How its owner authenticated: <c>pwd</c>, <c>otp</c>, <c>rc</c> (recovery code), <c>hwk</c> (passkey).
/// </param>
/// <param name="UsedAt">When it was last refreshed or, with a cookie, used; accurate to a few minutes.</param>
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

/// <summary>The caller's sessions and, for administrators, those of other accounts.</summary>
public static class SessionEndpoints
{
    /// <summary>Lists return at most this many sessions, the newest first.</summary>
    const int MaxSessions = 200;

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
            .Carries(AnswerHeaders.SetCookie)
            .Audits("account.sessions_ended")
            .WithSummary("End your other sessions")
            .Produces(204);
        sessions
            .MapDelete("/{id}", EndAsync)
            .TakesPath(Parameter.Id("id", "The id of the session."))
            .RequireSession()
            .WithName("endSession")
            .Audits("session.ended")
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

    static Task<Answer> ListOwnAsync(
        HttpContext context,
        AccountQueries queries,
        IClusterClient cluster,
        SessionLimits options,
        TimeProvider time
    ) => ListAsync(context, context.Caller().Account, queries, cluster, options, time);

    static async Task<Answer> ListOfAsync(
        HttpContext context,
        string id,
        AccountQueries queries,
        IClusterClient cluster,
        SessionLimits options,
        TimeProvider time
    ) =>
        Ids.TryParse(id, out var account)
            ? await ListAsync(context, account, queries, cluster, options, time)
            : Account.None;

    static async Task<Answer> ListAsync(
        HttpContext context,
        Guid id,
        AccountQueries queries,
        IClusterClient cluster,
        SessionLimits options,
        TimeProvider time
    )
    {
        if (
            (await ClusterCalls.ReadAsync(() => cluster.GetGrain<IAccountGrain>(id).Get())).Value
            is not { Deleted: false } account
        )
            return Account.None;
        var now = time.GetUtcNow();
        var own = context.Caller().Credential;
        var open = (await queries.SessionsAsync(id, MaxSessions, context.RequestAborted)).Where(found =>
            found.Session.IsOpen(now, options.Idle) && account.Allows(found.Id, found.Session.AccountVersion)
        );
        return new Answer<IReadOnlyList<SessionDocument>>([
            .. open.Select(found => Document(found.Id, found.Session, found.Id == own)),
        ]);
    }

    static async Task<Answer> EndOthersAsync(HttpContext context, IClusterClient cluster, DeviceCookie devices)
    {
        var caller = context.Caller();
        var ended = await OwnAccount.ExecuteAsync(context, cluster, new EndSessions(caller.Credential));
        // Other browsers are forgotten too.
        if (ended.Value is { } account)
            devices.Set(context, caller.Account, account);
        return Answer.Empty();
    }

    static async Task<Answer> EndAsync(HttpContext context, string id, IClusterClient cluster, RoleRights rights)
    {
        var caller = context.Caller();
        var open = Ids.TryParse(id, out var session)
            ? await ClusterCalls.ReadAsync(() => cluster.GetGrain<ISessionGrain>(session).Find())
            : null;
        var isOwn = open?.Session.Account == caller.Account;
        if (open is null || !isOwn && !caller.Permissions.Allows(Permissions.SessionManage))
            return Answer.Refused(ProblemType.SessionNotFound, "There is no such session, or it has ended.");
        if (!isOwn && await rights.CheckManagingAsync(caller, open.Account.Roles) is { } refusal)
            return refusal;
        var intent = context.Intend();
        await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<ISessionGrain>(session).Execute(new EndSession("ended"), sent)
        );
        return Answer.Empty();
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
