using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Lists: resources from the read model, events from the log.</summary>
static class ResourceLists
{
    const int MaxResources = 200;
    const int MaxEvents = 1000;

    public static async Task ListAsync(HttpContext context, ResourceQueries resources, Followers followers)
    {
        var query = new QueryReader(context.Request);
        var (type, status, owner, limit, after) = (query.Slug("type"), query.Slug("status"), query.Text("owner"), query.Limit(20, MaxResources), Cursor(query));
        Fields.Check(query);
        if (query.Faults is not []) { await Problems.InvalidAsync(context, query.Faults); return; }

        var head = await followers.HeadAsync(context.RequestAborted);
        if (!await followers.WaitAsync(head, context.RequestAborted))
        {
            await Problems.WriteAsync(context, ProblemType.ReadModelBehind, "The read model has not caught up with the log in time.");
            return;
        }
        var rows = await resources.PageAsync(type, status, owner, after, limit + 1, context.RequestAborted);
        var page = new PageMeta(limit, rows.Count > limit ? Cursor(rows[limit - 1]) : null);
        var documents = rows.Take(limit).Select(row => ResourceDocument.Of(row.Id, row.Version, row.Resource));
        context.Response.Headers.CacheControl = "private, no-cache";
        if (query.Text("fields") is { } fields)
            await Answers.OkAsync<IReadOnlyList<JsonElement>>(context, [.. documents.Select(document => Fields.Pick(document, fields))], WireJson.Default.EnvelopeIReadOnlyListJsonElement, head, page);
        else await Answers.OkAsync<IReadOnlyList<ResourceDocument>>(context, [.. documents], WireJson.Default.EnvelopeIReadOnlyListResourceDocument, head, page);
    }

    public static async Task HistoryAsync(HttpContext context, string id, HistoryQueries history, Followers followers)
    {
        var query = new QueryReader(context.Request);
        var (after, limit) = (query.Number("after", 0) ?? 0, query.Limit(100, MaxEvents));
        if (query.Faults is not []) { await ApiGroup.RefuseAsync(context, query.Faults); return; }
        if (!Ids.TryParse(id, out var resource) || await history.ResourceTypeAsync(resource, context.RequestAborted) is not { } type)
        {
            await Problems.WriteAsync(context, ProblemType.ResourceNotFound, "There is no such resource.");
            return;
        }
        var head = await followers.HeadAsync(context.RequestAborted);
        var events = await history.PageAsync(resource, after, limit + 1, context.RequestAborted);
        var next = events.Count > limit ? events[limit - 1].Version.ToString(CultureInfo.InvariantCulture) : null;
        context.Response.Headers.CacheControl = "private, no-cache";
        await Answers.OkAsync<IReadOnlyList<EventDocument>>(context, [.. events.Take(limit).Select(stored => EventDocument.Of(stored, type))],
            WireJson.Default.EnvelopeIReadOnlyListEventDocument, head, new(limit, next));
    }

    static string Cursor(ResourceRow last)
    {
        Span<byte> key = stackalloc byte[24];
        BitConverter.TryWriteBytes(key, last.Resource.CreatedAt.UtcTicks);
        last.Id.TryWriteBytes(key[8..]);
        return Base64Url.EncodeToString(key);
    }

    static ResourceQueries.Key? Cursor(QueryReader query)
    {
        if (query.Text("cursor") is not { } text) return null;
        Span<byte> key = stackalloc byte[24];
        if (Base64Url.IsValid(text, out var length) && length is 24 && Base64Url.TryDecodeFromChars(text, key, out _) && BitConverter.ToInt64(key) is >= 0 and var ticks && ticks <= DateTimeOffset.MaxValue.UtcTicks)
            return new(new(ticks, TimeSpan.Zero), new(key[8..]));
        query.Fail<string>("cursor", "is not one that a page has given");
        return null;
    }
}
