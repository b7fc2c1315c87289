using System.Text.Json;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>An operation as the OpenAPI document describes it.</summary>
/// <param name="By">Who may use it, as in <see cref="Row"/>.</param>
/// <param name="Members">Those of its JSON body.</param>
sealed partial record Operation(string Id, string Method, string Path, string By, string[] Query, string[] Members)
{
    public static Operation[] All(JsonElement document) =>
        [
            .. from path in document.GetProperty("paths").EnumerateObject()
            from operation in path.Value.EnumerateObject()
            let text = operation.Value.GetProperty("description").GetString()!
            select new Operation(
                operation.Value.GetProperty("operationId").GetString()!,
                operation.Name.ToUpperInvariant(),
                path.Name,
                text.Contains("Requires no authentication", StringComparison.Ordinal) ? Row.Open
                    : NeededPermission().Match(text) is { Success: true } match ? match.Groups[1].Value
                    : text.Contains("Requires a session", StringComparison.Ordinal) ? Row.OfSession
                    : Row.Anyone,
                operation.Value.TryGetProperty("parameters", out var parameters)
                    ?
                    [
                        .. parameters
                            .EnumerateArray()
                            .Where(parameter => parameter.GetProperty("in").GetString() is "query")
                            .Select(parameter => parameter.GetProperty("name").GetString()!),
                    ]
                    : [],
                MembersOf(document, operation.Value)
            ),
        ];

    static string[] MembersOf(JsonElement document, JsonElement operation)
    {
        if (!operation.TryGetProperty("requestBody", out var body))
            return [];
        var schema = body.GetProperty("content").EnumerateObject().First().Value.GetProperty("schema");
        var named = document
            .GetProperty("components")
            .GetProperty("schemas")
            .GetProperty(schema.GetProperty("$ref").GetString()!.Split('/')[^1]);
        return [.. named.GetProperty("properties").EnumerateObject().Select(member => member.Name)];
    }

    [GeneratedRegex("Requires the permission `([^`]+)`")]
    private static partial Regex NeededPermission();
}

