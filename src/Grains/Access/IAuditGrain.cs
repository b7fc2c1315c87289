namespace Resources.Grains;

/// <summary>Puts events into the audit that belong to nothing which has a stream. The key says nothing.</summary>
[Alias("resources.IAuditGrain")]
public interface IAuditGrain : IGrainWithGuidKey
{
    /// <summary>Appends an event to a stream of its own, whose id is that of the command; always true.</summary>
    /// <exception cref="StoreUnavailableException">The database is away; the outcome is unknown.</exception>
    [Alias("Note")]
    Task<bool> Note(AuditEvent happened, Intent intent);
}
