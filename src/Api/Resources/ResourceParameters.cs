namespace Resources.Api;

/// <summary>The parameters and headers of reads of resources, as the reference shows them.</summary>
static class ResourceParameters
{
    public static readonly Parameter Id = Parameter.Id("id", "The resource's id.");

    public static readonly Parameter Version = Parameter.LongNumber(
        "version",
        "Reads this version.",
        example: 1,
        min: 1
    );

    public static readonly Parameter At = Parameter.Text(
        "at",
        "Reads the resource as it was at a time (RFC 3339) or a position of the log. Excludes `version`.",
        "2026-01-31T12:00:00Z",
        64,
        "^([0-9]{1,19}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt].+)$"
    );

    public static readonly Parameter Fields = Parameter.Text(
        "fields",
        "Members to show, joined by commas; `metadata.a.b` reaches inside. The id is always shown.",
        "name,metadata.color",
        4096,
        "^[^,]+(,[^,]+)*$"
    );

    public static readonly Parameter Type = Parameter.Slug("type", "Only resources of this type.", "bicycle");

    public static readonly Parameter Status = Parameter.Slug("status", "Only resources with this status.", "active");

    public static readonly Parameter Owner = Parameter.Text(
        "owner",
        "Only resources of this account.",
        "4f316888-e0c7-82a1-afeb-5b1e09d2a7ef",
        255
    );

    public static readonly Parameter Words = Parameter.Text(
        "q",
        "Only resources with these words in name or metadata; each may be the beginning of a word.",
        "blue bicy",
        500
    );

    public static readonly Parameter Filter = Parameter.Text(
        "filter",
        "An AIP-160 expression over fields and `metadata.*`: comparisons `= != < <= > >= :`, AND, OR (binds tighter), NOT.",
        "status = active AND metadata.gears >= 7",
        4096
    );

    public static readonly Parameter Sort = Parameter.Text(
        "sort",
        "Fields joined by commas, a minus before those that descend: createdAt, updatedAt, name, type, status, owner, id.",
        "-createdAt,name",
        64,
        "^-?[A-Za-z]+(,-?[A-Za-z]+)*$"
    );

    public static readonly Parameter Count = Parameter.Choice(
        "count",
        "Answers `meta.count`, the size of the whole list.",
        "exact",
        "estimated"
    );

    public static readonly Parameter IncludeDeleted = Parameter.Flag(
        "includeDeleted",
        "Shows deleted resources too; needs the permission `resource:read_deleted`."
    );

    public static readonly Parameter Follow = Parameter.Flag(
        "follow",
        "Answers a stream: the list, then what changes in it. Not with `cursor`, `limit` or `count`."
    );

    public static readonly Parameter Consistency = Parameter.Choice(
        Api.Consistency.Parameter,
        "`eventual` answers from what is there, without waiting for the newest writes.",
        "linearizable",
        "eventual"
    );

    public static readonly Parameter From = Parameter.Day(
        "from",
        "Only resources created on this day (UTC) or later.",
        "2026-01-01"
    );

    public static readonly Parameter To = Parameter.Day(
        "to",
        "Only resources created on this day (UTC) or earlier.",
        "2026-12-31"
    );

    public static readonly Parameter MinPosition = Parameter.Text(
        Api.Consistency.Header,
        "Answer no older than this position, which an earlier answer's `Position` gave; without it the answer has every write acknowledged before the request.",
        "\"1042\"",
        20,
        "^[0-9]+$"
    );
}