/// <summary>
/// A well-formed request for an operation, and the response to a caller who may send it and can see its target.
/// </summary>
/// <param name="By">
/// Who may send it: <see cref="Open"/>, <see cref="Anyone"/> who is known, <see cref="OfSession"/>, or who has a
/// permission.
/// </param>
/// <param name="Of">What the address names; null = nothing.</param>
/// <param name="Code">Of a refusal that shows that everything before was passed.</param>
sealed record Row(
    string Operation,
    string By,
    int Status = 200,
    string? Code = null,
    string? Of = null,
    string? Body = null
)
{
    public string ContentType { get; init; } = "application/json";

    public (string, string)[] Headers { get; init; } = [];

    /// <summary>The caller's session is not what it was afterwards.</summary>
    public bool Spends { get; init; }

    /// <summary>The answer for what is beyond reach, where that is not the 404 of its kind.</summary>
    public int? Beyond { get; init; }

    public const string Open = "open",
        Anyone = "anyone",
        OfSession = "session";

    public const string Resource = "resource",
        Subscription = "subscription",
        User = "user",
        Session = "session",
        Key = "key",
        Role = "role",
        Type = "type",
        Keyed = "keyed",
        None = "none";

    /// <summary>The permission that is needed; null = none.</summary>
    public string? Permission => By is Open or Anyone or OfSession ? null : By;

    /// <summary>The codes with which things of a kind are missing.</summary>
    public static string Missing(string of) =>
        of switch
        {
            Resource or Keyed => "RESOURCE_NOT_FOUND",
            Subscription => "SUBSCRIPTION_NOT_FOUND",
            User => "ACCOUNT_NOT_FOUND",
            Session => "SESSION_NOT_FOUND",
            Key => "API_KEY_NOT_FOUND",
            Role => "ROLE_NOT_FOUND",
            Type => "TYPE_NOT_FOUND",
            _ => "NOT_FOUND",
        };

    /// <summary>One for each operation. <c>{new}</c> is something that nobody has yet.</summary>
    public static readonly Row[] All =
    [
        new("health", Open),
        new("live", Open),
        new("ready", Open),
        new("getKeySet", Open),
        new(
            "login",
            Open,
            401,
            "INVALID_CREDENTIALS",
            Body: """{"email":"{new}@example.org","password":"not the password at all"}"""
        ),
        new("refresh", Open, 401, "SESSION_OVER", Body: """{"refreshToken":"rrt_none"}"""),
        new("revoke", Open, 204, Body: """{"refreshToken":"rrt_none"}"""),
        new("finishLogin", Open, 401, "MFA_FAILED", Body: """{"mfaToken":"none","method":"totp","code":"123456"}"""),
        new("beginPasskeyLogin", Open),
        new("passkeyLogin", Open, 401, "PASSKEY_REFUSED", Body: """{"state":"none","credential":{"id":"none"}}"""),
        new(
            "register",
            Open,
            403,
            "REGISTRATION_CLOSED",
            Body: """{"email":"{new}@example.org","password":"nine pigs saw a grey kettle"}"""
        ),
        new("verifyEmail", Open, 400, "TOKEN_SPENT", Body: """{"token":"none","password":"none"}"""),
        new("forgotPassword", Open, 403, "MAIL_UNAVAILABLE", Body: """{"email":"{new}@example.org"}"""),
        new(
            "setPassword",
            Open,
            400,
            "TOKEN_SPENT",
            Body: """{"token":"none","newPassword":"nine pigs saw a grey kettle"}"""
        ),
        new("logout", OfSession, 204) { Spends = true },
        new(
            "changePassword",
            OfSession,
            204,
            Body: $$"""{"currentPassword":"{{Person.Password}}","newPassword":"nine pigs saw a grey kettle"}"""
        )
        {
            Spends = true,
        },
        new("stepUp", OfSession, Body: $$"""{"method":"password","code":"{{Person.Password}}"}""") { Spends = true },
        new("me", Anyone),
        new("explainAccess", Anyone, Body: """{"permission":"resource:read"}"""),
        new("getFactors", OfSession),
        new("enrollTotp", OfSession, 201) { Spends = true },
        new("confirmTotp", OfSession, 409, "NO_FACTOR", Body: """{"code":"123456"}""") { Spends = true },
        new("removeTotp", OfSession, 204) { Spends = true },
        new("issueRecoveryCodes", OfSession, 409, "NO_FACTOR"),
        new("listPasskeys", OfSession),
        new("beginPasskey", OfSession),
        new(
            "addPasskey",
            OfSession,
            401,
            "PASSKEY_REFUSED",
            Body: """{"state":"none","name":"phone","credential":{"id":"none"}}"""
        ),
        new("removePasskey", OfSession, 404, "PASSKEY_NOT_FOUND", None),
        new("listSessions", OfSession),
        new("endOtherSessions", OfSession, 204) { Spends = true },
        new("endSession", OfSession, 204, Of: Session),
        new("listUserSessions", "session:read", Of: User),
        new("listApiKeys", OfSession),
        new("createApiKey", OfSession, 201, Body: """{"name":"k","permissions":[]}"""),
        new("revokeApiKey", OfSession, 204, Of: Key),
        new("listUsers", "user:read"),
        new(
            "createUser",
            "user:create",
            201,
            Body: """{"email":"{new}@example.org","password":"nine pigs saw a grey kettle","roles":["user"]}"""
        ),
        new("getUser", "user:read", Of: User),
        new("changeUser", "user:update", Of: User, Body: """{"disabled":true}"""),
        new("setUserRoles", "user:update", Of: User, Body: """{"roles":["author"]}"""),
        new("deleteUser", "user:delete", 204, Of: User),
        new("listRoles", "role:read"),
        new("createRole", "role:manage", 201, Body: """{"name":"r{new}","permissions":["resource:read"]}"""),
        new("changeRole", "role:manage", Of: Role, Body: """{"permissions":["resource:read:own"]}"""),
        new("deleteRole", "role:manage", 204, Of: Role),
        new("readAudit", "audit:read"),
        new("listFollowers", "follower:read"),
        new("rebuildFollower", "follower:manage", 404, "NOT_FOUND", None),
        new("resumeFollower", "follower:manage", 404, "NOT_FOUND", None),
        new("skipEvent", "follower:manage", 404, "NOT_FOUND", None, """{"position":"1","reason":"none"}"""),
        new("listSigningKeys", "signing_key:manage"),
        new("rotateSigningKey", "signing_key:manage"),
        new("withdrawSigningKey", "signing_key:manage", 404, "NOT_FOUND", None),
        new("listGraphQLDocuments", "document:manage"),
        new("getGraphQLDocument", "document:manage", 404, "DOCUMENT_NOT_FOUND", None),
        new("storeGraphQLDocument", "document:manage", 400, "VALIDATION_FAILED", None, """{"text":"{ __typename }"}"""),
        new("removeGraphQLDocument", "document:manage", 404, "DOCUMENT_NOT_FOUND", None),
        new("createResource", "resource:create", 201, Body: """{"name":"{new}"}"""),
        new("listResources", "resource:read"),
        new("getStatistics", "resource:read"),
        new("getResource", "resource:read", Of: Resource),
        new("listResourceEvents", "resource:read", Of: Resource),
        new("listEvents", "resource:read"),
        new("openEventSocket", "resource:read", 426, "UPGRADE_REQUIRED"),
        new("replaceResource", "resource:update", Of: Resource, Body: """{"name":"replaced"}""")
        {
            Headers = [("If-Match", "*")],
        },
        new("patchResource", "resource:update", Of: Resource, Body: """{"name":"patched"}""")
        {
            ContentType = "application/merge-patch+json",
        },
        new("deleteResource", "resource:delete", 204, Of: Resource),
        new("restoreResource", "resource:delete", Of: Resource),
        new("listTypes", Anyone),
        new(
            "declareType",
            "type:manage",
            201,
            Body: """{"name":"t{new}","schema":{"type":"object","required":["a"]}}"""
        ),
        new("checkType", "type:read", Body: """{"definition":{"name":"t","schema":{"type":"object"}}}"""),
        new("getType", Anyone, Of: Type),
        new("getTypeSchema", Anyone, Of: Type),
        new("getTypeOpenApi", Anyone, Of: Type),
        new("getTypesOpenApi", Anyone),
        new(
            "replaceType",
            "type:manage",
            400,
            "VALIDATION_FAILED",
            Type,
            """{"name":"other","schema":{"type":"object"}}"""
        )
        {
            Headers = [("If-Match", "*")],
        },
        new("patchType", "type:manage", Of: Type, Body: """{"title":"patched"}""")
        {
            ContentType = "application/merge-patch+json",
        },
        new("deleteType", "type:manage", 204, Of: Type),
        new("getTypeChange", "type:manage", Of: Type),
        new("abandonTypeChange", "type:manage", 404, "TYPE_CHANGE_NOT_FOUND", Type),
        new("closeTypeMigration", "type:manage", 404, "TYPE_CHANGE_NOT_FOUND", Type),
        new("listResourcesOfType", "resource:read"),
        new("createResourceOfType", "resource:create", 201, Body: """{"name":"{new}"}"""),
        new("getResourceOfType", "resource:read", Of: Resource),
        new("replaceResourceOfType", "resource:update", Of: Resource, Body: """{"name":"replaced"}""")
        {
            Headers = [("If-Match", "*")],
        },
        new("patchResourceOfType", "resource:update", Of: Resource, Body: """{"name":"patched"}""")
        {
            ContentType = "application/merge-patch+json",
        },
        new("deleteResourceOfType", "resource:delete", 204, Of: Resource),
        new("restoreResourceOfType", "resource:delete", Of: Resource),
        new("listEventsOfResourceOfType", "resource:read", Of: Resource),
        new("getResourceByValue", "resource:read", Of: Keyed),
        // With the value it would create what is missing.
        new("putResourceByValue", "resource:update", 400, "VALIDATION_FAILED", None, """{"name":"{new}"}"""),
        new("patchResourceByValue", "resource:update", Of: Keyed, Body: """{"name":"patched"}""")
        {
            ContentType = "application/merge-patch+json",
        },
        new("deleteResourceByValue", "resource:delete", 204, Of: Keyed),
        new("executeGraphQL", Anyone, Body: """{"query":"{ __typename }"}"""),
        new("queryGraphQL", Anyone, 400, "VALIDATION_FAILED"),
        new("getGraphQLSchema", Anyone),
        new("getGraphQLLimits", Anyone),
        new("listTypeEvents", "type:read", Of: Type),
        new("createSubscription", "subscription:manage", 201, Body: """{"name":"{new}","delivery":{"kind":"pull"}}"""),
        new("listSubscriptions", "subscription:read"),
        new("getSubscription", "subscription:read", Of: Subscription),
        new("listAttempts", "subscription:read", Of: Subscription),
        new("listParked", "subscription:read", Of: Subscription),
        new("pauseSubscription", "subscription:manage", Of: Subscription),
        new("resumeSubscription", "subscription:manage", Of: Subscription),
        new("rotateSecret", "subscription:manage", 409, "OTHER_DELIVERY", Subscription),
        new("testSubscription", "subscription:manage", 409, "OTHER_DELIVERY", Subscription),
        new("replaySubscription", "subscription:manage", Of: Subscription, Body: """{"position":"0"}"""),
        new("pullEvents", "subscription:manage", Of: Subscription, Body: """{"consumer":"a"}"""),
        new(
            "ackEvents",
            "subscription:manage",
            409,
            "LEASE_LOST",
            Subscription,
            """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10"}"""
        ),
        new(
            "nackEvents",
            "subscription:manage",
            409,
            "LEASE_LOST",
            Subscription,
            """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10"}"""
        ),
        new(
            "parkEvents",
            "subscription:manage",
            409,
            "LEASE_LOST",
            Subscription,
            """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","reason":"none"}"""
        ),
        // To delete what is not there is to be done already.
        new("deleteSubscription", "subscription:manage", 204, Of: Subscription) { Beyond = 204 },
    ];
}
