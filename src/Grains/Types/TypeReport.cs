namespace Resources.Grains;

/// <summary>What was found among stored resources.</summary>
/// <param name="Checked">How many were looked at.</param>
/// <param name="Offending">How many contradict the change.</param>
/// <param name="Examples">The first of those.</param>
[GenerateSerializer, Immutable, Alias("type-report")]
public sealed record TypeReport(long Checked, long Offending, TypeOffender[] Examples);
