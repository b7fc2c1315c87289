using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What a list is asked for.</summary>
/// <param name="Selection">Which resources; what the caller may see of them is the door's to say.</param>
/// <param name="After">The place of the last row of the page before; null = from the start.</param>
/// <param name="Wanted">The position that the list must have passed; null = the log's head.</param>
/// <param name="Fields">Which members to show; null = all.</param>
/// <param name="Expand">The names of the references to follow.</param>
/// <param name="Follows">Whether the client wants the list's changes, too.</param>
/// <param name="LacksDeleted">Whether deleted resources are asked for that the caller may not see.</param>
/// <param name="SelectionName">Names what is selected, in which order, and what of it the caller may see.</param>
/// <param name="Name">Names the whole answer.</param>
sealed record ListRequest(
    ResourceSelection Selection,
    ResourceSort Sort,
    object[]? After,
    int Limit,
    CountKind Count,
    long? Wanted,
    string? Fields,
    string[] Expand,
    bool Follows,
    bool LacksDeleted,
    Guid SelectionName,
    Guid Name
)
{
    const int DefaultLimit = 20;
    const int MaxLimit = 200;
    const int MaxSearch = 500;

    /// <summary>Reads the parameters of a list; the reader has their faults.</summary>
    /// <param name="type">The type that the address names; null where a parameter may.</param>
    public static ListRequest Read(QueryReader query, HttpContext context, Cursors cursors, string? type = null) =>
        Read(query, context.Caller(), cursors, Consistency.Read(query, context.Request), type);

    /// <summary>Reads the parameters of a list, however they came; the reader has their faults.</summary>
    /// <param name="wanted">The position that the list must have passed; null = the log's head.</param>
    /// <param name="type">The type that the address names; null where a parameter may.</param>
    public static ListRequest Read(QueryReader query, Caller caller, Cursors cursors, long? wanted, string? type)
    {
        var selection = Select(query, type);
        var sort = SortOf(query);
        if (sort.Member is not null && selection.IncludeDeleted)
            query.Fail<string>("includeDeleted", "cannot be combined with an order by a member of the metadata");
        var limit = query.Limit(DefaultLimit, MaxLimit);
        var reach = ResourceDoor.ReachOf(caller, selection.IncludeDeleted);
        var selected = NameOf(
            query,
            type is null ? reach.ToString() : $"{reach} {type}",
            "type",
            "status",
            "owner",
            "q",
            "filter",
            "sort",
            "includeDeleted"
        );
        var after = query.Text("cursor") is { } cursor
            ? cursors.Read(cursor, sort, selected)
                ?? query.Fail<object[]>("cursor", "is not one that a page of this list has given")
            : null;
        Api.Fields.Check(query);
        var follows = query.Flag("follow");
        if (follows)
            ResourceFollowing.Check(query, sort);
        return new(
            selection,
            sort,
            after,
            limit,
            CountOf(query),
            wanted,
            query.Text("fields"),
            query.Text("expand")?.Split(',').Distinct().ToArray() ?? [],
            follows,
            selection.IncludeDeleted && caller.Permissions.ScopeOf(Permissions.ResourceReadDeleted).IsNothing,
            selected,
            NameOf(query, selected.ToString(), "limit", "cursor", "fields", "expand", "count")
        );
    }

    /// <summary>A name for what parameters ask for, and of what.</summary>
    public static Guid NameOf(QueryReader query, string of, params string[] parameters) =>
        DerivedId.Of([of, .. parameters.Select(name => query.Text(name) is { } text ? $"{text.Length}:{text}" : "")]);

    static ResourceSelection Select(QueryReader query, string? type) =>
        new(
            Reach.Nothing,
            type is null ? query.Slug("type") : query.Slug("type", type),
            query.Slug("status"),
            query.Text("owner"),
            Both(Search(query), Filtered(query)),
            query.Flag("includeDeleted")
        );

    static Filter? Search(QueryReader query)
    {
        if (query.Text("q") is not { } text)
            return null;
        if (text.Length > MaxSearch)
            return query.Fail<Filter>("q", $"takes at most {MaxSearch} characters");
        return SearchText.Read(text) ?? query.Fail<Filter>("q", "takes words: letters and digits");
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

    static ResourceSort SortOf(QueryReader query)
    {
        if (query.Text("sort") is not { } text)
            return ResourceSort.Newest;
        if (ResourceSort.Parse(text, out var sort, out var fault))
            return sort;
        query.Fail<string>("sort", fault);
        return ResourceSort.Newest;
    }

    static CountKind CountOf(QueryReader query)
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
