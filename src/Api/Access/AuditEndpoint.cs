using System.Globalization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Something that was done.</summary>
/// <param name="Type">What: an event's type.</param>
/// <param name="Subject">The account, session, API key, role book or resource that it was done to.</param>
/// <param name="Actor">The account that did it; <c>system</c> for nodes.</param>
/// <param name="Session">The session or API key by which; null for guests and nodes.</param>
/// <param name="Address">The network address from which; null for nodes.</param>
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
            entry.Position.ToString(CultureInfo.InvariantCulture),
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

/// <summary>Who did what, when, from where and by which session: the log, seen by its actors.</summary>
public static class AuditEndpoint
{
    const int MaxPage = 200;

    /// <summary>
    /// A filter that takes little is looked for no longer than this; the page then says how far it came.
    /// </summary>
    static readonly TimeSpan Search = TimeSpan.FromSeconds(2);

    public static void MapAudit(this RouteGroupBuilder api) =>
        api.MapRead("/audit", ReadAsync)
            .Require(Permissions.AuditRead)
            .WithTags("audit")
            .WithName("readAudit")
            .WithSummary("Read the audit log")
            .WithDescription("Newest first.")
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

    static async Task ReadAsync(HttpContext context, AuditQueries audit, EventKinds kinds)
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(50, MaxPage);
        var before = query.Number("cursor", 1) ?? long.MaxValue;
        var events = query.Text("event")?.Split(',');
        if (events?.All(name => IsKnown(kinds, name)) is false)
            query.Fail<string>(
                "event",
                "takes types of events such as session.started, or account.* for all of an object, joined by commas"
            );
        var filter = new AuditFilter(
            query.Text("actor"),
            query.Id("subject"),
            query.Id("session")?.ToString(),
            events,
            Time(query, "since"),
            Time(query, "until")
        );
        if (query.Faults is not [])
        {
            await Problems.InvalidAsync(context, query.Faults);
            return;
        }
        var entries = new List<AuditEntry>();
        for (
            var started = TimeProvider.System.GetTimestamp();
            before > 0 && entries.Count < limit && TimeProvider.System.GetElapsedTime(started) < Search;

        )
        {
            (var page, before) = await audit.PageAsync(before, filter, limit - entries.Count, context.RequestAborted);
            entries.AddRange(page);
        }
        await Responses.OkAsync<IReadOnlyList<AuditDocument>>(
            context,
            [.. entries.Select(AuditDocument.Of)],
            AccessJson.Default.EnvelopeIReadOnlyListAuditDocument,
            page: new(limit, before > 0 ? before.ToString(CultureInfo.InvariantCulture) : null)
        );
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
