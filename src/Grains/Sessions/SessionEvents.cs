namespace Resources.Grains;

/// <summary>
/// Everything that can happen to a session. As in <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
public abstract record SessionEvent;

/// <param name="Account">Whose it is.</param>
/// <param name="AccountVersion">
/// The version of the account then: what ended its sessions before does not end this one.
/// </param>
/// <param name="Kind"><c>token</c> for clients that keep tokens, <c>cookie</c> for browsers.</param>
/// <param name="Methods">
/// How its owner was known: <c>pwd</c>, <c>otp</c>, <c>rc</c> (recovery code), <c>hwk</c> (passkey).
/// </param>
/// <param name="ExpiresAt">It ends then, however it is used.</param>
[Event("session.started")]
public sealed record SessionStarted(
    Guid Account,
    long AccountVersion,
    string Kind,
    string[] Methods,
    DateTimeOffset ExpiresAt,
    string? UserAgent
) : SessionEvent;

/// <summary>Its refresh token was changed for the next one.</summary>
[Event("session.refreshed")]
public sealed record SessionRefreshed : SessionEvent;

/// <summary>Its owner has authenticated again; tokens and cookies from before are void.</summary>
[Event("session.authenticated", ChangesAccess = true)]
public sealed record SessionAuthenticated(string[] Methods) : SessionEvent;

/// <summary>A session of a browser was in use.</summary>
[Event("session.used")]
public sealed record SessionUsed : SessionEvent;

/// <param name="Reason">
/// <c>logout</c>, <c>ended</c> (by its owner or an administrator elsewhere), <c>reused</c> (a spent refresh token came
/// again) or <c>expired</c>.
/// </param>
[Event("session.ended", ChangesAccess = true)]
public sealed record SessionEnded(string Reason) : SessionEvent;
