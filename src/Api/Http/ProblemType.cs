using Resources.Grains;

namespace Resources.Api;

/// <summary>
/// A kind of failure: its stable code, its status and its title. This file is the only place where failures get a
/// status.
/// </summary>
public sealed record ProblemType(string Code, int Status, string Title)
{
    public static readonly ProblemType ValidationFailed = new("VALIDATION_FAILED", 400, "The request is invalid");
    public static readonly ProblemType WebhookTargetForbidden = new(
        "WEBHOOK_TARGET_FORBIDDEN",
        400,
        "The webhook target is not allowed"
    );
    public static readonly ProblemType TokenSpent = new("TOKEN_SPENT", 400, "The token is invalid or expired");
    public static readonly ProblemType Unauthenticated = new("UNAUTHENTICATED", 401, "Authentication is required");
    public static readonly ProblemType InvalidCredentials = new(
        "INVALID_CREDENTIALS",
        401,
        "Wrong e-mail address or password"
    );
    public static readonly ProblemType SessionOver = new("SESSION_OVER", 401, "The session has ended");
    public static readonly ProblemType MfaFailed = new("MFA_FAILED", 401, "The second factor was rejected");
    public static readonly ProblemType PasskeyRefused = new("PASSKEY_REFUSED", 401, "The passkey was rejected");
    public static readonly ProblemType Forbidden = new("FORBIDDEN", 403, "Permission denied");
    public static readonly ProblemType AboveOwnRights = new(
        "ABOVE_OWN_RIGHTS",
        403,
        "Cannot grant rights you do not have"
    );
    public static readonly ProblemType AccountInactive = new(
        "ACCOUNT_INACTIVE",
        403,
        "The account is disabled or not verified"
    );
    public static readonly ProblemType CsrfRejected = new("CSRF_REJECTED", 403, "The CSRF check failed");
    public static readonly ProblemType MailUnavailable = new("MAIL_UNAVAILABLE", 403, "Mail is not configured");
    public static readonly ProblemType ReauthenticationRequired = new(
        "REAUTHENTICATION_REQUIRED",
        403,
        "Recent authentication is required"
    );
    public static readonly ProblemType RegistrationClosed = new("REGISTRATION_CLOSED", 403, "Registration is closed");
    public static readonly ProblemType SessionRequired = new(
        "SESSION_REQUIRED",
        403,
        "A session is required; API keys are not accepted"
    );
    public static readonly ProblemType NotFound = new("NOT_FOUND", 404, "Not found");
    public static readonly ProblemType ResourceNotFound = new("RESOURCE_NOT_FOUND", 404, "Resource not found");
    public static readonly ProblemType VersionNotFound = new("VERSION_NOT_FOUND", 404, "Version not found");
    public static readonly ProblemType AccountNotFound = new("ACCOUNT_NOT_FOUND", 404, "Account not found");
    public static readonly ProblemType ApiKeyNotFound = new("API_KEY_NOT_FOUND", 404, "API key not found");
    public static readonly ProblemType PasskeyNotFound = new("PASSKEY_NOT_FOUND", 404, "Passkey not found");
    public static readonly ProblemType RoleNotFound = new("ROLE_NOT_FOUND", 404, "Role not found");
    public static readonly ProblemType SessionNotFound = new("SESSION_NOT_FOUND", 404, "Session not found");
    public static readonly ProblemType SubscriptionNotFound = new(
        "SUBSCRIPTION_NOT_FOUND",
        404,
        "Subscription not found"
    );
    public static readonly ProblemType MethodNotAllowed = new("METHOD_NOT_ALLOWED", 405, "Method not allowed");
    public static readonly ProblemType NotAcceptable = new("NOT_ACCEPTABLE", 406, "No acceptable media type");
    public static readonly ProblemType RequestTimeout = new("REQUEST_TIMEOUT", 408, "The request timed out");
    public static readonly ProblemType PatchTestFailed = new(
        "PATCH_TEST_FAILED",
        409,
        "A test operation of the patch failed"
    );
    public static readonly ProblemType BoundExceeded = new(
        "BOUND_EXCEEDED",
        409,
        "A number would leave the bounds of the patch"
    );
    public static readonly ProblemType FollowerBusy = new(
        "FOLLOWER_BUSY",
        409,
        "A rebuild of the follower is already running"
    );
    public static readonly ProblemType FollowerElsewhere = new(
        "FOLLOWER_ELSEWHERE",
        409,
        "The follower is not stopped at this position"
    );
    public static readonly ProblemType AlreadyExists = new("ALREADY_EXISTS", 409, "Already exists");
    public static readonly ProblemType LastAdministrator = new(
        "LAST_ADMINISTRATOR",
        409,
        "The last administrator cannot be removed"
    );
    public static readonly ProblemType NoFactor = new("NO_FACTOR", 409, "No second factor is set up");
    public static readonly ProblemType TooManySubscriptions = new(
        "TOO_MANY_SUBSCRIPTIONS",
        409,
        "Too many subscriptions"
    );
    public static readonly ProblemType TooManyApiKeys = new("TOO_MANY_API_KEYS", 409, "Too many API keys");
    public static readonly ProblemType SubscriptionInactive = new(
        "SUBSCRIPTION_INACTIVE",
        409,
        "The subscription is not active"
    );
    public static readonly ProblemType OtherDelivery = new(
        "OTHER_DELIVERY",
        409,
        "Not supported for this delivery type"
    );
    public static readonly ProblemType LeaseLost = new("LEASE_LOST", 409, "The lease has expired");
    public static readonly ProblemType ResourceNotParked = new(
        "RESOURCE_NOT_PARKED",
        409,
        "The resource is not parked"
    );
    public static readonly ProblemType NotUnique = new("NOT_UNIQUE", 409, "The value is taken");
    public static readonly ProblemType ReferenceNotFound = new(
        "REFERENCE_NOT_FOUND",
        409,
        "A referenced resource was not found"
    );
    public static readonly ProblemType StillReferenced = new(
        "STILL_REFERENCED",
        409,
        "Other resources refer to the resource"
    );
    public static readonly ProblemType TooManyReferrers = new(
        "TOO_MANY_REFERRERS",
        409,
        "Too many resources would go with the resource"
    );
    public static readonly ProblemType TypeNotFound = new("TYPE_NOT_FOUND", 404, "Type not found");
    public static readonly ProblemType NotIndexed = new("NOT_INDEXED", 400, "No index serves this order");
    public static readonly ProblemType TypeChangeNotFound = new(
        "TYPE_CHANGE_NOT_FOUND",
        404,
        "No change of the type is pending"
    );
    public static readonly ProblemType TypeChangePending = new(
        "TYPE_CHANGE_PENDING",
        409,
        "A change of the type is pending"
    );
    public static readonly ProblemType TypeChangeBreaksData = new(
        "TYPE_CHANGE_BREAKS_DATA",
        409,
        "Stored resources contradict the change"
    );
    public static readonly ProblemType TypeChangeAbandoned = new(
        "TYPE_CHANGE_ABANDONED",
        409,
        "The change was abandoned"
    );
    public static readonly ProblemType TypeInUse = new("TYPE_IN_USE", 409, "The type is in use");
    public static readonly ProblemType TooManyTypes = new("TOO_MANY_TYPES", 409, "Too many types");
    public static readonly ProblemType NameClash = new("NAME_CLASH", 409, "Another type has this name");
    public static readonly ProblemType TransitionNotAllowed = new(
        "TRANSITION_NOT_ALLOWED",
        409,
        "The status cannot change like this"
    );
    public static readonly ProblemType RestoreInvalid = new(
        "RESTORE_INVALID",
        409,
        "The resource no longer fits its type"
    );
    public static readonly ProblemType ClusterMixed = new(
        "CLUSTER_MIXED",
        409,
        "Nodes of the previous release are running"
    );
    public static readonly ProblemType ResourceDeleted = new("RESOURCE_DELETED", 410, "The resource was deleted");
    public static readonly ProblemType VersionMismatch = new("VERSION_MISMATCH", 412, "The version does not match");
    public static readonly ProblemType BodyTooLarge = new("BODY_TOO_LARGE", 413, "The request body is too large");
    public static readonly ProblemType UriTooLong = new("URI_TOO_LONG", 414, "The URI is too long");
    public static readonly ProblemType UnsupportedMediaType = new(
        "UNSUPPORTED_MEDIA_TYPE",
        415,
        "Unsupported media type"
    );
    public static readonly ProblemType IdempotencyKeyReused = new(
        "IDEMPOTENCY_KEY_REUSED",
        422,
        "The Idempotency-Key was used for another request"
    );
    public static readonly ProblemType PatchNotApplicable = new(
        "PATCH_NOT_APPLICABLE",
        422,
        "The patch cannot be applied"
    );
    public static readonly ProblemType UpgradeRequired = new(
        "UPGRADE_REQUIRED",
        426,
        "A WebSocket upgrade is required"
    );
    public static readonly ProblemType PreconditionRequired = new(
        "PRECONDITION_REQUIRED",
        428,
        "The If-Match header is required"
    );
    public static readonly ProblemType RateLimited = new("RATE_LIMITED", 429, "Too many requests");
    public static readonly ProblemType TooManyStreams = new("TOO_MANY_STREAMS", 429, "Too many open streams");
    public static readonly ProblemType HeadersTooLarge = new(
        "HEADERS_TOO_LARGE",
        431,
        "The request headers are too large"
    );
    public static readonly ProblemType InternalError = new("INTERNAL_ERROR", 500, "Internal server error");
    public static readonly ProblemType StoreUnavailable = new("STORE_UNAVAILABLE", 503, "The database is unavailable");
    public static readonly ProblemType ClusterUnavailable = new(
        "CLUSTER_UNAVAILABLE",
        503,
        "A cluster node is unavailable"
    );
    public static readonly ProblemType LoginBusy = new("LOGIN_BUSY", 503, "Too many concurrent logins");
    public static readonly ProblemType Overloaded = new("OVERLOADED", 503, "The server is overloaded");
    public static readonly ProblemType AccessUnknown = new("ACCESS_UNKNOWN", 503, "The node cannot check access");
    public static readonly ProblemType LimitUnknown = new("LIMIT_UNKNOWN", 503, "The node cannot check the rate limit");
    public static readonly ProblemType TooComplex = new("TOO_COMPLEX", 400, "The operation is too complex");

