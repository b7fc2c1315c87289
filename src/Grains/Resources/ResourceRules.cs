namespace Resources.Grains;

/// <summary>Holds decisions about resources to the rules of their type.</summary>
public static class ResourceRules
{
    /// <summary>Decides about a command by the rules of the type.</summary>
    public static Decision<ResourceEvent> Decide(
        Guid id,
        Resource? state,
        ResourceCommand command,
        DecisionContext context,
        TypeRules rules
    )
    {
        if (rules.Begun is not null)
            return new TwoForms(id, state, context, rules).Decide(command);
        if (command is MigrateResource)
            return NothingToDo(rules);
        var before = command is RestoreResource ? rules.OfToday(state) : state;
        var completed = rules.Completed(command, before, out var misfit);
        return Hold(
            id,
            state,
            before,
            completed,
            Resource.Decide(state, completed, context),
            context,
            rules,
            rules,
            misfit
        );
    }

    /// <summary>
    /// Takes references out of a resource whose targets are deleted. While a migration is under way, the resource gets the
    /// new form with it. Refused where a proposal would still see one of them.
    /// </summary>
    internal static Decision<ResourceEvent> Unset(
        Guid id,
        Resource state,
        List<(int Field, Guid Target)> references,
        DecisionContext context,
        TypeRules rules
    )
    {
        var form = rules.Begun is null ? rules : rules.OfNewForm;
        // What is only proposed changes nothing.
        var inForce = form with { Proposed = null };
        var before = rules.Begun is null ? state : rules.InNewForm(state, []) ?? state;
        var metadata = before.Metadata.Without(
            from reference in references
            let rule = inForce.ReferenceOf(reference.Field)
            where rule is not null
            select (rule.Value.Path, reference.Target)
        );
        var decision = state.Change(before.Name, before.Status, metadata);
        if (decision.Events is [] && rules.Begun is not null)
            decision = [new ResourceMigrated(before.Status, metadata, [])];
        var after = After(state, decision.Events, context)! with { TypeVersion = form.Version };
        return rules.ReferencesOf(after).Overlaps(references)
            ? Refused(
                new(Refusal.StillReferenced, "A change of its type keeps a reference.", Change: rules.Change),
                rules
            )
            : Hold(id, state, before, null, decision, context, rules, form, null);
    }

    /// <summary>
    /// A decision, if the type allows it: then under the guards that keep it true. What the type refuses, it refuses after
    /// everything that is wrong with the command itself.
    /// </summary>
    /// <param name="before">The state, in the form that the resource gets.</param>
    /// <param name="command">What was asked for; null where references are taken out.</param>
    /// <param name="form">What the resource is held to in the form that it gets.</param>
    /// <param name="misfit">Why the defaults of the type do not fit into the resource; null where they do.</param>
    internal static Decision<ResourceEvent> Hold(
        Guid id,
        Resource? state,
        Resource? before,
        ResourceCommand? command,
        Decision<ResourceEvent> decision,
        DecisionContext context,
        TypeRules rules,
        TypeRules form,
        Fault? misfit
    )
    {
        if (decision.Events is [])
            // What the type puts in may have changed since, and then there is something to change.
            return decision.Rejection is null && (form.InForce is not null || rules.Begun is not null)
                ? decision.Under(rules.Fenced)
                : decision;
        if (misfit is not null)
            return Refused(Resource.Invalid(misfit), rules);
        var isDeletion = command is DeleteResource;
        if (rules.IsFree && !isDeletion)
            return decision.Under(rules.Fenced);
        if (command is RestoreResource { Replacement: null })
        {
            decision = form.Restored(state!);
            if (decision.Rejection is { } lost)
                return Refused(lost, rules);
        }
        for (var i = 0; i < decision.Events.Length; i++)
            decision.Events[i] = decision.Events[i] with { TypeVersion = form.Version };
        var after = After(state, decision.Events, context);
        if ((form.Refuse(id, before, after!) ?? form.Forbid(before, after!, context.Intent)) is { } refusal)
            return Refused(refusal, rules);
        return rules.GuardsOf(state, after!, unreferenced: isDeletion) is { } guards
            ? decision.Under(guards)
            : Refused(
                Resource.Invalid(
                    new Fault(
                        "/metadata",
                        "TOO_MANY_REFERENCES",
                        $"With a change of the type that is being checked, there are more than {Guards.MaxReferences} references."
                    )
                ) with
                {
                    Change = rules.Change,
                },
                rules
            );
    }

