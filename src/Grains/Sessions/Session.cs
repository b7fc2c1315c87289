using System.Diagnostics;

namespace Resources.Grains;

/// <summary>A session at a version: a pure function of its events.</summary>
/// <param name="Generation">
/// The generation of the valid refresh token or cookie, from 1. Those of lower generations are spent.
/// </param>
[GenerateSerializer, Immutable, Alias("session")]
public sealed record Session(
    Guid Account,
    long AccountVersion,
    string Kind,
    string[] Methods,
    DateTimeOffset StartedAt,
    DateTimeOffset AuthenticatedAt,
    DateTimeOffset UsedAt,
    DateTimeOffset ExpiresAt,
    string? UserAgent,
    int Generation,
    string? EndedBy
)
{
    public const string Token = "token";
    public const string Cookie = "cookie";

    /// <summary>Whether the session has neither ended nor expired.</summary>
    /// <param name="idle">A session expires after this time without use.</param>
    public bool IsOpen(DateTimeOffset now, TimeSpan idle) => EndedBy is null && now < ExpiresAt && now < UsedAt + idle;

    public static Session Evolve(Session? state, Recorded<SessionEvent> recorded) =>
        recorded.Data switch
        {
            SessionStarted e => new(
                e.Account,
                e.AccountVersion,
                e.Kind,
                e.Methods,
                recorded.At,
                recorded.At,
                recorded.At,
                e.ExpiresAt,
                e.UserAgent,
                1,
                null
            ),
            SessionRefreshed => state! with { UsedAt = recorded.At, Generation = state.Generation + 1 },
            SessionAuthenticated e => state! with
            {
                UsedAt = recorded.At,
                AuthenticatedAt = recorded.At,
                Methods = [.. state.Methods.Union(e.Methods)],
                Generation = state.Generation + 1,
            },
            SessionUsed => state! with { UsedAt = recorded.At },
            SessionEnded e => state! with { EndedBy = e.Reason },
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };

    public static Decision<SessionEvent> Decide(Session? state, SessionCommand command, SessionContext context) =>
        (state, command) switch
        {
            (null, StartSession c) =>
            [
                new SessionStarted(c.Account, c.AccountVersion, c.Kind, c.Methods, c.ExpiresAt, c.UserAgent),
            ],
            (_, StartSession) => throw new UnreachableException("A session starts once."),
            (null or { EndedBy: not null }, _) => Over,
            (_, EndSession c) => [new SessionEnded(c.Reason)],
            _ when !state.IsOpen(context.Now, context.Idle) => [new SessionEnded("expired")],
            // A spent token proves that there is a copy. Owner and thief look alike, so both lose the session.
            (_, UseSession c) when c.Generation < state.Generation => [new SessionEnded("reused")],
            (_, UseSession c) when c.Generation > state.Generation => Over,
            (_, RefreshSession) => [new SessionRefreshed()],
            (_, AuthenticateSession c) => [new SessionAuthenticated(c.Methods)],
            (_, TouchSession) => [new SessionUsed()],
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };

    /// <summary>The rejection of a session that is over, whatever ended it.</summary>
    public static readonly Rejection Over = new(Refusal.SessionOver, "The session is over.");
}
