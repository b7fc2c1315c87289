namespace Resources.Api;

/// <summary>Headers of requests that more than one feature reads.</summary>
public static class RequestHeaders
{
    public static readonly Parameter IfMatch = Parameter.Text(
        "If-Match",
        "Succeeds only if one of these entity tags is current; `*` matches any version.",
        "\"3\"",
        1024
    );

    public static readonly Parameter IfNoneMatch = Parameter.Text(
        "If-None-Match",
        "Succeeds only if none of these entity tags is current; `*` matches any version. Otherwise, a read returns 304.",
        "\"2\"",
        1024
    );

    public static readonly Parameter IdempotencyKey = Parameter.Text(
        "Idempotency-Key",
        "Makes the request safe to retry: a repeated key returns the first response again. Quoted or bare.",
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
        "The version as a strong entity tag; compressed responses append the encoding. Lists have weak tags.",
        "\"3\"",
        64,
        "^(\"[0-9]+(-br|-gzip)?\"|W/\"[0-9a-f]{32}(-[0-9]+[.][0-9]+)?\")$"
    );

    public static readonly Parameter Location = Parameter.Text(
        "Location",
        "The address of the new object, or of the change that is being checked.",
        ApiGroup.Path + "/resources/019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10",
        128,
        $"^{ApiGroup.Path}/([a-z-]+/[0-9a-f-]{{36}}|types/[a-z0-9._-]+(/change)?)$"
    );

    public static readonly Parameter Position = Parameter.Text(
        Responses.PositionHeader,
        "The log position that the response reflects.",
        "1042",
        20,
        "^[0-9]+$"
    );

    public static readonly Parameter IdempotencyReplayed = Parameter.Choice(
        "Idempotency-Replayed",
        "The response is a replay of the first request with this key.",
        "true"
    );

    public static readonly Parameter RateLimitPolicy = Parameter.Text(
        "RateLimit-Policy",
        "The rate limit: `q` requests per window of `w` seconds.",
        "\"default\";q=1000;w=60",
        64,
        "^\"[a-z_]+\";q=[0-9]+;w=[0-9]+$"
    );

    public static readonly Parameter RateLimit = Parameter.Text(
        "RateLimit",
        "What remains of the rate limit: `r` requests in the next `t` seconds.",
        "\"default\";r=999;t=60",
        64,
        "^\"[a-z_]+\";r=[0-9]+;t=[0-9]+$"
    );

    public static readonly Parameter RetryAfter = Parameter.Text(
        "Retry-After",
        "The number of seconds to wait before the next attempt.",
        "1",
        10,
        "^[0-9]+$"
    );

    public static readonly Parameter WwwAuthenticate = Parameter.Text(
        "WWW-Authenticate",
        "The authentication scheme.",
        "Bearer",
        1024,
        "^Bearer"
    );

    public static readonly Parameter AcceptPost = Parameter.Text(
        "Accept-Post",
        "The media types accepted by POST and PUT.",
        "application/json",
        128,
        "^[a-z+/, -]+$"
    );

    public static readonly Parameter AcceptPatch = Parameter.Text(
        "Accept-Patch",
        "The media types accepted by PATCH.",
        "application/merge-patch+json, application/json, application/json-patch+json, application/vnd.resources.patch+json",
        128,
        "^[a-z.+/, -]+$"
    );

    public static readonly Parameter RequestId = Parameter.Text(
        "X-Request-Id",
        "The id of this request in the server's logs; equals `meta.requestId`.",
        "0HNQ9L3T3CJUO:00000001",
        64,
        "^[A-Za-z0-9:-]+$"
    );

    public static readonly Parameter SetCookie = Parameter.Text(
        "Set-Cookie",
        "Cookies of browsers: `__Host-session`, set at sign-in with `cookie: true` and deleted at sign-out; and "
            + "`__Host-device`, which makes the browser known to the account and opens nothing.",
        "__Host-session=…; path=/; secure; samesite=strict; httponly",
        4096
    );

    public static readonly Parameter ClearSiteData = Parameter.Text(
        "Clear-Site-Data",
        "Tells the browser to delete what it has stored for the session.",
        "\"cache\", \"storage\"",
        64
    );

    public static readonly Parameter Upgrade = Parameter.Text(
        "Upgrade",
        "The protocol to upgrade to.",
        "websocket",
        64
    );

    /// <summary>Those that pages of other origins may read.</summary>
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
