namespace Resources.Grains;

/// <summary>The context of a decision about a type.</summary>
/// <param name="IsDeclared">Whether resources may refer to a type: it is declared, and not about to be deleted.</param>
public sealed record TypeContext(long Version, Intent Intent, DateTimeOffset Now, Func<string, bool> IsDeclared)
    : DecisionContext(Version, Intent, Now);
