namespace Resources.Grains;

/// <summary>What a change of a definition asks of stored resources.</summary>
public enum TypeChangeKind
{
    /// <summary>The definitions are equal.</summary>
    None,

    /// <summary>Nothing: resources are held to the same as before.</summary>
    Note,

    /// <summary>Nothing: whatever satisfied the definition before still does.</summary>
    Wider,

    /// <summary>They have to be looked at.</summary>
    Checked,
}

/// <summary>Sorts changes of definitions. What is not proven to be harmless is checked.</summary>
public static class TypeChange
{
    /// <summary>What a change asks of stored resources.</summary>
    /// <param name="old">Null where resources of the name were free.</param>
    public static TypeChangeKind KindOf(TypeDefinition? old, TypeDefinition now)
    {
        if (old is null || now.Migration is not null)
            return TypeChangeKind.Checked;
        if (old.Text.Equals(now.Text))
            return TypeChangeKind.None;
        if (!IsWider(old, now))
            return TypeChangeKind.Checked;
        return IsWider(now, old) ? TypeChangeKind.Note : TypeChangeKind.Wider;
    }

    /// <summary>
    /// The numbers of a definition's rules. A rule keeps its number while what is stored under it stays right, and no number
    /// is given twice: so what a former rule has left is never taken for what a new one needs. A rule whose values are
    /// migrated is a new one.
    /// </summary>
    public static Dictionary<string, int> Number(TypeForm? form, TypeDefinition? old, TypeDefinition now, int last)
    {
        var numbers = new Dictionary<string, int>();
        bool Stays(string member) => now.Migration?.Touches(member) is not true;
        foreach (var rule in now.Unique)
            numbers[rule.Name] =
                old?.Unique.Any(rule.HasValuesOf) is true && rule.Members.All(Stays) ? form!.Fields[rule.Name] : ++last;
        foreach (var rule in now.References)
            numbers[rule.Pointer] =
                old?.References.Any(rule.HasReferencesOf) is true && Stays(rule.Pointer)
                    ? form!.Fields[rule.Pointer]
                    : ++last;
        return numbers;
    }

    /// <summary>The id of the change that a command makes. Keys of callers are used again for other types.</summary>
    public static Guid IdOf(string name, Intent intent) =>
        DerivedId.Of("type-change", name, intent.CommandId.ToString());

    /// <summary>
    /// Checks what a definition names: it has to be of the type, and of types and a collation that are there. Adds faults.
    /// </summary>
    /// <param name="name">The name that the definition has to have.</param>
    /// <param name="isDeclared">Whether resources may refer to a type.</param>
    /// <param name="hasUnicode">Whether lists can have the order of Unicode.</param>
    public static bool Check(
        TypeDefinition? inForce,
        string name,
        TypeDefinition now,
        Func<string, bool> isDeclared,
        bool hasUnicode,
        List<Fault> faults
    )
    {
        var known = faults.Count;
        if (now.Name != name)
            faults.Report("/name", "NAME_IS_FIXED", $"The name of this type is '{name}' and cannot change.");
        // What the definition in force has, another one may keep.
        if (now.Collation is Collations.Unicode && inForce?.Collation is not Collations.Unicode && !hasUnicode)
            faults.Report(
                "/collation",
                "COLLATION_NOT_AVAILABLE",
                $"The read model of resources has no collation {Collations.Unicode}. "
                    + "If PostgreSQL has ICU by now, rebuild the read model."
            );
        var before = inForce?.References.Select(rule => rule.Type).ToHashSet() ?? [];
        foreach (var rule in now.References)
            if (rule.Type != name && !before.Contains(rule.Type) && !isDeclared(rule.Type))
                faults.Report(
                    JsonPointer.Append("/references", rule.Pointer) + "/type",
                    "UNKNOWN_TYPE",
                    "There is no such type, or it is being deleted."
                );
        return faults.Count == known;
    }

    internal static Decision<TypeEvent> Decide(TypeState? state, string name, JsonText text, TypeContext context)
    {
        var faults = new List<Fault>();
        var now = TypeDefinition.Read(text, faults);
        var old = state?.Form is { } form ? TypeDefinition.Stored(form.Definition) : null;
        if (now is null || !Check(old, name, now, context.IsDeclared, context.HasUnicode, faults))
            return new Rejection(Refusal.Invalid, "The definition is not valid.", [.. faults]);

        if (now.Migration is { } migration && Lacking(name, old, migration, context.Intent) is { } lacking)
            return new Rejection(Refusal.Forbidden, $"The caller lacks the permission {lacking}.");
        var numbers = Number(state?.Form, old, now, state?.LastField ?? 0);
        var change = IdOf(name, context.Intent);
        return KindOf(old, now) switch
        {
            TypeChangeKind.None => [],
            TypeChangeKind.Checked => TypeNames.Moved(
                state,
                now.Text,
                new TypeChangeProposed(
                    name,
                    change,
                    old is null ? ProposalKind.Declaration : ProposalKind.Change,
                    now.Text,
                    numbers,
                    now.Migration?.Text
                )
            ),
            _ => TypeNames.Moved(state, now.Text, new TypeChanged(name, change, now.Text, numbers)),
        };
    }

    /// <summary>
    /// The first permission that a caller lacks for a migration: it writes what the caller could not write one by one. Null
    /// where none is lacking.
    /// </summary>
    static string? Lacking(string name, TypeDefinition? old, Migration migration, Intent intent)
    {
        var permissions = PermissionSet.Of(intent.Permissions ?? []);
        var transitions = old?.Lifecycle?.Transitions.AsEnumerable() ?? [];
        // Steps one after the other make a transition, too.
        var asked = transitions
            .Where(step => step.Value is not null && migration.StatusAfter(step.Key.From) == step.Key.To)
            .Select(step => step.Value!)
            .Order(StringComparer.Ordinal)
            .Prepend("update");
        var lacking = asked.FirstOrDefault(action =>
            // What the caller owns is not all that there is of the type.
            permissions.ScopeOf($"resource:{action}")
                is var scope
            && !scope.IsAll
            && !scope.Types.Contains(name)
        );
        return lacking is null ? null : $"resource/{name}:{lacking}";
    }

    static bool IsWider(TypeDefinition old, TypeDefinition now) =>
        Schema.IsWider(old.Schema, now.Schema)
        && now.Unique.All(rule => old.Unique.Any(rule.HasValuesOf))
        && now.References.All(rule => old.References.Any(rule.HasReferencesOf))
        && IsWider(old.Lifecycle, now.Lifecycle);

    static bool IsWider(Lifecycle? old, Lifecycle? now) =>
        now is null
        || old is not null
            && old.States.All(state => now.States.TryGetValue(state.Key, out var rule) && IsWider(state.Value, rule));

    static bool IsWider(StateRule old, StateRule now) =>
        (now.IsLenient || !old.IsLenient)
        && now.Required.All(old.Required.Contains)
        && (now.Schema is null || old.Schema is not null && Schema.IsWider(old.Schema, now.Schema));
}
