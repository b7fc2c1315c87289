using Resources.Projections;

namespace Resources.Api;

/// <summary>The parameters and headers of reads of resources, as the reference shows them.</summary>
static class ResourceParameters
{
    public static readonly Parameter Id = Parameter.Id("id", "The id of the resource.");

    public static readonly Parameter Version = Parameter.LongNumber(
        "version",
        "Returns this version of the resource.",
        example: 1,
        min: 1
    );

    public static readonly Parameter At = Parameter.Text(
        "at",
        "Returns the resource as it was at this time (RFC 3339) or log position. Cannot be combined with `version`.",
        "2026-01-31T12:00:00Z",
        64,
        "^([0-9]{1,19}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt].+)$"
    );

    public static readonly Parameter Fields = Parameter.Text(
        "fields",
        "Comma-separated members to return; `metadata.a.b` selects a nested member. The id is always returned.",
        "name,metadata.color",
        4096,
        "^[^,]+(,[^,]+)*$"
    );

    public static readonly Parameter Type = Parameter.Slug("type", "Filters by type.", "bicycle");

    public static readonly Parameter Status = Parameter.Slug("status", "Filters by status.", "active");

    public static readonly Parameter Owner = Parameter.Text(
        "owner",
        "Filters by owner: the id of an account.",
        "4f316888-e0c7-82a1-afeb-5b1e09d2a7ef",
        255
    );

    public static readonly Parameter Words = Parameter.Text(
        "q",
        "Full-text search: finds resources whose name or metadata contains words that start with all these terms. "
            + "A text in double quotes is a phrase: its words stand side by side, in this order.",
        "blue bicy",
        500
    );

    public static readonly Parameter Filter = Parameter.Text(
        "filter",
        "An AIP-160 filter over fields and `metadata.*`: comparisons `= != < <= > >= :`, AND, OR, NOT. OR binds tighter than AND.",
        "status = active AND metadata.gears >= 7",
        4096
    );

    public static readonly Parameter Sort = Parameter.Text(
        "sort",
        "Comma-separated sort fields, `-` for descending order: createdAt, updatedAt, name, type, status, owner, id. "
            + "With `type`, an indexed member of it, such as `metadata.price`.",
        "-createdAt,name",
        1024,
        "^-?[^,]+(,-?[^,]+)*$"
    );

    public static readonly Parameter Expand = Parameter.Text(
        "expand",
        "With `type`, comma-separated references of it: adds to each resource, as `expanded`, what it refers to.",
        "author",
        4096,
        "^[^,]+(,[^,]+)*$"
    );

    public static readonly Parameter Count = Parameter.Choice(
        "count",
        "Adds the total number of matches as `meta.count`.",
        "exact",
        "estimated"
    );

    public static readonly Parameter IncludeDeleted = Parameter.Flag(
        "includeDeleted",
        "Includes deleted resources. Requires the permission `resource:read_deleted`."
    );

    public static readonly Parameter Follow = Parameter.Flag(
        "follow",
        "Streams the list, followed by every change to it. Cannot be combined with `cursor`, `limit`, `count` or `expand`."
    );

    public static readonly Parameter Consistency = Parameter.Choice(
        Api.Consistency.Parameter,
        "`linearizable` (the default) includes every acknowledged write. `eventual` does not wait for the latest writes.",
        "linearizable",
        "eventual"
    );

    public static readonly Parameter From = Parameter.Day(
        "from",
        "Counts only resources created on or after this day (UTC).",
        "2026-01-01"
    );

    public static readonly Parameter To = Parameter.Day(
        "to",
        "Counts only resources created on or before this day (UTC).",
        "2026-12-31"
    );

    public static readonly Parameter GroupBy = Parameter.Text(
        "groupBy",
        "Adds `groups`: resources by at most two of type, status, owner, day and, with `type`, indexed members of it.",
        "status,day",
        2048,
        "^[^,]+(,[^,]+)?$"
    );

    /// <summary>What is told of members, for all resources or for each group.</summary>
    public static readonly Parameter[] Aggregates =
    [
        .. AggregateQueries.Functions.Select(function =>
            Parameter.Text(
                function,
                $"Adds the {function} of indexed members of the `type` to `groups`.",
                "metadata.price",
                4096,
                "^metadata[.][^,]+(,metadata[.][^,]+)*$"
            )
        ),
    ];

    public static readonly Parameter MinPosition = Parameter.Text(
        Api.Consistency.Header,
        "The response reflects at least this log position. By default, it includes every acknowledged write.",
        "1042",
        20,
        "^[0-9]+$"
    );

    /// <summary>The parameters of lists of resources.</summary>
    public static readonly Parameter[] OfLists =
    [
        Type,
        Status,
        Owner,
        Words,
        Filter,
        Sort,
        PageParameters.Limit,
        PageParameters.Cursor,
        Fields,
        Expand,
        Count,
        IncludeDeleted,
        Consistency,
        Follow,
    ];

    /// <summary>How a list is followed.</summary>
    public static readonly StreamsEvents Follows = new StreamsEvents(
        "With `follow=true`, streams server-sent events: a `snapshot` of each resource, then `added`, `changed` and `removed`.",
        Follow.Name
    );
}
