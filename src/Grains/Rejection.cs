namespace Resources.Grains;

/// <summary>A refusal with the details for the client.</summary>
/// <param name="Version">The current version, where there is one.</param>
/// <param name="Referrers">
/// The resources that stand in the way of a deletion. Whoever answers a caller leaves out those beyond its reach.
/// </param>
[GenerateSerializer, Immutable, Alias("rejection")]
public sealed record Rejection(
    Refusal Kind,
    string Detail,
    Fault[]? Faults = null,
    long? Version = null,
    Referrers? Referrers = null
);
