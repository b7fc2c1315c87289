namespace Resources.Grains;

/// <summary>The circumstances of a command: its caller, its preconditions and its idempotency.</summary>
/// <param name="CommandId">
/// Identifies this command and its retries; derived from the caller and the Idempotency-Key where one was sent.
/// </param>
/// <param name="Actor">The caller's account id.</param>
/// <param name="CorrelationId">The trace that the request belongs to.</param>
/// <param name="Fingerprint">A hash of the request; null when no Idempotency-Key was sent.</param>
/// <param name="Conditions">The request's If-Match and If-None-Match.</param>
/// <param name="Repeated">The edge retries this command after a lost answer: it may have run already.</param>
/// <param name="Session">The session or API key that the caller used; null when there is none.</param>
/// <param name="Address">The caller's network address; null for a command of the node itself.</param>
/// <param name="Permissions">
/// What the caller may do with resources, for actions that types declare and for migrations; null for a command that is
/// none of these.
/// </param>
[GenerateSerializer, Immutable, Alias("intent")]
public sealed record Intent(
    Guid CommandId,
    string Actor,
    string? CorrelationId,
    string? Fingerprint,
    Conditions Conditions,
    bool Repeated = false,
    Guid? Session = null,
    string? Address = null,
    string[]? Permissions = null
)
{
    /// <summary>The intent of a command that the node itself sends.</summary>
    public static Intent OfNode() => new(Guid.CreateVersion7(), "system", null, null, Conditions.None);
}
