using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Lists and searches of resources.</summary>
static class ResourceLists
{
    public static async Task<Answer> ListAsync(HttpContext context, ResourceDoor door, Cursors cursors)
    {
        var query = new QueryReader(context.Request);
        var list = ListRequest.Read(query, context, cursors, (string?)context.Request.RouteValues["type"]);
        if (query.Faults is not [])
            return Answer.Invalid(query.Faults);
        if (list.LacksDeleted)
            return Answer.Refused(
                ProblemType.Forbidden,
                $"includeDeleted needs the permission {Permissions.ResourceReadDeleted}."
            );
        if (list.Follows)
            return await ResourceFollowing.FollowAsync(context, door, list);

        var references = (IReadOnlyList<ReferenceRule>)[];
        if (list.Expand is not [])
        {
            var known = await door.ReferencesAsync(context.Caller(), list.Selection.Type, list.Expand);
            if (known.Rejection is { } unknown)
                return unknown;
            references = known.Value!;
        }
        var ct = context.RequestAborted;
        var wanted = list.Wanted;
        if (context.Request.Headers.IfNoneMatch.Count > 0)
        {
            var reached = await door.WaitAsync(wanted, ct);
            if (reached.Rejection is { } behind)
                return Consistency.Refused(behind);
            if (Held(context, list.Name, reached.Value) is { } held)
                return held;
            wanted = reached.Position;
        }
        var reply = await door.ListAsync(
            context.Caller(),
            list.Selection,
            list.Sort,
            list.After,
            list.Limit + 1,
            list.Count,
            wanted,
            ct
        );
        if (reply.Rejection is { } rejection)
            return Consistency.Refused(rejection);
        if (reply.Value!.Memory is { } memory)
            ResponseMemory.Hold(context, memory);
        var page = references is []
            ? reply.Value
            : await door.ExpandAsync(context.Caller(), reply.Value, list.Limit, references, ct);
        return PageAnswer(list, page, cursors);
    }

    static Answer PageAnswer(ListRequest list, ResourcePage page, Cursors cursors)
    {
        var next =
            page.IsCut || page.Rows.Count > list.Limit
                ? cursors.Write(
                    list.Sort.PlaceOf(page.Rows[Math.Min(list.Limit, page.Rows.Count) - 1]),
                    list.SelectionName
                )
                : null;
        var rows = page.Rows.Take(list.Limit);
        return list.Fields is { } fields
                ? Listed<JsonElement>([.. rows.Select(row => Fields.Pick(DocumentOf(row), fields))], list, page, next)
            : list.Expand is [] ? Listed<ResourceDocument>([.. rows.Select(DocumentOf)], list, page, next)
            : Listed<ListedResource>([.. rows.Select(ListedResource.Of)], list, page, next);
    }

    static ResourceDocument DocumentOf(ResourceRow row) =>
        row.Referred is null ? ResourceDocument.Of(row.Id, row.Version, row.Resource) : ListedResource.Of(row);

    static Answer Listed<T>(IReadOnlyList<T> rows, ListRequest list, ResourcePage page, string? next) =>
        new Answer<IReadOnlyList<T>>(rows)
        {
            EntityTag = Tag(list.Name, page.Generation, page.Position),
            Position = page.Position,
            IsCacheable = true,
            Page = new(list.Limit, next),
            Count = page.Count,
        };

    /// <summary>304, if the client holds this answer at this position already.</summary>
    public static Answer? Held(HttpContext context, Guid answer, Reached reached)
    {
        var tag = Tag(answer, reached.Generation, reached.Position);
        return EntityTags.IsHeld(context.Request, tag) ? Answer.NotModified(tag, reached.Position) : null;
    }

    /// <summary>
    /// A weak tag: the same question has the same answer at the same position of the same generation, but for the time
    /// in it.
    /// </summary>
    public static string Tag(Guid answer, int generation, long position) => $"W/\"{answer:n}-{generation}.{position}\"";
}
