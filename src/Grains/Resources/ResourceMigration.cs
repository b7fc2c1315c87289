namespace Resources.Grains;

/// <summary>The forms that a resource has had, and will have, while definitions of its type change.</summary>
public static class ResourceMigration
{
    /// <summary>
    /// A resource in the form that the proposal demands; null where it does not get there, and faults are added. Where no
    /// migration comes with the proposal, that is as it is.
    /// </summary>
    public static Resource? InNewForm(this TypeRules rules, Resource resource, List<Fault> faults) =>
        rules.Migration is not { } migration || rules.HasNewForm(resource)
            ? resource
            : migration.Migrated(resource, faults);

    /// <summary>Whether a migration is under way, and the resource has the form that it leads to.</summary>
    public static bool HasNewForm(this TypeRules rules, Resource resource) =>
        rules.Begun is { } begun && resource.TypeVersion == begun;

    /// <summary>Whether a resource satisfies the proposal, once it is migrated. If not, adds its faults.</summary>
    public static bool FitsProposal(this TypeRules rules, Guid id, Resource resource, List<Fault> faults) =>
        rules.InNewForm(resource, faults) is { } migrated && rules.Proposed!.IsSatisfiedBy(id, migrated, faults);

    /// <summary>
    /// Whether a resource has a unique value by which it was addressed: in the form that it has or, while a migration is
    /// under way, in the one that it gets.
    /// </summary>
    internal static bool Has(this TypeRules rules, Resource resource, HeldValue addressed)
    {
        HeldValue?[] asked = [addressed, addressed.OfNewForm];
        bool HasIn(RuledForm? form, Resource? which) =>
            form is not null && which is not null && asked.Any(value => value is not null && form.Has(which, value));
        return !rules.HasNewForm(resource) && HasIn(rules.InForce, resource)
            || rules.Begun is not null && HasIn(rules.Proposed, rules.InNewForm(resource, []));
    }

    /// <summary>A resource as the type would have it today: a deleted one has missed migrations.</summary>
    internal static Resource? OfToday(this TypeRules rules, Resource? state) =>
        state is { DeletedAt: not null } ? rules.CaughtUp(state, []) ?? state : state;

    /// <summary>The restore of a resource, through the migrations since it was checked against its type last.</summary>
    internal static Decision<ResourceEvent> Restored(this TypeRules rules, Resource deleted)
    {
        var faults = new List<Fault>();
        return rules.CaughtUp(deleted, faults) is { } today
            ? [deleted.RestoredAs(new(null, today.Name, today.Status, today.Metadata))]
            : new Rejection(
                Refusal.RestoreInvalid,
                "The resource does not become what its type demands today.",
                [.. faults]
            );
    }

    /// <summary>
    /// A deleted resource after the migrations that it has missed; null where it does not get through them, and faults are
    /// added.
    /// </summary>
    static Resource? CaughtUp(this TypeRules rules, Resource deleted, List<Fault> faults)
    {
        if (rules is not { InForce: not null, State.Migrations: var past })
            return deleted;
        if (past.Since(deleted.TypeVersion) is not { } migrations)
        {
            faults.Report("", "TOO_OLD", "The type has forgotten a migration that the resource needs.");
            return null;
        }
        Resource? today = deleted;
        // While a migration is under way, what is still held to the definition in force does not go through it.
        foreach (var migration in migrations.TakeWhile(migration => migration.Version <= rules.Version))
            today = today is null ? null : Migration.Stored(migration.Operations).Migrated(today, faults);
        return today;
    }

    static Resource? Migrated(this Migration migration, Resource resource, List<Fault> faults)
    {
        var known = faults.Count;
        var (status, metadata) = migration.Apply(resource.Status, resource.Metadata, faults);
        return faults.Count == known ? resource with { Status = status, Metadata = metadata } : null;
    }
}
