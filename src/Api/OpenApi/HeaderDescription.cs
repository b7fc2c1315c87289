using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Resources.Api;

/// <summary>The headers and query parameters that clients meet, for the OpenAPI document.</summary>
static class HeaderDescription
{
    const string Tag = "^(W/)?\"[0-9]+(-br|-gzip)?\"$";

    /// <summary>Headers of answers.</summary>
    static readonly Dictionary<string, (string Description, OpenApiSchema Schema, string Example)> Answered = new()
    {
        ["ETag"] = (
            "The version, as a strong entity tag; an encoded answer has the encoding behind it.",
            Text(Tag, 64),
            "\"3\""
        ),
        ["Location"] = (
            "Where the new resource or subscription is.",
            Text("^/api/v1/(resources|subscriptions)/[0-9a-f-]{36}$", 64),
            "/api/v1/resources/019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10"
        ),
        [Responses.PositionHeader] = (
            "The position of the log that this answer reflects.",
            Text("^[0-9]+$", 20),
            "1042"
        ),
        ["Idempotency-Replayed"] = (
            "The answer is that of the first request with this key.",
            new() { Type = JsonSchemaType.String, Enum = [JsonValue.Create("true")] },
            "true"
        ),
        ["RateLimit-Policy"] = (
            "The limit: permits `q` in a window of `w` seconds.",
            Text("^\"[a-z_]+\";q=[0-9]+;w=[0-9]+$", 64),
            "\"default\";q=1000;w=60"
        ),
        ["RateLimit"] = (
            "What is left of it: `r` permits, for `t` seconds.",
            Text("^\"[a-z_]+\";r=[0-9]+;t=[0-9]+$", 64),
            "\"default\";r=999;t=60"
        ),
        ["Retry-After"] = ("Seconds to wait.", Text("^[0-9]+$", 10), "1"),
        ["WWW-Authenticate"] = ("How to authenticate.", Text("^Bearer", 1024), "Bearer"),
        ["Accept-Post"] = ("The media types a POST or PUT takes.", Text("^[a-z+/, -]+$", 128), "application/json"),
        ["Accept-Patch"] = (
            "The media types a PATCH takes.",
            Text("^[a-z+/, -]+$", 128),
            "application/merge-patch+json, application/json-patch+json"
        ),
        ["X-Request-Id"] = (
            "Names this request in logs; `meta.requestId` too.",
            Text("^[A-Za-z0-9:-]+$", 64),
            "0HNQ9L3T3CJUO:00000001"
        ),
    };

    /// <summary>The names of all headers of answers that mean something to clients.</summary>
    public static IEnumerable<string> OfAnswers => Answered.Keys;

    static readonly Dictionary<string, (string Description, OpenApiSchema Schema, string Example)> Asked = new()
    {
        ["If-Match"] = ("Entity tags, one of which must be the current version's, or `*`.", Text(null, 1024), "\"3\""),
        ["If-None-Match"] = (
            "Entity tags, none of which may be the current version's, or `*`. A read is then answered 304.",
            Text(null, 1024),
            "\"2\""
        ),
        [Consistency.Header] = (
            "Answer no older than this position, which an earlier answer's `Position` gave; without it the answer has every write acknowledged before the request.",
            Text("^[0-9]+$", 20),
            "\"1042\""
        ),
        [EventQuery.LastEventId] = (
            "The `id` of the last event that a stream's client has; wins over `after`.",
            Text("^[0-9]+$", 20),
            "\"1042\""
        ),
        ["Idempotency-Key"] = (
            "Makes the request safe to repeat: the same key gives the first answer again. Quoted or bare.",
            Text("^[ -~]+$", 512),
            "\"8e03978e-40d5-43dd-bc93-6894a57f9324\""
        ),
    };

