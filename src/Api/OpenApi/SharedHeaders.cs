namespace Resources.Api;

/// <summary>Headers of requests that more than one feature reads.</summary>
public static class RequestHeaders
{
    public static readonly Parameter IfMatch = Parameter.Text(
        "If-Match",
        "Entity tags, one of which must be the current version's, or `*`.",
        "\"3\"",
        1024
    );

    public static readonly Parameter IfNoneMatch = Parameter.Text(
        "If-None-Match",
        "Entity tags, none of which may be the current version's, or `*`. A read is then answered 304.",
        "\"2\"",
        1024
    );

    public static readonly Parameter IdempotencyKey = Parameter.Text(
        "Idempotency-Key",
        "Makes the request safe to repeat: the same key gives the first answer again. Quoted or bare.",
        "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
        512,
        "^[ -~]+$"
    );
}

/// <summary>Headers of answers that mean something to clients.</summary>
public static class AnswerHeaders
{
    public static readonly Parameter ETag = Parameter.Text(
        "ETag",
        "The version, as a strong entity tag; an encoded answer has the encoding behind it.",
        "\"3\"",
        64,
        "^(W/)?\"[0-9]+(-br|-gzip)?\"$"
    );

    public static readonly Parameter Location = Parameter.Text(
        "Location",
        "Where the new resource or subscription is.",
        ApiGroup.Path + "/resources/019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10",
        64,
        $"^{ApiGroup.Path}/[a-z-]+/[0-9a-f-]{{36}}$"
    );

    public static readonly Parameter Position = Parameter.Text(
        Answers.PositionHeader,
        "The position of the log that this answer reflects.",
        "1042",
        20,
        "^[0-9]+$"
    );

    public static readonly Parameter IdempotencyReplayed = Parameter.Choice(
        "Idempotency-Replayed",
        "The answer is that of the first request with this key.",
        "true"
    );

    public static readonly Parameter RateLimitPolicy = Parameter.Text(
        "RateLimit-Policy",
        "The limit: permits `q` in a window of `w` seconds.",
        "\"default\";q=1000;w=60",
        64,
        "^\"[a-z_]+\";q=[0-9]+;w=[0-9]+$"
    );

    public static readonly Parameter RateLimit = Parameter.Text(
        "RateLimit",
        "What is left of it: `r` permits, for `t` seconds.",
        "\"default\";r=999;t=60",
        64,
        "^\"[a-z_]+\";r=[0-9]+;t=[0-9]+$"
    );

    public static readonly Parameter RetryAfter = Parameter.Text(
        "Retry-After",
        "Seconds to wait.",
        "1",
        10,
        "^[0-9]+$"
    );

    public static readonly Parameter WwwAuthenticate = Parameter.Text(
        "WWW-Authenticate",
        "How to authenticate.",
        "Bearer",
        1024,
        "^Bearer"
    );

    public static readonly Parameter AcceptPost = Parameter.Text(
        "Accept-Post",
        "The media types a POST or PUT takes.",
        "application/json",
        128,
        "^[a-z+/, -]+$"
    );

    public static readonly Parameter AcceptPatch = Parameter.Text(
        "Accept-Patch",
        "The media types a PATCH takes.",
        "application/merge-patch+json, application/json-patch+json",
        128,
        "^[a-z+/, -]+$"
    );

    public static readonly Parameter RequestId = Parameter.Text(
        "X-Request-Id",
        "Names this request in logs; `meta.requestId` too.",
        "0HNQ9L3T3CJUO:00000001",
        64,
        "^[A-Za-z0-9:-]+$"
    );

    /// <summary>All of them; pages of other origins may read these.</summary>
    public static readonly Parameter[] All =
    [
        ETag,
        Location,
        Position,
        IdempotencyReplayed,
        RateLimitPolicy,
        RateLimit,
        RetryAfter,
        WwwAuthenticate,
        AcceptPost,
        AcceptPatch,
        RequestId,
    ];
}
