namespace Resources.Grains;

/// <summary>A unique value by which a caller has addressed a resource.</summary>
/// <param name="Rule">The number of the rule in the resource's type.</param>
/// <param name="Values">The SHA-256 of each form of it; the resource has to have one of them.</param>
/// <param name="OfNewForm">
/// The same under the rule that resources of the new form have, while a migration is under way; else null.
/// </param>
[GenerateSerializer, Immutable, Alias("held-value")]
public sealed record HeldValue(int Rule, byte[][] Values, HeldValue? OfNewForm = null);
