namespace Resources.Api;

/// <summary>The parameters and headers by which events are read, as the reference shows them.</summary>
static class EventParameters
{
    public static readonly Parameter After = Parameter.Text(
        "after",
        "Events after this position, which an earlier answer gave; `now` = only those to come.",
        "1042",
        20,
        "^([0-9]+|now)$"
    );

    public static readonly Parameter Wait = Parameter.Number(
        "wait",
        "Where there are no events yet, waits so many seconds for the next ones.",
        example: 20,
        min: 0,
        max: 60
    );

    public static readonly Parameter Resource = Parameter.Id("resource", "Only events of this resource.");

    public static readonly Parameter Type = Parameter.Slug("type", "Only resources of this type.", "bicycle");

    public static readonly Parameter Owner = Parameter.Text(
        "owner",
        "Only resources of this account.",
        "4f316888-e0c7-82a1-afeb-5b1e09d2a7ef",
        255
    );

    public static readonly Parameter Event = Parameter.Text(
        "event",
        "Only these kinds of events, joined by commas.",
        "resource.created,resource.deleted",
        512,
        "^[a-z._*]+(,[a-z._*]+)*$"
    );

    public static readonly Parameter LastEventId = Parameter.Text(
        EventQuery.LastEventId,
        "The `id` of the last event that a stream's client has; wins over `after`.",
        "\"1042\"",
        20,
        "^[0-9]+$"
    );

    /// <summary>The query parameters of every address at which pages of events are read.</summary>
    public static readonly Parameter[] OfPages = [After, PageParameters.Limit, Wait, Type, Owner, Event];
}
