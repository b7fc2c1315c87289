using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>An entry of the audit log.</summary>
/// <param name="Type">The event's type.</param>
/// <param name="Subject">The account, session, API key, role book or resource that was changed.</param>
/// <param name="Actor">The account that acted; <c>system</c> for nodes.</param>
/// <param name="Session">The session or API key that was used; null for anonymous callers and nodes.</param>
/// <param name="Address">The network address of the caller; null for nodes.</param>
public sealed record AuditDocument(
    string Position,
    Guid Id,
    DateTimeOffset Time,
    string Type,
    Guid Subject,
    string Actor,
    string? Session,
    string? Address,
    string? CorrelationId,
    JsonText Data
)
{
    public static AuditDocument Of(AuditEntry entry) =>
        new(
            Responses.Text(entry.Position),
            entry.Id,
            entry.At,
            entry.Type,
            entry.Subject,
            entry.Actor,
            entry.Session,
            entry.Address,
            entry.CorrelationId,
            entry.Data
        );
}

/// <summary>The audit log: who did what, when, from where and in which session.</summary>
public static class AuditEndpoint
{
    const int MaxPage = 200;

    /// <summary>
    /// A filter that matches few entries is searched for no longer than this; the page then says how far it came.
    /// </summary>
    static readonly TimeSpan MaxSearch = TimeSpan.FromSeconds(2);

    public static void MapAudit(this RouteGroupBuilder api) =>
        api.MapRead("/audit", ReadAsync)
            .Require(Permissions.AuditRead)
            .WithTags("audit")
            .WithName("readAudit")
            .Audits("audit.read")
            .WithSummary("Read the audit log")
            .WithDescription("Newest first. Reading it is an entry, too.")
            .TakesQuery(
                AuditParameters.Actor,
                AuditParameters.Subject,
                AuditParameters.Session,
                AuditParameters.Event,
                AuditParameters.Since,
                AuditParameters.Until,
                PageParameters.Cursor,
                PageParameters.Limit
            )
            .Answers<Envelope<IReadOnlyList<AuditDocument>>>(200);

    static async Task<Answer> ReadAsync(
        HttpContext context,
        AuditQueries audit,
        AuditNotes notes,
        EventKinds kinds,
        TimeProvider time
    )
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(50, MaxPage);
        var before = query.Number("cursor", 1) ?? long.MaxValue;
        var events = query.Text("event")?.Split(',');
        if (events?.All(name => IsKnown(kinds, name)) is false)
            query.Fail<string>("event", "takes event types such as session.started or account.*, separated by commas");
        var filter = new AuditFilter(
            query.Text("actor"),
            query.Id("subject"),
            query.Id("session")?.ToString(),
            events,
            Time(query, "since"),
            Time(query, "until")
        );
        if (query.Faults is not [])
            return Answer.Invalid(query.Faults);
        await notes.NoteAsync(context, new AuditRead(context.Request.QueryString.Value ?? ""));
        var entries = new List<AuditEntry>();
        var started = time.GetTimestamp();
        while (before > 0 && entries.Count < limit && time.GetElapsedTime(started) < MaxSearch)
        {
            (var page, before) = await audit.PageAsync(before, filter, limit - entries.Count, context.RequestAborted);
            entries.AddRange(page);
        }
        return new Answer<IReadOnlyList<AuditDocument>>([.. entries.Select(AuditDocument.Of)])
        {
            Page = new(limit, before > 0 ? Responses.Text(before) : null),
        };
    }

    static bool IsKnown(EventKinds kinds, string name) =>
        kinds.Contains(name)
        || name.EndsWith(".*", StringComparison.Ordinal)
            && kinds.All.Any(kind => kind.Name.StartsWith(name[..^1], StringComparison.Ordinal));

    static DateTimeOffset? Time(QueryReader query, string name)
    {
        if (query.Text(name) is not { } text)
            return null;
        if (Rfc3339.TryParse(text, out var time))
            return time;
        query.Fail<string>(name, "takes a time such as 2026-01-31T12:00:00Z");
        return null;
    }
}
