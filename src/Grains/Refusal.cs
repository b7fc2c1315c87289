namespace Resources.Grains;

/// <summary>
/// Why a command was refused. The list is closed; the edge maps each kind to one status and one code.
/// </summary>
public enum Refusal
{
    NotFound,
    Deleted,
    Invalid,
    VersionMismatch,
    KeyReused,
    PatchTestFailed,
    PatchNotApplicable,
    VersionNotFound,
    AlreadyExists,
    SubscriptionInactive,
    LeaseLost,
    AccountNotFound,
    RoleNotFound,
    ApiKeyNotFound,
    LastAdministrator,
    TokenSpent,
    SessionOver,
    FactorFailed,
    NoFactor,
    PasskeyNotFound,
    Forbidden,

    /// <summary>A read model did not come as far as was wanted in time.</summary>
    ReadModelBehind,

    /// <summary>A position was wanted that the log has not reached.</summary>
    PositionAhead,
    SubscriptionNotFound,
    TooManyApiKeys,
    BoundExceeded,

    /// <summary>Another resource has the unique value.</summary>
    NotUnique,

    /// <summary>A reference to something that is not there, or is of another type.</summary>
    ReferenceNotFound,
    StillReferenced,
}