    /// <summary>
    /// The refusal of a command for whatever has a unique value, where this resource does not have it; null where it does.
    /// Values move on while a command is on its way.
    /// </summary>
    internal static Decision<ResourceEvent>? Misses(this TypeRules rules, Resource? state, HeldValue? addressed)
    {
        if (addressed is null || state is { DeletedAt: null } && rules.Has(state, addressed))
            return null;
        return Refused(new(Refusal.NotFound, "There is no such resource."), rules);
    }

    /// <summary>Why a resource cannot become what a command would make of it; null when it can.</summary>
    /// <param name="before">Null for one that is new.</param>
    public static Rejection? Refuse(this TypeRules rules, Guid id, Resource? before, Resource after)
    {
        if (after.DeletedAt is not null)
            return null;
        if (rules.IsEnding && before is not { DeletedAt: null })
            return new(Refusal.TypeInUse, "The type of this resource is being deleted.", Change: rules.Change);
        var restored = before?.DeletedAt is not null && before.HasContentOf(after);
        var faults = new List<Fault>();
        if (rules.InForce?.IsSatisfiedBy(id, after, faults) is false)
            return restored
                ? new(Refusal.RestoreInvalid, "The resource is not what its type demands today.", [.. faults])
                : Resource.Invalid([.. faults]);
        if (rules.InForce?.Definition.Lifecycle is { } lifecycle && Move(lifecycle, before, after) is { } refused)
            return refused;
        return rules.Proposed is not null && !rules.FitsProposal(id, after, faults)
            ? (
                restored
                    ? new(Refusal.RestoreInvalid, "A change of its type is being checked.", [.. faults])
                    : Resource.Invalid([.. faults])
            ) with
            {
                Change = rules.Change,
            }
            : null;
    }

    /// <summary>Why a caller may not give a resource its new status; null where they may.</summary>
    static Rejection? Forbid(this TypeRules rules, Resource? before, Resource after, Intent intent)
    {
        if (
            before is null
            || before.Status == after.Status
            || rules.InForce?.Definition.Lifecycle?.Transitions.GetValueOrDefault((before.Status, after.Status))
                is not { } action
        )
            return null;
        var scope = PermissionSet.Of(intent.Permissions ?? []).ScopeOf($"resource:{action}");
        return scope.Allows(after.Type, after.Owner, intent.Actor)
            ? null
            : new(Refusal.Forbidden, $"The caller lacks the permission resource/{after.Type}:{action}.");
    }

