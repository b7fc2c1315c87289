namespace Resources.Grains;

/// <summary>Members whose values together belong to one live resource of the type.</summary>
/// <param name="Members">Pointers into the resource.</param>
public sealed record UniqueRule(string Name, string[] Members, bool IgnoreCase)
{
    public const int Max = 8;
    public const int MaxMembers = 4;

    /// <summary>Whether stored values of the one rule are those of the other.</summary>
    public bool HasValuesOf(UniqueRule other) =>
        Name == other.Name && IgnoreCase == other.IgnoreCase && Members.SequenceEqual(other.Members);
}

/// <summary>What becomes of a reference whose target is deleted.</summary>
public enum OnDelete
{
    /// <summary>The target is not deleted.</summary>
    Restrict,

    /// <summary>The member, or the item of the list, is removed.</summary>
    Unset,

    /// <summary>The resource that refers to the target is deleted, too.</summary>
    Cascade,
}

/// <summary>Members that hold ids of live resources of a type; a step <c>*</c> is every item of a list.</summary>
public sealed record ReferenceRule(string Pointer, string Type, OnDelete OnDelete, string? Inverse)
{
    public const int Max = 16;
    public const int MaxSteps = 2;

    /// <summary>How lists name it: the way to it in the metadata, as in <c>author</c>.</summary>
    public string Name { get; } = string.Join('.', JsonPointer.Parse(Pointer)!.Skip(1).Where(step => step is not "*"));

    /// <summary>Whether stored references of the one rule are those of the other.</summary>
    public bool HasReferencesOf(ReferenceRule other) => Pointer == other.Pointer && Type == other.Type;
}

/// <summary>A member of the metadata that lists can be sorted by, and whose values they find by an index.</summary>
/// <param name="Pointer">A pointer into the resource.</param>
/// <param name="IsTime">Whether its texts are times: those have another order than their characters.</param>
/// <param name="Collation">The order of its texts, one of <see cref="Collations"/>.</param>
public sealed record IndexedMember(string Pointer, bool IsTime, string Collation = Collations.CodePoints)
{
    public const int Max = 16;

    /// <summary>How lists name it, as in <c>metadata.price</c>.</summary>
    public string Path { get; } = string.Join('.', JsonPointer.Parse(Pointer)!);
}

/// <summary>The indexed members of a type. One that is declared anew has new ones, as its name was free in between.</summary>
/// <param name="Declared">When the type was declared.</param>
public sealed record IndexedMembers(string Type, DateTimeOffset Declared, IReadOnlyList<IndexedMember> Members);

/// <summary>What is asked of a resource that has a status.</summary>
/// <param name="IsLenient">Whether members may be missing and texts and lists short, as in a draft.</param>
/// <param name="Required">Pointers to members that have to be there.</param>
/// <param name="Schema">A schema of the metadata beside that of the type; null = none.</param>
public sealed record StateRule(bool IsLenient, string[] Required, Schema? Schema);

/// <summary>Which status a resource can have, and which can follow which.</summary>
/// <param name="Initial">The status of a new resource.</param>
/// <param name="Transitions">Each with the action that a caller needs the permission for; null where it needs none.</param>
public sealed record Lifecycle(
    string Initial,
    IReadOnlyDictionary<string, StateRule> States,
    IReadOnlyDictionary<(string From, string To), string?> Transitions
)
{
    public const int MaxStates = 32;
    public const int MaxTransitions = 256;

    /// <summary>Whether there is a state in which members may be missing.</summary>
    public bool IsLenient => States.Values.Any(state => state.IsLenient);

    /// <summary>The status of a resource that had another one and is given none: the same, if it is still there.</summary>
    public string From(string? status) => status is not null && States.ContainsKey(status) ? status : Initial;

    /// <summary>What a resource of a status can become, in order.</summary>
    public string[] Allowed(string from) =>
        [.. Transitions.Keys.Where(step => step.From == from).Select(step => step.To).Order(StringComparer.Ordinal)];
}
