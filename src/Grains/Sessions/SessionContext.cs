namespace Resources.Grains;

/// <summary>The input of a decision on a session.</summary>
/// <param name="Idle">A session expires after this time without use.</param>
public sealed record SessionContext(DecisionContext Decision, TimeSpan Idle) : DecisionContext(Decision);
