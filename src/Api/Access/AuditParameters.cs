namespace Resources.Api;

/// <summary>The parameters of the audit, as the reference shows them.</summary>
static class AuditParameters
{
    public static readonly Parameter Actor = Parameter.Text(
        "actor",
        "Filters by the account that acted; `system` stands for the server itself.",
        "4f316888-e0c7-82a1-afeb-5b1e09d2a7ef",
        64
    );

    public static readonly Parameter Subject = Parameter.Id(
        "subject",
        "Filters by the account, session, API key or resource that was changed."
    );

    public static readonly Parameter Session = Parameter.Id(
        "session",
        "Filters by the session or API key that was used."
    );

    public static readonly Parameter Event = Parameter.Text(
        "event",
        "Filters by event type; comma-separated. `account.*` matches every event of accounts.",
        "session.started,account.*",
        512,
        "^[a-z._*]+(,[a-z._*]+)*$"
    );

    public static readonly Parameter Since = Parameter.Time(
        "since",
        "Returns entries at or after this time (RFC 3339)."
    );

    public static readonly Parameter Until = Parameter.Time(
        "until",
        "Returns entries at or before this time (RFC 3339)."
    );
}
