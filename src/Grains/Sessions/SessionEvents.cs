namespace Resources.Grains;

/// <summary>
/// The events of a session. As with <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
public abstract record SessionEvent;

/// <param name="Account">The owner.</param>
/// <param name="AccountVersion">
/// The version of the account at the start: an end of all sessions at or before this version does not end this one.
/// </param>
/// <param name="Kind"><c>token</c> for clients that keep tokens, <c>cookie</c> for browsers.</param>
/// <param name="Methods">
/// How the owner authenticated: <c>pwd</c>, <c>otp</c>, <c>rc</c> (recovery code), <c>hwk</c> (passkey).
/// </param>
/// <param name="ExpiresAt">The session ends then, even when it is used.</param>
[Event("session.started")]
public sealed record SessionStarted(
    Guid Account,
    long AccountVersion,
    string Kind,
    string[] Methods,
    DateTimeOffset ExpiresAt,
    string? UserAgent
) : SessionEvent;

/// <summary>The refresh token was exchanged for the next one.</summary>
[Event("session.refreshed")]
public sealed record SessionRefreshed : SessionEvent;

/// <summary>The owner has authenticated again; earlier tokens and cookies are void.</summary>
[Event("session.authenticated", ChangesAccess = true)]
public sealed record SessionAuthenticated(string[] Methods) : SessionEvent;

/// <summary>A browser used the session.</summary>
[Event("session.used")]
public sealed record SessionUsed : SessionEvent;

/// <param name="Reason">
/// <c>logout</c>, <c>revoked</c> (by its refresh token), <c>ended</c> (elsewhere, by its owner or an administrator),
/// <c>reused</c> (a spent refresh token was presented) or <c>expired</c>.
/// </param>
[Event("session.ended", ChangesAccess = true)]
public sealed record SessionEnded(string Reason) : SessionEvent;