    static readonly Dictionary<string, (string Description, OpenApiSchema Schema, string Example)> Queried = new()
    {
        ["version"] = (
            "Reads this version.",
            new()
            {
                Type = JsonSchemaType.Integer,
                Format = "int64",
                Minimum = "1",
            },
            "1"
        ),
        ["at"] = (
            "Reads the resource as it was at a time (RFC 3339) or a position of the log. Excludes `version`.",
            Text("^([0-9]{1,19}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt].+)$", 64),
            "\"2026-01-31T12:00:00Z\""
        ),
        ["fields"] = (
            "Members to show, joined by commas; `metadata.a.b` reaches inside. The id is always shown.",
            Text("^[^,]+(,[^,]+)*$", 4096),
            "\"name,metadata.color\""
        ),
        ["limit"] = (
            "The size of the page; a larger one than the largest is taken as that.",
            new()
            {
                Type = JsonSchemaType.Integer,
                Format = "int32",
                Minimum = "1",
            },
            "20"
        ),
        ["cursor"] = (
            "`meta.page.next` of the page before, of the same list.",
            Text("^[A-Za-z0-9_-]+$", 4096),
            "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
        ),
        ["after"] = (
            "Events after this position, which an earlier answer gave; `now` = only those to come.",
            Text("^([0-9]+|now)$", 20),
            "\"1042\""
        ),
        ["wait"] = (
            "Where there are no events yet, waits so many seconds for the next ones.",
            new()
            {
                Type = JsonSchemaType.Integer,
                Format = "int32",
                Minimum = "0",
                Maximum = "60",
            },
            "20"
        ),
        ["resource"] = (
            "Only events of this resource.",
            new()
            {
                Type = JsonSchemaType.String,
                Format = "uuid",
                MaxLength = 36,
            },
            "\"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10\""
        ),
        ["event"] = (
            "Only these kinds of events, joined by commas.",
            Text("^[a-z._*]+(,[a-z._*]+)*$", 512),
            "\"resource.created,resource.deleted\""
        ),
        ["type"] = ("Only resources of this type.", Slug(), "\"bicycle\""),
        ["status"] = ("Only resources with this status.", Slug(), "\"active\""),
        ["q"] = (
            "Only resources with these words in name or metadata; each may be the beginning of a word.",
            Text(null, 500),
            "\"blue bicy\""
        ),
        ["filter"] = (
            "An AIP-160 expression over fields and `metadata.*`: comparisons `= != < <= > >= :`, AND, OR (binds tighter), NOT.",
            Text(null, 4096),
            "\"status = active AND metadata.gears >= 7\""
        ),
        ["sort"] = (
            "Fields joined by commas, a minus before those that descend: createdAt, updatedAt, name, type, status, owner, id.",
            Text("^-?[A-Za-z]+(,-?[A-Za-z]+)*$", 64),
            "\"-createdAt,name\""
        ),
        ["count"] = (
            "Answers `meta.count`, the size of the whole list.",
            new() { Type = JsonSchemaType.String, Enum = [JsonValue.Create("exact"), JsonValue.Create("estimated")] },
            "\"exact\""
        ),
        ["includeDeleted"] = (
            "Shows deleted resources too; needs the permission `resource:read_deleted`.",
            new() { Type = JsonSchemaType.Boolean },
            "false"
        ),
        ["follow"] = (
            "Answers a stream: the list, then what changes in it. Not with `cursor`, `limit` or `count`.",
            new() { Type = JsonSchemaType.Boolean },
            "false"
        ),
        ["consistency"] = (
            "`eventual` answers from what is there, without waiting for the newest writes.",
            new()
            {
                Type = JsonSchemaType.String,
                Enum = [JsonValue.Create("linearizable"), JsonValue.Create("eventual")],
            },
            "\"linearizable\""
        ),
        ["from"] = (
            "Only resources created on this day (UTC) or later.",
            new()
            {
                Type = JsonSchemaType.String,
                Format = "date",
                MaxLength = 10,
            },
            "\"2026-01-01\""
        ),
        ["to"] = (
            "Only resources created on this day (UTC) or earlier.",
            new()
            {
                Type = JsonSchemaType.String,
                Format = "date",
                MaxLength = 10,
            },
            "\"2026-12-31\""
        ),
        ["actor"] = (
            "Only what this account did; `system` stands for the nodes.",
            Text(null, 64),
            "\"4f316888-e0c7-82a1-afeb-5b1e09d2a7ef\""
        ),
        ["subject"] = (
            "Only what was done to this account, session, API key or resource.",
            new()
            {
                Type = JsonSchemaType.String,
                Format = "uuid",
                MaxLength = 36,
            },
            "\"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10\""
        ),
        ["session"] = (
            "Only what was done by this session or API key.",
            new()
            {
                Type = JsonSchemaType.String,
                Format = "uuid",
                MaxLength = 36,
            },
            "\"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10\""
        ),
        ["since"] = (
            "Only what was done then (RFC 3339) or later.",
            new()
            {
                Type = JsonSchemaType.String,
                Format = "date-time",
                MaxLength = 64,
            },
            "\"2026-01-31T12:00:00Z\""
        ),
        ["until"] = (
            "Only what was done then (RFC 3339) or earlier.",
            new()
            {
                Type = JsonSchemaType.String,
                Format = "date-time",
                MaxLength = 64,
            },
            "\"2026-01-31T12:00:00Z\""
        ),
        ["owner"] = ("Only resources of this account.", Text(null, 255), "\"4f316888-e0c7-82a1-afeb-5b1e09d2a7ef\""),
    };

    /// <summary>All headers of answers, as components.</summary>
    public static Dictionary<string, IOpenApiHeader> Headers() =>
        Answered.ToDictionary(
            pair => pair.Key,
            IOpenApiHeader (pair) =>
                new OpenApiHeader
                {
                    Description = pair.Value.Description,
                    Schema = pair.Value.Schema,
                    Example = JsonValue.Create(pair.Value.Example),
                }
        );

    /// <summary>Whether a header belongs to requests.</summary>
    public static bool IsAsked(string header) => Asked.ContainsKey(header);

    public static OpenApiParameter Header(string name, bool required) =>
        new()
        {
            Name = name,
            In = ParameterLocation.Header,
            Required = required,
            Description = Asked[name].Description,
            Schema = Asked[name].Schema,
            Example = JsonValue.Create(Asked[name].Example),
        };

    public static OpenApiParameter Query(string name) =>
        new()
        {
            Name = name,
            In = ParameterLocation.Query,
            Description = Queried[name].Description,
            Schema = Queried[name].Schema,
            Example = JsonNode.Parse(Queried[name].Example),
        };

    public static OpenApiSchema Slug() => Text("^[a-z0-9]+([-_.][a-z0-9]+)*$", Grains.Slug.MaxLength);

    static OpenApiSchema Text(string? pattern, int longest) =>
        new()
        {
            Type = JsonSchemaType.String,
            MinLength = 1,
            MaxLength = longest,
            Pattern = pattern,
        };
}