    /// <summary>Why a resource could not be created, apart from other resources; null when it could.</summary>
    public static Rejection? Try(this TypeRules rules, CreateResource create)
    {
        var completed = (CreateResource)rules.Completed(create, null, out var misfit);
        if (misfit is not null)
            return Resource.Invalid(misfit);
        var at = default(DateTimeOffset);
        return rules.Refuse(
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
    public static Guards? GuardsOf(this TypeRules rules, Resource? before, Resource after, bool unreferenced)
    {
        var (claims, references) = rules.MovesOf(before, after);
        return references.Count(reference => reference.Takes) > Guards.MaxReferences
            ? null
            : new(rules.Fence, [.. claims], [.. references], unreferenced);
    }

    /// <summary>The references of a stored resource, by what is in force and by what is proposed.</summary>
    internal static HashSet<(int Field, Guid Target)> ReferencesOf(this TypeRules rules, Resource resource) =>
        [.. rules.MovesOf(null, resource).References.Select(one => (one.Field, one.Target))];

    static (List<Claim> Claims, List<Reference> References) MovesOf(
        this TypeRules rules,
        Resource? before,
        Resource after
    )
    {
        var claims = new List<Claim>();
        var references = new List<Reference>();
        var old = before is { DeletedAt: null } ? before : null;
        var now = after.DeletedAt is null ? after : null;
        if (rules.Migration is not null)
            rules.MoveBetweenForms(old, now, claims, references);
        else
        {
            rules.InForce?.Move(rules.Fence.Stream, old, now, isEntered: true, _ => true, null, claims, references);
            // What was written before the proposal has perhaps not entered its values yet.
            rules.Proposed?.Move(
                rules.Fence.Stream,
                old,
                now,
                isEntered: false,
                rules.IsNew,
                rules.Change,
                claims,
                references
            );
        }
        return (claims, references);
    }

    /// <summary>What a stored resource has of the values and references that are new in the proposal.</summary>
    public static (List<Claim> Claims, List<Reference> References) EntriesOf(this TypeRules rules, Resource resource)
    {
        var claims = new List<Claim>();
        var references = new List<Reference>();
        rules.Proposed!.Move(
            rules.Fence.Stream,
            null,
            rules.InNewForm(resource, []),
            isEntered: false,
            rules.IsNew,
            rules.Change,
            claims,
            references
        );
        return (claims, references);
    }

    /// <summary>
    /// The rules of the proposal see every resource in the new form. Those that it does not have see resources of the old
    /// form only. What both have is not touched by the migration, so it counts in either form.
    /// </summary>
    static void MoveBetweenForms(
        this TypeRules rules,
        Resource? before,
        Resource? after,
        List<Claim> claims,
        List<Reference> references
    )
    {
        var (scope, proposed) = (rules.Fence.Stream, rules.Proposed!);
        if (proposed is { Unique: [], References: [] } && rules.InForce is null or { Unique: [], References: [] })
            return;
        Resource? InNew(Resource? resource) => resource is null ? null : rules.InNewForm(resource, []);
        Resource? InOld(Resource? resource) => resource is null || rules.HasNewForm(resource) ? null : resource;
        var (old, now) = (InNew(before), InNew(after));
        rules.InForce?.Move(
            scope,
            InOld(before),
            InOld(after),
            isEntered: true,
            number => !proposed.Fields.ContainsValue(number),
            null,
            claims,
            references
        );
        // As they are: what stands in the way of the migration is no reason to lose sight of them.
        proposed.Move(scope, before, after, isEntered: true, number => !rules.IsNew(number), null, claims, references);
        proposed.Move(scope, old, now, isEntered: false, rules.IsNew, rules.Change, claims, references);
    }

    /// <summary>The state after events that are not appended yet.</summary>
    internal static Resource? After(Resource? state, ResourceEvent[] events, DecisionContext context)
    {
        for (var i = 0; i < events.Length; i++)
            state = Resource.Evolve(
                state,
                new(events[i], context.Version + i + 1, 0, context.Now, context.Intent.Actor)
            );
        return state;
    }

    /// <summary>A new resource, or a replacement, with what the definition puts in where nothing was given.</summary>
    /// <param name="misfit">Why the defaults do not fit; null where they do.</param>
    public static ResourceCommand Completed(
        this TypeRules rules,
        ResourceCommand command,
        Resource? state,
        out Fault? misfit
    )
    {
        misfit = null;
        return rules.InForce is not { Definition: var definition }
            ? command
            : command switch
            {
                RestoreResource { Replacement: { } replacement } => new RestoreResource(
                    (ReplaceResource)rules.Completed(replacement, state, out misfit)
                ),
                CreateResource c => c with
                {
                    Status = c.Status ?? definition.Lifecycle?.Initial,
                    Metadata = WithDefaults(definition, c.Metadata, ref misfit),
                },
                ReplaceResource c => c with
                {
                    Status = c.Status ?? definition.Lifecycle?.From(state?.Status),
                    Metadata = WithDefaults(definition, c.Metadata, ref misfit),
                },
                _ => command,
            };
    }

    static JsonText WithDefaults(TypeDefinition definition, JsonText metadata, ref Fault? misfit)
    {
        if (!definition.Schema.HasDefaults)
            return metadata;
        if (!definition.Schema.TryPutDefaults(metadata.ToElement(), out var filled))
            misfit = new(
                "/metadata",
                FaultCode.TooLarge,
                "With the defaults of its type, the metadata is larger or nested deeper than a body may be."
            );
        return filled is { } whole ? JsonText.From(whole) : metadata;
    }

    static Rejection? Move(Lifecycle lifecycle, Resource? before, Resource after)
    {
        if (before?.Status == after.Status)
            return null;
        var isNew = before is null || !lifecycle.States.ContainsKey(before.Status);
        var allowed = isNew ? [lifecycle.Initial] : lifecycle.Allowed(before!.Status);
        return allowed.Contains(after.Status)
            ? null
            : new(
                Refusal.TransitionNotAllowed,
                isNew
                    ? $"A resource of this type begins as '{lifecycle.Initial}'."
                    : $"A resource that is '{before!.Status}' cannot become '{after.Status}'.",
                [new("/status", "TRANSITION_NOT_ALLOWED", "The lifecycle of the type does not allow this status now.")]
            )
            {
                Allowed = allowed,
            };
    }

    /// <summary>The decision that the resource stays as it is; the fence says whether the rules still see it so.</summary>
    internal static Decision<ResourceEvent> NothingToDo(TypeRules rules) =>
        ((Decision<ResourceEvent>)[]).Under(rules.Fenced);

    /// <summary>Nobody is refused by rules that are no longer in force: the fence is compared before.</summary>
    internal static Decision<ResourceEvent> Refused(Rejection rejection, TypeRules rules) =>
        ((Decision<ResourceEvent>)rejection).Under(rules.Fenced);
}
