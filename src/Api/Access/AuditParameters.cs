namespace Resources.Api;

/// <summary>The parameters of the audit, as the reference shows them.</summary>
static class AuditParameters
{
    public static readonly Parameter Actor = Parameter.Text(
        "actor",
        "Only what this account did; `system` stands for the nodes.",
        "4f316888-e0c7-82a1-afeb-5b1e09d2a7ef",
        64
    );

    public static readonly Parameter Subject = Parameter.Id(
        "subject",
        "Only what was done to this account, session, API key or resource."
    );

    public static readonly Parameter Session = Parameter.Id(
        "session",
        "Only what was done by this session or API key."
    );

    public static readonly Parameter Event = Parameter.Text(
        "event",
        "Only these kinds of events, joined by commas.",
        "resource.created,resource.deleted",
        512,
        "^[a-z._*]+(,[a-z._*]+)*$"
    );

    public static readonly Parameter Since = Parameter.Time("since", "Only what was done then (RFC 3339) or later.");

    public static readonly Parameter Until = Parameter.Time("until", "Only what was done then (RFC 3339) or earlier.");
}
