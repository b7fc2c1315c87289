using Resources.Grains;

namespace Resources.Api;

/// <summary>
/// A kind of failure: its stable code, its status and its title. This file is the only place where failures get a
/// status.
/// </summary>
public sealed record ProblemType(string Code, int Status, string Title)
{
    public static readonly ProblemType ValidationFailed = new("VALIDATION_FAILED", 400, "The request is not valid");
    public static readonly ProblemType WebhookTargetForbidden = new(
        "WEBHOOK_TARGET_FORBIDDEN",
        400,
        "Webhooks may not go there"
    );
    public static readonly ProblemType TokenSpent = new("TOKEN_SPENT", 400, "The token is not good, or not any more");
    public static readonly ProblemType Unauthenticated = new("UNAUTHENTICATED", 401, "Authentication is needed");
    public static readonly ProblemType InvalidCredentials = new(
        "INVALID_CREDENTIALS",
        401,
        "E-mail or password is wrong"
    );
    public static readonly ProblemType SessionOver = new("SESSION_OVER", 401, "The session is over");
    public static readonly ProblemType MfaFailed = new("MFA_FAILED", 401, "The second factor is wrong");
    public static readonly ProblemType PasskeyRefused = new("PASSKEY_REFUSED", 401, "The passkey is not accepted");
    public static readonly ProblemType Forbidden = new("FORBIDDEN", 403, "The permission is missing");
    public static readonly ProblemType AboveOwnRights = new(
        "ABOVE_OWN_RIGHTS",
        403,
        "It would give rights that the caller lacks"
    );
    public static readonly ProblemType AccountInactive = new(
        "ACCOUNT_INACTIVE",
        403,
        "The account is disabled, or its address is not verified"
    );
    public static readonly ProblemType CsrfRejected = new(
        "CSRF_REJECTED",
        403,
        "The request does not come from a page of this session"
    );
    public static readonly ProblemType MailUnavailable = new("MAIL_UNAVAILABLE", 403, "No mail is sent from here");
    public static readonly ProblemType ReauthenticationRequired = new(
        "REAUTHENTICATION_REQUIRED",
        403,
        "The caller has to authenticate again"
    );
    public static readonly ProblemType RegistrationClosed = new("REGISTRATION_CLOSED", 403, "Nobody may register here");
    public static readonly ProblemType SessionRequired = new(
        "SESSION_REQUIRED",
        403,
        "A session is needed, no key will do"
    );
    public static readonly ProblemType NotFound = new("NOT_FOUND", 404, "Nothing is here");
    public static readonly ProblemType ResourceNotFound = new("RESOURCE_NOT_FOUND", 404, "There is no such resource");
    public static readonly ProblemType VersionNotFound = new(
        "VERSION_NOT_FOUND",
        404,
        "The resource has no such version"
    );
    public static readonly ProblemType AccountNotFound = new("ACCOUNT_NOT_FOUND", 404, "There is no such account");
    public static readonly ProblemType ApiKeyNotFound = new("API_KEY_NOT_FOUND", 404, "There is no such API key");
    public static readonly ProblemType PasskeyNotFound = new("PASSKEY_NOT_FOUND", 404, "There is no such passkey");
    public static readonly ProblemType RoleNotFound = new("ROLE_NOT_FOUND", 404, "There is no such role");
    public static readonly ProblemType SessionNotFound = new("SESSION_NOT_FOUND", 404, "There is no such session");
    public static readonly ProblemType SubscriptionNotFound = new(
        "SUBSCRIPTION_NOT_FOUND",
        404,
        "There is no such subscription"
    );
    public static readonly ProblemType MethodNotAllowed = new(
        "METHOD_NOT_ALLOWED",
        405,
        "The method is not allowed here"
    );
    public static readonly ProblemType NotAcceptable = new("NOT_ACCEPTABLE", 406, "No acceptable form of the answer");
    public static readonly ProblemType RequestTimeout = new("REQUEST_TIMEOUT", 408, "The request came too slowly");
    public static readonly ProblemType PatchTestFailed = new("PATCH_TEST_FAILED", 409, "A test of the patch failed");
    public static readonly ProblemType FollowerBusy = new(
        "FOLLOWER_BUSY",
        409,
        "A rebuild of the follower is under way"
    );
    public static readonly ProblemType FollowerElsewhere = new(
        "FOLLOWER_ELSEWHERE",
        409,
        "The follower does not stand still there"
    );
    public static readonly ProblemType AlreadyExists = new("ALREADY_EXISTS", 409, "It exists already");
    public static readonly ProblemType LastAdministrator = new(
        "LAST_ADMINISTRATOR",
        409,
        "There must be an administrator"
    );
    public static readonly ProblemType NoFactor = new("NO_FACTOR", 409, "No second factor is set up");
    public static readonly ProblemType TooManySubscriptions = new(
        "TOO_MANY_SUBSCRIPTIONS",
        409,
        "The account has as many subscriptions as it may"
    );
    public static readonly ProblemType TooManyApiKeys = new(
        "TOO_MANY_API_KEYS",
        409,
        "The account has as many API keys as it may"
    );
    public static readonly ProblemType SubscriptionInactive = new(
        "SUBSCRIPTION_INACTIVE",
        409,
        "The subscription is not active"
    );
    public static readonly ProblemType OtherDelivery = new(
        "OTHER_DELIVERY",
        409,
        "The subscription delivers in another way"
    );
    public static readonly ProblemType LeaseLost = new("LEASE_LOST", 409, "The lease has ended");
    public static readonly ProblemType ResourceNotParked = new(
        "RESOURCE_NOT_PARKED",
        409,
        "The resource is not parked"
    );
    public static readonly ProblemType ResourceDeleted = new("RESOURCE_DELETED", 410, "The resource was deleted");
    public static readonly ProblemType VersionMismatch = new(
        "VERSION_MISMATCH",
        412,
        "The resource is at another version"
    );
    public static readonly ProblemType BodyTooLarge = new("BODY_TOO_LARGE", 413, "The body is too large");
    public static readonly ProblemType UriTooLong = new("URI_TOO_LONG", 414, "The address is too long");
    public static readonly ProblemType UnsupportedMediaType = new(
        "UNSUPPORTED_MEDIA_TYPE",
        415,
        "The body's media type is not supported"
    );
    public static readonly ProblemType IdempotencyKeyReused = new(
        "IDEMPOTENCY_KEY_REUSED",
        422,
        "The Idempotency-Key belongs to another request"
    );
    public static readonly ProblemType PatchNotApplicable = new(
        "PATCH_NOT_APPLICABLE",
        422,
        "The patch cannot be applied"
    );
    public static readonly ProblemType UpgradeRequired = new("UPGRADE_REQUIRED", 426, "A WebSocket is needed here");
    public static readonly ProblemType PreconditionRequired = new(
        "PRECONDITION_REQUIRED",
        428,
        "An If-Match header is needed"
    );
    public static readonly ProblemType RateLimited = new("RATE_LIMITED", 429, "Too many requests");
    public static readonly ProblemType TooManyStreams = new("TOO_MANY_STREAMS", 429, "Too many streams are open");
    public static readonly ProblemType HeadersTooLarge = new("HEADERS_TOO_LARGE", 431, "The headers are too large");
    public static readonly ProblemType InternalError = new("INTERNAL_ERROR", 500, "Something went wrong here");
    public static readonly ProblemType StoreUnavailable = new("STORE_UNAVAILABLE", 503, "The store is unavailable");
    public static readonly ProblemType ClusterUnavailable = new(
        "CLUSTER_UNAVAILABLE",
        503,
        "A node of the cluster is unavailable"
    );
    public static readonly ProblemType LoginBusy = new("LOGIN_BUSY", 503, "Too many logins are under way");
    public static readonly ProblemType Overloaded = new("OVERLOADED", 503, "The node has too much to do");
    public static readonly ProblemType SearchesBusy = new("SEARCHES_BUSY", 503, "Too many searches are under way");
    public static readonly ProblemType QueryTimeout = new("QUERY_TIMEOUT", 503, "The query takes too long");
    public static readonly ProblemType ReadModelBehind = new(
        "READ_MODEL_BEHIND",
        503,
        "The read model is behind the log"
    );

    /// <summary>Every type, as published.</summary>
    public static readonly ProblemType[] All =
    [
        ValidationFailed,
        WebhookTargetForbidden,
        TokenSpent,
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
        MethodNotAllowed,
        NotAcceptable,
        RequestTimeout,
        PatchTestFailed,
        FollowerBusy,
        FollowerElsewhere,
        AlreadyExists,
        LastAdministrator,
        NoFactor,
        TooManySubscriptions,
        TooManyApiKeys,
        SubscriptionInactive,
        OtherDelivery,
        LeaseLost,
        ResourceNotParked,
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
            Refusal.SubscriptionNotFound => SubscriptionNotFound,
            _ => InternalError,
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
