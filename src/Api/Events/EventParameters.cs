namespace Resources.Api;

/// <summary>The parameters and headers by which events are read, as the reference shows them.</summary>
static class EventParameters
{
    public static readonly Parameter After = Parameter.Text(
        "after",
        "Returns events after this log position; `now` returns only future events.",
        "1042",
        20,
        "^([0-9]+|now)$"
    );

    public static readonly Parameter Wait = Parameter.Number(
        "wait",
        "Long poll: the number of seconds to wait if there are no events yet.",
        example: 20,
        min: 0,
        max: 60
    );

    public static readonly Parameter Resource = Parameter.Id("resource", "Filters by resource.");

    public static readonly Parameter Type = Parameter.Slug("type", "Filters by resource type.", "bicycle");

    public static readonly Parameter Owner = Parameter.Text(
        "owner",
        "Filters by resource owner: the id of an account.",
        "4f316888-e0c7-82a1-afeb-5b1e09d2a7ef",
        255
    );

    public static readonly Parameter Event = Parameter.Text(
        "event",
        "Filters by event type; comma-separated.",
        "resource.created,resource.deleted",
        512,
        "^[a-z._*]+(,[a-z._*]+)*$"
    );

    public static readonly Parameter LastEventId = Parameter.Text(
        EventQuery.LastEventId,
        "The `id` of the last event that the client received. Takes precedence over `after`.",
        "1042",
        20,
        "^[0-9]+$"
    );

    /// <summary>The query parameters of every address at which pages of events are read.</summary>
    public static readonly Parameter[] OfPages = [After, PageParameters.Limit, Wait, Type, Owner, Event];
}
