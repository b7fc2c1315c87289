using Resources.Grains;

namespace Resources.Api;

/// <summary>Tells the audit of acts that change nothing which has events of its own.</summary>
public sealed class AuditNotes(IClusterClient cluster)
{
    /// <summary>Notes what the caller of a request has done.</summary>
    public Task NoteAsync(HttpContext context, AuditEvent happened) => NoteAsync(context.Intend(), happened);

    /// <summary>Notes what was done by an intent.</summary>
    public Task NoteAsync(Intent intent, AuditEvent happened) =>
        ClusterCalls.SendAsync(intent, sent => cluster.GetGrain<IAuditGrain>(Guid.Empty).Note(happened, sent));
}
