namespace Resources.Grains;

/// <summary>A refusal with the details for the client.</summary>
/// <param name="Version">The current version, where there is one.</param>
/// <param name="Referrers">
/// The resources that stand in the way of a deletion. Whoever answers a caller leaves out those beyond its reach.
/// </param>
/// <param name="Change">The change of a type that refuses, or was refused.</param>
/// <param name="Allowed">What would be allowed in place of what was asked.</param>
/// <param name="Report">What a change of a type found among stored resources.</param>
[GenerateSerializer, Immutable, Alias("rejection")]
public sealed record Rejection(
    Refusal Kind,
    string Detail,
    Fault[]? Faults = null,
    long? Version = null,
    Referrers? Referrers = null,
    Guid? Change = null,
    string[]? Allowed = null,
    TypeReport? Report = null
);