    public static readonly ProblemType NotPersisted = new(
        "PERSISTED_QUERY_NOT_FOUND",
        404,
        "The document is not known by its hash"
    );

    public static readonly ProblemType DocumentNotFound = new("DOCUMENT_NOT_FOUND", 404, "Document not found");
    public static readonly ProblemType DocumentNotTrusted = new(
        "DOCUMENT_NOT_TRUSTED",
        403,
        "The document is not one of those that may be run"
    );
    public static readonly ProblemType TooManyDocuments = new("TOO_MANY_DOCUMENTS", 409, "Too many documents");
    public static readonly ProblemType SchemaChanged = new("SCHEMA_CHANGED", 409, "The type is not declared any more");

    public static readonly ProblemType SearchesBusy = new("SEARCHES_BUSY", 503, "Too many concurrent searches");
    public static readonly ProblemType QueryTimeout = new("QUERY_TIMEOUT", 503, "The query timed out");
    public static readonly ProblemType ReadModelBehind = new("READ_MODEL_BEHIND", 503, "The read model is behind");

    /// <summary>Every type, as published.</summary>
    public static readonly ProblemType[] All =
    [
        ValidationFailed,
        WebhookTargetForbidden,
        TokenSpent,
        NotIndexed,
        Unauthenticated,
        InvalidCredentials,
        SessionOver,
        MfaFailed,
        PasskeyRefused,
        Forbidden,
        AboveOwnRights,
        AccountInactive,
        CsrfRejected,
        MailUnavailable,
        ReauthenticationRequired,
        RegistrationClosed,
        SessionRequired,
        NotFound,
        ResourceNotFound,
        VersionNotFound,
        AccountNotFound,
        ApiKeyNotFound,
        PasskeyNotFound,
        RoleNotFound,
        SessionNotFound,
        SubscriptionNotFound,
        TypeNotFound,
        TypeChangeNotFound,
        DocumentNotFound,
        MethodNotAllowed,
        NotAcceptable,
        RequestTimeout,
        PatchTestFailed,
        BoundExceeded,
        FollowerBusy,
        FollowerElsewhere,
        AlreadyExists,
        LastAdministrator,
        NoFactor,
        TooManySubscriptions,
        TooManyApiKeys,
        TooManyDocuments,
        SubscriptionInactive,
        OtherDelivery,
        LeaseLost,
        ResourceNotParked,
        NotUnique,
        ReferenceNotFound,
        StillReferenced,
        TooManyReferrers,
        TypeChangePending,
        TypeChangeBreaksData,
        TypeChangeAbandoned,
        TypeInUse,
        TooManyTypes,
        NameClash,
        TransitionNotAllowed,
        RestoreInvalid,
        ClusterMixed,
        ResourceDeleted,
        VersionMismatch,
        BodyTooLarge,
        UriTooLong,
        UnsupportedMediaType,
        IdempotencyKeyReused,
        PatchNotApplicable,
        UpgradeRequired,
        PreconditionRequired,
        RateLimited,
        TooManyStreams,
        HeadersTooLarge,
        InternalError,
        StoreUnavailable,
        ClusterUnavailable,
        LoginBusy,
        Overloaded,
        AccessUnknown,
        LimitUnknown,
        SearchesBusy,
        QueryTimeout,
        ReadModelBehind,
    ];

