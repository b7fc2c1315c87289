namespace Resources.Grains;

/// <summary>
/// What concerns the security of the server and happens to nothing that has a stream. Each event has a stream of its
/// own; only the audit reads it. As with <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
[GenerateSerializer, Immutable, Alias("audit-event")]
public abstract record AuditEvent;

/// <summary>Somebody has read the audit.</summary>
/// <param name="Query">What they asked for.</param>
[Event("audit.read"), GenerateSerializer, Immutable, Alias("audit-read")]
public sealed record AuditRead(string Query) : AuditEvent;

/// <summary>A request was refused with 403.</summary>
/// <param name="Code">The problem's code.</param>
[Event("access.refused"), GenerateSerializer, Immutable, Alias("access-refused")]
public sealed record AccessRefused(string Method, string Path, string Code) : AuditEvent;

/// <summary>An API key was refused.</summary>
/// <param name="ApiKey">Its id, where the text is that of a key of this server.</param>
[Event("access.key_refused"), GenerateSerializer, Immutable, Alias("access-key-refused")]
public sealed record ApiKeyRefused(string Method, string Path, Guid? ApiKey) : AuditEvent;

/// <summary>More was refused than the audit takes of one minute.</summary>
/// <param name="Count">How much of it stands nowhere.</param>
[Event("access.refusals_left_out"), GenerateSerializer, Immutable, Alias("access-refusals-left-out")]
public sealed record RefusalsLeftOut(long Count) : AuditEvent;

[Event("signing_key.rotated"), GenerateSerializer, Immutable, Alias("signing-key-rotated")]
public sealed record SigningKeyRotated : AuditEvent;

[Event("signing_key.withdrawn"), GenerateSerializer, Immutable, Alias("signing-key-withdrawn")]
public sealed record SigningKeyWithdrawn(string Kid) : AuditEvent;

[Event("follower.rebuild_requested"), GenerateSerializer, Immutable, Alias("follower-rebuild-requested")]
public sealed record FollowerRebuildRequested(string Name) : AuditEvent;

[Event("follower.resumed"), GenerateSerializer, Immutable, Alias("follower-resumed")]
public sealed record FollowerResumed(string Name) : AuditEvent;

/// <param name="Position">That of the event which the follower passes over.</param>
[Event("follower.event_skipped"), GenerateSerializer, Immutable, Alias("follower-event-skipped")]
public sealed record FollowerEventSkipped(string Name, long Position, string Reason) : AuditEvent;
