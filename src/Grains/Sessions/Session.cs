using System.Diagnostics;

namespace Resources.Grains;

/// <summary>A session at a version: a pure function of its events.</summary>
/// <param name="Generation">
/// Which refresh token or cookie is good: the first is 1. Those of lower generations are spent.
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

    /// <summary>Whether it may go on.</summary>
    /// <param name="idle">How long it may be unused.</param>
    public bool IsOpen(DateTimeOffset now, TimeSpan idle) => EndedBy is null && now < ExpiresAt && now < UsedAt + idle;

    /// <param name="now">The time of the command.</param>
    /// <param name="idle">How long a session may be unused.</param>
    public static Decision<SessionEvent> Decide(
        Session? state,
        SessionCommand command,
        DateTimeOffset now,
        TimeSpan idle
    ) =>
        (state, command) switch
        {
            (null, StartSession c) =>
            [
                new SessionStarted(c.Account, c.AccountVersion, c.Kind, c.Methods, c.ExpiresAt, c.UserAgent),
            ],
            (_, StartSession) => throw new UnreachableException("A session starts once."),
            (null or { EndedBy: not null }, _) => Over,
            (_, EndSession c) => [new SessionEnded(c.Reason)],
            _ when !state.IsOpen(now, idle) => new Decision<SessionEvent>([new SessionEnded("expired")], null),
            // Who has a spent token has a copy of it, or somebody else has: whoever it is, both lose the session.
            (_, UseSession c) when c.Generation < state.Generation => [new SessionEnded("reused")],
            (_, UseSession c) when c.Generation > state.Generation => Over,
            (_, RefreshSession) => [new SessionRefreshed()],
            (_, AuthenticateSession c) => [new SessionAuthenticated(c.Methods)],
            (_, TouchSession) => [new SessionUsed()],
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };

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

    /// <summary>The refusal of a session that is over, whatever ended it.</summary>
    public static readonly Rejection Over = new(Refusal.SessionOver, "The session is over.");
}

/// <summary>What can be asked of a session.</summary>
[GenerateSerializer, Immutable, Alias("session-command")]
public abstract record SessionCommand;

[GenerateSerializer, Immutable, Alias("session-start")]
public sealed record StartSession(
    Guid Account,
    long AccountVersion,
    string Kind,
    string[] Methods,
    DateTimeOffset ExpiresAt,
    string? UserAgent
) : SessionCommand;

/// <summary>What is asked with a refresh token or cookie of a generation.</summary>
[GenerateSerializer, Immutable, Alias("session-use")]
public abstract record UseSession(int Generation) : SessionCommand;

/// <summary>Changes the refresh token for the next one.</summary>
[GenerateSerializer, Immutable, Alias("session-refresh")]
public sealed record RefreshSession(int Generation) : UseSession(Generation);

/// <summary>Notes that the session is in use.</summary>
[GenerateSerializer, Immutable, Alias("session-touch")]
public sealed record TouchSession(int Generation) : UseSession(Generation);

/// <summary>Its owner has authenticated again, by these methods.</summary>
[GenerateSerializer, Immutable, Alias("session-authenticate")]
public sealed record AuthenticateSession(string[] Methods) : SessionCommand;

[GenerateSerializer, Immutable, Alias("session-end")]
public sealed record EndSession(string Reason) : SessionCommand;
