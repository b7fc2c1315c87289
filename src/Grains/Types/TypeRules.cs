namespace Resources.Grains;

/// <summary>
/// What resources of a name are held to: the definition in force and, while a change is being checked, the proposed one.
/// Names that nobody declared have rules, too: none, as long as nobody declares them.
/// </summary>
/// <param name="Head">The version of the type's stream that these rules are of; 0 when it has no event.</param>
/// <param name="Position">The position of the event that has this version.</param>
/// <param name="Migration">How a resource becomes what the proposal demands; null where it stays as it is.</param>
public sealed record TypeRules(
    string Name,
    long Head,
    long Position,
    TypeState? State,
    RuledForm? InForce,
    RuledForm? Proposed,
    Migration? Migration = null
)
{
    /// <summary>The stream of the type, and the event of it that decisions under these rules depend on.</summary>
    public Fence Fence => Fenced.Fence!.Value;

    /// <summary>The guards of a write that takes and gives back nothing.</summary>
    public Guards Fenced { get; } = new(new(TypeState.StreamOf(Name), Position), [], [], false);

    /// <summary>Whether resources of the name are held to nothing.</summary>
    public bool IsFree => InForce is null && State?.Proposal is null;

    /// <summary>The change that is being checked.</summary>
    public Guid? Change => State?.Proposal?.Change;

    /// <summary>The version of the definition in force; null where resources are free.</summary>
    public long? Version => InForce?.Version;

    /// <summary>Whether the type is about to be deleted, so that nothing may begin to need it.</summary>
    public bool IsEnding => State?.Proposal is { Definition: null };

    /// <summary>The version of the type that resources of the new form are of, while a migration is under way.</summary>
    public long? Begun => State?.Proposal?.Begun;

    /// <summary>Whether resources of the old form are only migrated.</summary>
    public bool IsClosing => State?.Proposal?.IsClosing is true;

    /// <summary>While a migration is under way: what resources of the new form are held to.</summary>
    internal TypeRules OfNewForm =>
        this with
        {
            InForce = Proposed! with { Version = Begun!.Value },
            Proposed = null,
            Migration = null,
        };

    /// <summary>Whether resources may refer to the type.</summary>
    public bool IsDeclared => InForce is not null && !IsEnding;

    /// <summary>The members that have an index or get one; null where there are none.</summary>
    public IndexedMembers? Indexed { get; } =
        InForce is { Definition.Indexed: not [] and var members }
            ? new(Name, State?.CreatedAt ?? default, members)
            : null;

    /// <summary>Whether a number belongs to a rule that resources are held to.</summary>
    public bool Uses(int field) =>
        InForce?.Fields.ContainsValue(field) is true || Proposed?.Fields.ContainsValue(field) is true;

    /// <summary>The reference that a number belongs to, in force or proposed; null where it belongs to none any more.</summary>
    internal (ReferenceRule Rule, MemberPath Path)? ReferenceOf(int field)
    {
        foreach (var form in new[] { InForce, Proposed })
        foreach (var reference in form?.References ?? [])
            if (form!.Fields[reference.Rule.Pointer] == field)
                return reference;
        return null;
    }

    /// <summary>Whether a number belongs to a rule that only the proposal has.</summary>
    internal bool IsNew(int field) => InForce is null || !InForce.Fields.ContainsValue(field);

    /// <summary>Whether resources of this type may refer to those of another, today or after the change that is checked.</summary>
    public bool RefersTo(string type) =>
        new[] { InForce, Proposed }.Any(form => form?.Definition.References.Any(rule => rule.Type == type) is true);

    /// <summary>The rules of a name that nobody declared.</summary>
    public static TypeRules Free(string name) => new(name, 0, 0, null, null, null);

    /// <summary>The rules of a definition by itself, as if it were in force.</summary>
    public static TypeRules Of(TypeDefinition definition) =>
        new(definition.Name, 0, 0, null, new(definition, TypeChange.Number(null, null, definition, 0), 0), null);

    /// <summary>Compiles what a type is at a version. What was compiled before is not compiled again.</summary>
    public static TypeRules Of(string name, long head, long position, TypeState? state, TypeRules? before)
    {
        RuledForm? Form(JsonText? definition, Dictionary<string, int> fields, long version) =>
            definition is null ? null
            : new[] { before?.InForce, before?.Proposed }.FirstOrDefault(known =>
                known is not null && known.Definition.Text.Equals(definition)
            )
                is { } same
                ? same with
                {
                    Fields = fields,
                    Version = version,
                }
            : new(TypeDefinition.Stored(definition), fields, version);
        return new(
            name,
            head,
            position,
            state,
            state?.Form is { } form ? Form(form.Definition, form.Fields, form.Version) : null,
            state?.Proposal is { } proposal ? Form(proposal.Definition, proposal.Fields, proposal.Version) : null,
            state?.Proposal?.Migration is not { } migration ? null
                : before?.Migration is { } read && read.Text.Equals(migration) ? read
                : Migration.Stored(migration)
        );
    }
}
