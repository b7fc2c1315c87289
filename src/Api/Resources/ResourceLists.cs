using System.Text.Json;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Lists and searches of resources.</summary>
static class ResourceLists
{
    const int MaxResources = 200;
    const int MaxSearch = 500;

    public static async Task ListAsync(HttpContext context, ResourceQueries resources, ReadIndex index, Cursors cursors)
    {
        var query = new QueryReader(context.Request);
        var selection = Selection(context, query);
        var sort = Sort(query);
        var limit = query.Limit(20, MaxResources);
        var count = Count(query);
        var fields = query.Text("fields");
        var asked = Name(
            query,
            selection.Visible.ToString(),
            "type",
            "status",
            "owner",
            "q",
            "filter",
            "sort",
            "includeDeleted"
        );
        var after = query.Text("cursor") is { } cursor
            ? cursors.Read(cursor, sort, asked)
                ?? query.Fail<object[]>("cursor", "is not one that a page of this list has given")
            : null;
        Fields.Check(query);
        var wanted = Consistency.Read(query, context.Request);
        var follows = query.Flag("follow");
        if (follows)
            ResourceFollowing.Check(query);
        if (query.Faults is not [])
        {
            await Problems.InvalidAsync(context, query.Faults);
            return;
        }
        if (selection.IncludeDeleted && context.Caller().Permissions.ScopeOf(Permissions.ResourceReadDeleted).IsNothing)
        {
            await Problems.WriteAsync(
                context,
                ProblemType.Forbidden,
                $"includeDeleted needs the permission {Permissions.ResourceReadDeleted}."
            );
            return;
        }

        if (follows)
        {
            await ResourceFollowing.SendAsync(context, selection, sort, fields, wanted);
            return;
        }

        var answer = Name(query, asked.ToString(), "limit", "cursor", "fields", "count");
        if (context.Request.Headers.IfNoneMatch.Count > 0)
        {
            if (
                await Consistency.WaitAsync(context, index, wanted) is not { } reached
                || AnswerHeld(context, answer, reached)
            )
                return;
            wanted = reached.Position;
        }
        // Mostly the view is as far as the log, and one statement sees both.
        var page = await resources.PageAsync(selection, sort, after, limit + 1, count, wanted, context.RequestAborted);
        if (page.Position < (wanted ?? page.Head))
        {
            if (await Consistency.WaitAsync(context, index, wanted ?? page.Head) is not { } reached)
                return;
            page = await resources.PageAsync(
                selection,
                sort,
                after,
                limit + 1,
                count,
                reached.Position,
                context.RequestAborted
            );
        }
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.Headers.ETag = Tag(answer, page.Generation, page.Position);
        var meta = new PageMeta(
            limit,
            page.Rows.Count > limit ? cursors.Write(sort.PlaceOf(page.Rows[limit - 1]), asked) : null
        );
        var documents = page.Rows.Take(limit).Select(row => ResourceDocument.Of(row.Id, row.Version, row.Resource));
        if (fields is not null)
            await Answers.OkAsync<IReadOnlyList<JsonElement>>(
                context,
                [.. documents.Select(document => Fields.Pick(document, fields))],
                WireJson.Default.EnvelopeIReadOnlyListJsonElement,
                page.Position,
                meta,
                count: page.Count
            );
        else
            await Answers.OkAsync<IReadOnlyList<ResourceDocument>>(
                context,
                [.. documents],
                WireJson.Default.EnvelopeIReadOnlyListResourceDocument,
                page.Position,
                meta,
                count: page.Count
            );
    }

    /// <summary>
    /// Answers 304 if the client holds this answer at this position already; sets the headers of a cacheable answer.
    /// </summary>
    public static bool AnswerHeld(HttpContext context, Guid answer, Reached reached)
    {
        context.Response.Headers.CacheControl = "private, no-cache";
        var tag = Tag(answer, reached.Generation, reached.Position);
        if (!EntityTags.IsHeld(context.Request, tag))
            return false;
        context.Response.StatusCode = 304;
        context.Response.Headers.ETag = tag;
        Answers.SetPosition(context, reached.Position);
        return true;
    }

    /// <summary>
    /// A weak tag: the same question has the same answer at the same position of the same generation, but for the time
    /// in it.
    /// </summary>
    public static string Tag(Guid answer, int generation, long position) => $"W/\"{answer:n}-{generation}.{position}\"";

    /// <summary>A name for what parameters ask for, and of what.</summary>
    public static Guid Name(QueryReader query, string of, params string[] parameters) =>
        DerivedId.Of([of, .. parameters.Select(name => query.Text(name) is { } text ? $"{text.Length}:{text}" : "")]);

    static ResourceSelection Selection(HttpContext context, QueryReader query)
    {
        var type = query.Slug("type");
        var status = query.Slug("status");
        var owner = query.Text("owner");
        var deleted = query.Flag("includeDeleted");
        var visible = context.Visible(Permissions.ResourceRead);
        if (deleted)
            visible = visible.Intersect(context.Visible(Permissions.ResourceReadDeleted));
        return new(visible, type, status, owner, Both(Search(query), Filtered(query)), deleted);
    }

    static Filter? Search(QueryReader query)
    {
        if (query.Text("q") is not { } text)
            return null;
        if (text.Length > MaxSearch)
            return query.Fail<Filter>("q", $"takes at most {MaxSearch} characters");
        string[] words = [.. SearchWords.Of(text).Distinct()];
        return words is []
            ? query.Fail<Filter>("q", "takes words: letters and digits")
            : new Filter.Search(words, NameOnly: false);
    }

    static Filter? Filtered(QueryReader query)
    {
        if (query.Text("filter") is not { } text)
            return null;
        var faults = new List<FilterFault>();
        var filter = FilterParser.Parse(text, faults);
        foreach (var fault in faults)
            query.Faults.Report("?filter", "INVALID_FILTER", fault.Detail, fault.Position);
        return filter;
    }

    static Filter? Both(Filter? one, Filter? other) =>
        one is null ? other
        : other is null ? one
        : new Filter.And(one, other);

    static ResourceSort Sort(QueryReader query)
    {
        if (query.Text("sort") is not { } text)
            return ResourceSort.Newest;
        if (ResourceSort.Parse(text, out var sort, out var fault))
            return sort;
        query.Fail<string>("sort", fault);
        return ResourceSort.Newest;
    }

    static CountKind Count(QueryReader query)
    {
        switch (query.Text("count"))
        {
            case null:
                return CountKind.None;
            case "exact":
                return CountKind.Exact;
            case "estimated":
                return CountKind.Estimated;
            default:
                query.Fail<string>("count", "takes exact or estimated");
                return CountKind.None;
        }
    }
}
