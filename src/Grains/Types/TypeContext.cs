namespace Resources.Grains;

/// <summary>The context of a decision about a type.</summary>
/// <param name="IsDeclared">Whether resources may refer to a type: it is declared, and not about to be deleted.</param>
/// <param name="Declared">How many types are declared, or are just being declared.</param>
/// <param name="IsMixed">Whether nodes are running that know no types.</param>
/// <param name="HasUnicode">Whether lists can have the order of Unicode.</param>
public sealed record TypeContext(
    long Version,
    Intent Intent,
    DateTimeOffset Now,
    Func<string, bool> IsDeclared,
    long Declared = 0,
    bool IsMixed = false,
    bool HasUnicode = true
) : DecisionContext(Version, Intent, Now);
