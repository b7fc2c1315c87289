using System.Diagnostics;

namespace Resources.Grains;

/// <summary>
/// Decides about one command while a migration is under way. Resources of the type have the old form or the new one then,
/// and a write in either form is taken; but nothing goes back to the old one.
/// </summary>
sealed class TwoForms(Guid id, Resource? state, DecisionContext context, TypeRules rules)
{
    readonly TypeRules ofNew = rules.OfNewForm;

    /// <summary>
    /// The resource in the new form; null where there is none. What does not get there is as it is: it was deleted, or these
    /// rules are no longer in force.
    /// </summary>
    readonly Resource? seen = state is { DeletedAt: null }
        ? rules.InNewForm(state, []) ?? state
        : rules.OfNewForm.OfToday(state);

    bool IsOld => state is not null && !rules.HasNewForm(state);

    public Decision<ResourceEvent> Decide(ResourceCommand command) =>
        command switch
        {
            MigrateResource c => Migrate(c),
            CreateResource or ReplaceResource or RestoreResource { Replacement: not null } => Write(command),
            _ when IsOld && !rules.IsClosing && command is not RestoreResource => AsOld(command),
            _ => AsNew(command),
        };

    /// <summary>
    /// What both definitions take is in the new form if the migration would leave it as it is. Else it comes from somebody
    /// who knows the old definition only. Who sends back the version of the type has said which form it is.
    /// </summary>
    Decision<ResourceEvent> Write(ResourceCommand command)
    {
        if (!rules.IsClosing && Resource.GivenBy(command)?.Kept?.TypeVersion is { } known)
            return known >= rules.Begun ? AsNew(command) : AsOld(command);
        var asNew = AsNew(command);
        if (rules.IsClosing || asNew is { Rejection: null } && Migrated(ofNew.Completed(command, seen, out _)) is null)
            return asNew;
        var asOld = state is null || IsOld ? AsOld(command) : AsMigrated(command);
        return asNew.Rejection is null && asOld.Rejection is not null ? asNew : asOld;
    }

    Decision<ResourceEvent> Migrate(MigrateResource command) =>
        rules.Change == command.Change && state is { DeletedAt: null } && IsOld
            ? Hold(ofNew, command, [new ResourceMigrated(seen!.Status, seen.Metadata, state.Changed(seen))], null)
            : ResourceRules.NothingToDo(rules);

    Decision<ResourceEvent> AsOld(ResourceCommand command)
    {
        var completed = rules.Completed(command, rules.OfToday(state), out var misfit);
        return Hold(rules, completed, Resource.Decide(state, completed, context), misfit);
    }

    Decision<ResourceEvent> AsNew(ResourceCommand command)
    {
        var patches = command is PatchResource && IsOld && state!.DeletedAt is null;
        var completed = ofNew.Completed(command, seen, out var misfit);
        var decision = Resource.Decide(patches ? seen : state, completed, context);
        // What is there already is there in the old form.
        if (IsOld && completed is ReplaceResource same && decision is { Rejection: null, Events: [] })
            decision = [new ResourceReplaced(same.Name, same.Status ?? Resource.DefaultStatus, same.Metadata, [])];
        if (patches)
        {
            // What was patched is the resource in the new form, which nobody has stored.
            if (decision.Rejection is { } refusal)
                return ResourceRules.Refused(refusal, rules);
            var patched = decision.Events is [] ? seen! : ResourceRules.After(seen, decision.Events, context)!;
            decision = state!.Change(patched.Name, patched.Status, patched.Metadata);
        }
        return Hold(ofNew, completed, decision, misfit);
    }

    /// <summary>A replacement in the old form of what has the new one is migrated before it is stored.</summary>
    Decision<ResourceEvent> AsMigrated(ResourceCommand command)
    {
        var completed = rules.Completed(command, null, out var misfit);
        // A status that was not sent stays what it is in the new form.
        return
            misfit is null
            && Fits(completed)
            && Migrated(With(completed, ContentOf(command).Status, ContentOf(completed).Metadata)) is { } migrated
            ? AsNew(migrated)
            : AsNew(command);
    }

    /// <summary>Whether the definition in force takes what a replacement brings.</summary>
    bool Fits(ResourceCommand completed)
    {
        var (status, metadata) = ContentOf(completed);
        var given = seen! with { Status = status ?? Resource.DefaultStatus, Metadata = metadata };
        return rules.InForce?.IsSatisfiedBy(id, given, []) is not false;
    }

    /// <summary>The same command in the new form; null where the migration leaves it as it is, or cannot change it.</summary>
    ResourceCommand? Migrated(ResourceCommand command)
    {
        var faults = new List<Fault>();
        var (given, metadata) = ContentOf(command);
        var (status, migrated) = rules.Migration!.Apply(given ?? Resource.DefaultStatus, metadata, faults);
        return faults is not [] || migrated.Equals(metadata) && (given is null || status == given)
            ? null
            : With(command, given is null ? null : status, migrated);
    }

    static (string? Status, JsonText Metadata) ContentOf(ResourceCommand command) =>
        command is CreateResource create ? (create.Status, create.Metadata)
        : Resource.GivenBy(command) is { } replacement ? (replacement.Status, replacement.Metadata)
        : throw new UnreachableException($"{command.GetType().Name} has no content.");

    static ResourceCommand With(ResourceCommand command, string? status, JsonText metadata) =>
        command switch
        {
            CreateResource c => c with { Status = status, Metadata = metadata },
            ReplaceResource c => c with { Status = status, Metadata = metadata },
            RestoreResource { Replacement: { } c } => new RestoreResource(
                c with
                {
                    Status = status,
                    Metadata = metadata,
                }
            ),
            _ => throw new UnreachableException($"{command.GetType().Name} has no content."),
        };

    Decision<ResourceEvent> Hold(
        TypeRules form,
        ResourceCommand command,
        Decision<ResourceEvent> decision,
        Fault? misfit
    ) =>
        ResourceRules.Hold(
            id,
            state,
            form == ofNew ? seen : rules.OfToday(state),
            command,
            decision,
            context,
            rules,
            form,
            misfit
        );
}
