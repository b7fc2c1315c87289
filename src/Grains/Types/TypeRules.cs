using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// What resources of a name are held to: the definition in force and, while a change is being checked, the proposed one.
/// Names that nobody declared have rules, too: none, as long as nobody declares them.
/// </summary>
/// <param name="Head">The version of the type's stream that these rules are of; 0 when it has no event.</param>
public sealed record TypeRules(string Name, long Head, TypeState? State, RuledForm? InForce, RuledForm? Proposed)
{
    /// <summary>The stream of the type, and the version of it that decisions under these rules depend on.</summary>
    public Fence Fence { get; } = new(TypeState.StreamOf(Name), Head);

    /// <summary>The version of the definition in force; null where resources are free.</summary>
    public long? Version => InForce?.Version;

    /// <summary>Whether the type is about to be deleted, so that nothing may begin to need it.</summary>
    public bool IsEnding => State?.Proposal is { Definition: null };

    /// <summary>Whether resources may refer to the type.</summary>
    public bool IsDeclared => InForce is not null && !IsEnding;

    /// <summary>Whether a number belongs to a rule that resources are held to.</summary>
    public bool Uses(int field) =>
        InForce?.Fields.ContainsValue(field) is true || Proposed?.Fields.ContainsValue(field) is true;

    /// <summary>Whether resources of this type may refer to those of another, today or after the change that is checked.</summary>
    public bool RefersTo(string type) =>
        new[] { InForce, Proposed }.Any(form => form?.Definition.References.Any(rule => rule.Type == type) is true);

    /// <summary>The rules of a name that nobody declared.</summary>
    public static TypeRules Free(string name) => new(name, 0, null, null, null);

    /// <summary>The rules of a definition by itself, as if it were in force.</summary>
    public static TypeRules Of(TypeDefinition definition) =>
        new(definition.Name, 0, null, new(definition, TypeChange.Number(null, null, definition, 0), 0), null);

    /// <summary>Compiles what a type is at a version. What was compiled before is not compiled again.</summary>
    public static TypeRules Of(string name, long head, TypeState? state, TypeRules? before)
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
            state,
            state?.Form is { } form ? Form(form.Definition, form.Fields, form.Version) : null,
            state?.Proposal is { } proposal ? Form(proposal.Definition, proposal.Fields, proposal.Version) : null
        );
    }

    /// <summary>Why a resource cannot become what a command would make of it; null when it can.</summary>
    /// <param name="before">Null for one that is new.</param>
    public Rejection? Refuse(Guid id, Resource? before, Resource after)
    {
        if (after.DeletedAt is not null)
            return null;
        var restored = before?.DeletedAt is not null;
        if (IsEnding && (before is null || restored))
            return new(Refusal.TypeInUse, "The type of this resource is being deleted.");
        var faults = new List<Fault>();
        if (InForce?.Check(id, after, faults) is false)
            return restored
                ? new(Refusal.RestoreInvalid, "The resource is not what its type demands today.", [.. faults])
                : Resource.Invalid([.. faults]);
        if (
            !restored
            && InForce?.Definition.Lifecycle is { } lifecycle
            && Move(lifecycle, before, after) is { } refused
        )
            return refused;
        return Proposed?.Check(id, after, faults) is false
            ? (
                restored
                    ? new(Refusal.RestoreInvalid, "A change of its type is being checked.", [.. faults])
                    : Resource.Invalid([.. faults])
            ) with
            {
                Change = State!.Proposal!.Change,
            }
            : null;
    }

    /// <summary>Why a resource could not be created, apart from other resources; null when it could.</summary>
    public Rejection? Try(CreateResource create)
    {
        var completed = (CreateResource)Completed(create, null);
        var at = default(DateTimeOffset);
        return Refuse(
            Guid.Empty,
            null,
            new(
                completed.Type,
                completed.Name,
                completed.Status ?? Resource.DefaultStatus,
                completed.Metadata,
                "",
                at,
                "",
                at,
                "",
                null
            )
        );
    }

    /// <summary>
    /// What a write takes and gives back of unique values and references; null where it would make more references than a
    /// resource may have.
    /// </summary>
    public Guards? GuardsOf(Resource? before, Resource after, bool unreferenced)
    {
        var claims = new List<Claim>();
        var references = new List<Reference>();
        var old = before is { DeletedAt: null } ? before : null;
        var now = after.DeletedAt is null ? after : null;
        InForce?.Move(Fence.Stream, old, now, isEntered: true, _ => true, claims, references);
        // What was written before the proposal has perhaps not entered its values yet.
        Proposed?.Move(Fence.Stream, old, now, isEntered: false, IsNew, claims, references);
        return references.Count(reference => reference.Takes) > Guards.MaxReferences
            ? null
            : new(Fence, [.. claims], [.. references], unreferenced);
    }

    /// <summary>What a stored resource has of the values and references that are new in the proposal.</summary>
    public (List<Claim> Claims, List<Reference> References) EntriesOf(Resource resource)
    {
        var claims = new List<Claim>();
        var references = new List<Reference>();
        Proposed!.Move(Fence.Stream, null, resource, isEntered: false, IsNew, claims, references);
        return (claims, references);
    }

    bool IsNew(int field) => InForce is null || !InForce.Fields.ContainsValue(field);

    /// <summary>A new resource, or a replacement, with what the definition puts in where nothing was given.</summary>
    public ResourceCommand Completed(ResourceCommand command, Resource? state) =>
        InForce is not { Definition: var definition }
            ? command
            : command switch
            {
                CreateResource c => c with
                {
                    Status = c.Status ?? definition.Lifecycle?.Initial,
                    Metadata = WithDefaults(definition, c.Metadata),
                },
                ReplaceResource c => c with
                {
                    Status = c.Status ?? (definition.Lifecycle is null ? null : state?.Status),
                    Metadata = WithDefaults(definition, c.Metadata),
                },
                _ => command,
            };

    static JsonText WithDefaults(TypeDefinition definition, JsonText metadata) =>
        definition.Schema.WithDefaults(metadata.ToElement()) is { } filled ? JsonText.From(filled) : metadata;

    static Rejection? Move(Lifecycle lifecycle, Resource? before, Resource after)
    {
        if (before?.Status == after.Status)
            return null;
        var allowed = before is null ? [lifecycle.Initial] : lifecycle.Allowed(before.Status);
        return allowed.Contains(after.Status)
            ? null
            : new(
                Refusal.TransitionNotAllowed,
                before is null
                    ? $"A resource of this type begins as '{lifecycle.Initial}'."
                    : $"A resource that is '{before.Status}' cannot become '{after.Status}'.",
                [new("/status", "TRANSITION_NOT_ALLOWED", "The lifecycle of the type does not allow this status now.")]
            )
            {
                Allowed = allowed,
            };
    }
}
