namespace Resources.Grains;

/// <summary>A refusal with the details for the client.</summary>
/// <param name="Version">The current version, where there is one.</param>
[GenerateSerializer, Immutable, Alias("rejection")]
public sealed record Rejection(Refusal Kind, string Detail, Fault[]? Faults = null, long? Version = null);
