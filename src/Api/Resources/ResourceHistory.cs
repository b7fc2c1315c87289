using System.Globalization;
using Resources.Projections;

namespace Resources.Api;

/// <summary>The events of one resource.</summary>
static class ResourceHistory
{
    const int MaxEvents = 1000;

    public static async Task HistoryAsync(HttpContext context, string id, HistoryQueries history, ReadIndex index)
    {
        var query = new QueryReader(context.Request);
        var (after, limit) = (query.Number("after", 0) ?? 0, query.Limit(100, MaxEvents));
        if (query.Faults is not []) { await ApiGroup.RefuseAsync(context, query.Faults); return; }
        if (!Ids.TryParse(id, out var resource) || await history.ResourceTypeAsync(resource, context.RequestAborted) is not { } type)
        {
            await Problems.WriteAsync(context, ProblemType.ResourceNotFound, "There is no such resource.");
            return;
        }
        var head = await index.HeadAsync(context.RequestAborted);
        var events = await history.PageAsync(resource, after, limit + 1, context.RequestAborted);
        var next = events.Count > limit ? events[limit - 1].Version.ToString(CultureInfo.InvariantCulture) : null;
        context.Response.Headers.CacheControl = "private, no-cache";
        await Answers.OkAsync<IReadOnlyList<EventDocument>>(context, [.. events.Take(limit).Select(stored => EventDocument.Of(stored, type))],
            WireJson.Default.EnvelopeIReadOnlyListEventDocument, head, new(limit, next));
    }
}
