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
    TypeNotFound,

    /// <summary>No change of the type is under way.</summary>
    NoTypeChange,

    /// <summary>Another change of the type is under way.</summary>
    TypeChangePending,

    /// <summary>Stored resources contradict a change of their type.</summary>
    TypeChangeBreaksData,

    /// <summary>A change of a type was withdrawn before it was in force.</summary>
    TypeChangeAbandoned,

    /// <summary>Resources, or other types, need the type; or it is about to be deleted.</summary>
    TypeInUse,
    TooManyTypes,

    /// <summary>Another type has a name that this one would have in generated clients.</summary>
    NameClash,

    /// <summary>The lifecycle of the type does not lead from the one status to the other.</summary>
    TransitionNotAllowed,

    /// <summary>A deleted resource is not what its type demands today.</summary>
    RestoreInvalid,

    /// <summary>Nodes of the previous release are in the cluster.</summary>
    ClusterMixed,

    /// <summary>More would have to go with a resource than can go at once.</summary>
    TooManyReferrers,

    /// <summary>A list is to be in the order of a member that is not indexed.</summary>
    NotIndexed,

    /// <summary>The index of the member that a list is to be ordered by is not ready yet.</summary>
    IndexBuilding,

    /// <summary>No trusted document has this hash.</summary>
    DocumentNotFound,
    TooManyDocuments,
}
