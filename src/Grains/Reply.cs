using System.Runtime.CompilerServices;

namespace Resources.Grains;

/// <summary>
/// An event with its envelope: who, when, and where it stands in its stream (version) and in the log (position).
/// </summary>
public sealed record Recorded<TEvent>(TEvent Data, long Version, long Position, DateTimeOffset At, string Actor);

/// <summary>
/// What a client means by a command, beside the command itself.
/// </summary>
/// <param name="CommandId">
/// Names this attempt and its repetitions; derived from caller and Idempotency-Key where one was sent.
/// </param>
/// <param name="Actor">The caller's account id.</param>
/// <param name="CorrelationId">The trace the request belongs to.</param>
/// <param name="Fingerprint">What was asked, hashed; null when no Idempotency-Key was sent.</param>
/// <param name="Conditions">The request's If-Match and If-None-Match.</param>
/// <param name="Repeated">The edge sends this command again after a lost answer: it may have happened already.</param>
/// <param name="Session">The session, or API key, that the caller has used; null where there is none.</param>
/// <param name="Address">The caller's network address; null for what a node does by itself.</param>
[GenerateSerializer, Immutable, Alias("intent")]
public sealed record Intent(
    Guid CommandId,
    string Actor,
    string? CorrelationId,
    string? Fingerprint,
    Conditions Conditions,
    bool Repeated = false,
    Guid? Session = null,
    string? Address = null
)
{
    /// <summary>The intent of what a node does by itself.</summary>
    public static Intent OfNode() => new(Guid.CreateVersion7(), "system", null, null, Conditions.None);
}

/// <summary>
/// Preconditions on the current version. A null list means the header was absent; a list may be empty, then nothing
/// matches.
/// </summary>
[GenerateSerializer, Immutable, Alias("conditions")]
public sealed record Conditions(bool IfMatchAny, long[]? IfMatch, bool IfNoneMatchAny, long[]? IfNoneMatch)
{
    public static readonly Conditions None = new(false, null, false, null);

    /// <summary>Whether an existing resource at <paramref name="version"/> may be changed.</summary>
    public bool Hold(long version) =>
        IfMatchHolds(version) && !IfNoneMatchAny && (IfNoneMatch is null || !IfNoneMatch.Contains(version));

    /// <summary>
    /// Whether If-Match allows <paramref name="version"/>; a read asks for this alone, as If-None-Match makes it a 304.
    /// </summary>
    public bool IfMatchHolds(long version) => IfMatchAny || IfMatch is null || IfMatch.Contains(version);
}

/// <summary>
/// Why a command was refused. The list is closed; the edge maps each kind to one status and one code.
/// </summary>
public enum Refusal
{
    NotFound,
    Deleted,
    Invalid,
    VersionMismatch,
    KeyReused,
    PatchTestFailed,
    PatchNotApplicable,
    VersionNotFound,
    AlreadyExists,
    SubscriptionInactive,
    LeaseLost,
    AccountNotFound,
    RoleNotFound,
    ApiKeyNotFound,
    LastAdministrator,
    TokenSpent,
    SessionOver,
    FactorFailed,
    NoFactor,
    PasskeyNotFound,
}

/// <summary>A refusal with what the client needs to know of it.</summary>
/// <param name="Version">The current version, where there is one.</param>
[GenerateSerializer, Immutable, Alias("rejection")]
public sealed record Rejection(Refusal Kind, string Detail, Fault[]? Faults = null, long? Version = null);

/// <summary>The answer of a grain: a value at a version and position, or a rejection.</summary>
[GenerateSerializer, Immutable, Alias("reply`1")]
public sealed record Reply<T>(T? Value, long Version, long Position, bool Replayed, Rejection? Rejection)
{
    public static Reply<T> Refused(Rejection rejection) => new(default, rejection.Version ?? 0, 0, false, rejection);
}

/// <summary>What a decision comes to: events (none when there is nothing to change) or a rejection.</summary>
[CollectionBuilder(typeof(Decision), nameof(Decision.Create))]
public readonly struct Decision<TEvent>(TEvent[] events, Rejection? rejection)
{
    public TEvent[] Events { get; } = events;

    public Rejection? Rejection { get; } = rejection;

    public IEnumerator<TEvent> GetEnumerator() => ((IEnumerable<TEvent>)Events).GetEnumerator();

    public static implicit operator Decision<TEvent>(Rejection rejection) => new([], rejection);
}

/// <summary>Lets a decision be written as a collection expression of events.</summary>
public static class Decision
{
    public static Decision<TEvent> Create<TEvent>(ReadOnlySpan<TEvent> events) => new(events.ToArray(), null);
}
