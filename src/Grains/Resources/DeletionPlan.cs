namespace Resources.Grains;

/// <summary>A resource because of which another one is not deleted.</summary>
/// <param name="Change">The change of its type by which alone it holds that; null where it does by what is in force.</param>
public readonly record struct Holder(Guid Id, Guid? Change);

/// <summary>
/// What happens with the deletion of a resource to those that refer to it, and to those that refer to these in turn. It is
/// told of references level by level, and says in the end who stands in the way, and what becomes of each of the others.
/// </summary>
/// <param name="target">The resource that somebody deletes.</param>
/// <param name="command">The deletion, with what the caller may do to others.</param>
/// <param name="account">The caller.</param>
public sealed class DeletionPlan(Guid target, DeleteResource command, string account)
{
    /// <summary>So many resources may go at once, or be changed by it, the target among them.</summary>
    public const int MaxMembers = 1_000;

    readonly HashSet<Guid> deleted = [target];
    readonly Dictionary<Guid, List<StoredReference>> bySource = [];
    readonly Dictionary<Guid, List<Guid>> sourcesOf = [];
    readonly Dictionary<string, long> positions = [];
    bool isCut;

    /// <summary>Whether there are more resources than can be in a unit, or be looked at.</summary>
    public bool IsTooLarge => isCut || deleted.Union(bySource.Keys).Count() > MaxMembers;

    /// <summary>Whether rules have changed from one level to the next.</summary>
    public bool IsStale { get; private set; }

    /// <summary>
    /// The resources that are not deleted, and refer to others by references that do not end by themselves, in order.
    /// </summary>
    public Holder[] Holding =>
        [
            .. from one in bySource
            where !deleted.Contains(one.Key)
            let holding = one.Value.FindAll(each => PolicyOf(each) is not OnDelete.Unset)
            where holding is not []
            orderby one.Key
            // By rules in force, if one of them is.
            select new Holder(one.Key, holding.TrueForAll(each => each.Change is not null) ? holding[0].Change : null),
        ];

    /// <summary>
    /// Everything that is written, the target last. What is deleted comes behind what refers to it, except where they
    /// refer to each other.
    /// </summary>
    public List<Guid> Members
    {
        get
        {
            List<Guid> members = [.. bySource.Keys.Where(source => !deleted.Contains(source))];
            var seen = new HashSet<Guid> { target };
            AddDeleted(target, seen, members);
            return members;
        }
    }

    /// <summary>Whether a member is deleted; else it loses references.</summary>
    public bool Deletes(Guid member) => deleted.Contains(member);

    /// <summary>Takes the references to the resources of a level; returns those that are deleted because of them.</summary>
    /// <param name="found">The references of <see cref="MaxMembers"/> sources at most.</param>
    public Guid[] Add(List<StoredReference> found)
    {
        isCut |= found.Select(one => one.Source).Distinct().Count() >= MaxMembers;
        foreach (var reference in found)
        {
            IsStale |=
                !positions.TryAdd(reference.Rules.Name, reference.Rules.Position)
                && positions[reference.Rules.Name] != reference.Rules.Position;
            ListOf(bySource, reference.Source).Add(reference);
            ListOf(sourcesOf, reference.Target).Add(reference.Source);
        }
        return
        [
            .. found
                .Where(reference => PolicyOf(reference) is OnDelete.Cascade && deleted.Add(reference.Source))
                .Select(reference => reference.Source),
        ];
    }

    /// <summary>
    /// What becomes of a member. No events where it is no longer what it was: then it may not even be one any more.
    /// </summary>
    public Decision<ResourceEvent> Decide(Guid member, Resource state, DecisionContext context)
    {
        var rules = bySource[member][0].Rules;
        var references = bySource[member].ConvertAll(one => (one.Field, one.Target));
        if (state.DeletedAt is not null || !rules.ReferencesOf(state).IsSupersetOf(references))
            return [];
        return Deletes(member)
            ? ResourceRules.Decide(member, state, command, context, rules)
            : ResourceRules.Unset(member, state, references, context, rules);
    }

    /// <summary>What a rule says, if the caller may do it; else the reference holds its target.</summary>
    OnDelete PolicyOf(StoredReference reference)
    {
        if (DecidingFor(reference) is not { } deciding)
            return OnDelete.Restrict;
        var policy = deciding.Rules.ReferenceOf(deciding.Field)!.Value.Rule.OnDelete;
        var scope = policy is OnDelete.Cascade ? command.Deletes : command.Updates;
        return scope?.Allows(reference.Rules.Name, reference.Owner, account) is true ? policy : OnDelete.Restrict;
    }

    /// <summary>
    /// The reference whose rule counts. A rule that is only proposed deletes and changes nothing: what is in force between
    /// the two resources counts for it, or nothing does. Resources in the form that a migration leads to have no other rules.
    /// </summary>
    StoredReference? DecidingFor(StoredReference reference) =>
        reference.Change is null
            ? reference
            : bySource[reference.Source].Find(one => one.Target == reference.Target && one.Change is null)
                ?? (reference.Rules.Begun is null ? null : reference);

    void AddDeleted(Guid one, HashSet<Guid> seen, List<Guid> members)
    {
        foreach (var source in sourcesOf.GetValueOrDefault(one) ?? [])
            if (deleted.Contains(source) && seen.Add(source))
                AddDeleted(source, seen, members);
        members.Add(one);
    }

    static List<T> ListOf<T>(Dictionary<Guid, List<T>> lists, Guid key)
    {
        if (!lists.TryGetValue(key, out var list))
            lists[key] = list = [];
        return list;
    }
}
