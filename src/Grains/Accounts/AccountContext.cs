namespace Resources.Grains;

/// <summary>The input of a decision on an account.</summary>
/// <param name="Facts">What the grain has done and found out for the command.</param>
public sealed record AccountContext(DecisionContext Decision, AccountFacts Facts) : DecisionContext(Decision);