    /// <summary>The published address of this type. Quota problems have a registered one.</summary>
    public string Uri =>
        Status is 429 ? "https://iana.org/assignments/http-problem-types#quota-exceeded" : "/problems#" + Code;

    /// <summary>The type of a grain's refusal.</summary>
    public static ProblemType Of(Refusal refusal) =>
        refusal switch
        {
            Refusal.NotFound => ResourceNotFound,
            Refusal.Deleted => ResourceDeleted,
            Refusal.Invalid => ValidationFailed,
            Refusal.VersionMismatch => VersionMismatch,
            Refusal.KeyReused => IdempotencyKeyReused,
            Refusal.PatchTestFailed => PatchTestFailed,
            Refusal.BoundExceeded => BoundExceeded,
            Refusal.PatchNotApplicable => PatchNotApplicable,
            Refusal.VersionNotFound => VersionNotFound,
            Refusal.AlreadyExists => AlreadyExists,
            Refusal.SubscriptionInactive => SubscriptionInactive,
            Refusal.LeaseLost => LeaseLost,
            Refusal.AccountNotFound => AccountNotFound,
            Refusal.RoleNotFound => RoleNotFound,
            Refusal.ApiKeyNotFound => ApiKeyNotFound,
            Refusal.LastAdministrator => LastAdministrator,
            Refusal.TokenSpent => TokenSpent,
            Refusal.SessionOver => SessionOver,
            Refusal.FactorFailed => MfaFailed,
            Refusal.NoFactor => NoFactor,
            Refusal.PasskeyNotFound => PasskeyNotFound,
            Refusal.Forbidden => Forbidden,
            Refusal.ReadModelBehind => ReadModelBehind,
            Refusal.PositionAhead => ValidationFailed,
            Refusal.SubscriptionNotFound => SubscriptionNotFound,
            Refusal.TooManyApiKeys => TooManyApiKeys,
            Refusal.TooManyDocuments => TooManyDocuments,
            Refusal.DocumentNotFound => DocumentNotFound,
            Refusal.NotUnique => NotUnique,
            Refusal.ReferenceNotFound => ReferenceNotFound,
            Refusal.StillReferenced => StillReferenced,
            Refusal.TooManyReferrers => TooManyReferrers,
            Refusal.TypeNotFound => TypeNotFound,
            Refusal.NoTypeChange => TypeChangeNotFound,
            Refusal.TypeChangePending => TypeChangePending,
            Refusal.TypeChangeBreaksData => TypeChangeBreaksData,
            Refusal.TypeChangeAbandoned => TypeChangeAbandoned,
            Refusal.TypeInUse => TypeInUse,
            Refusal.TooManyTypes => TooManyTypes,
            Refusal.NameClash => NameClash,
            Refusal.TransitionNotAllowed => TransitionNotAllowed,
            Refusal.RestoreInvalid => RestoreInvalid,
            Refusal.ClusterMixed => ClusterMixed,
            Refusal.NotIndexed or Refusal.IndexBuilding => NotIndexed,
            _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "This refusal has no problem type."),
        };

    /// <summary>The type of a bare status that the framework has chosen.</summary>
    public static ProblemType Of(int status) =>
        status switch
        {
            401 => Unauthenticated,
            403 => Forbidden,
            404 => NotFound,
            405 => MethodNotAllowed,
            406 => NotAcceptable,
            408 => RequestTimeout,
            413 => BodyTooLarge,
            414 => UriTooLong,
            415 => UnsupportedMediaType,
            426 => UpgradeRequired,
            431 => HeadersTooLarge,
            >= 400 and < 500 => ValidationFailed,
            _ => InternalError,
        };
}
