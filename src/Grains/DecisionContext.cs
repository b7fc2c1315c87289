namespace Resources.Grains;

/// <summary>
/// The input of a decision beside state and command. An aggregate that needs more derives its own context.
/// </summary>
/// <param name="Version">The version of the state; 0 before the first event.</param>
/// <param name="Now">The time of the decision.</param>
public record DecisionContext(long Version, Intent Intent, DateTimeOffset Now);
