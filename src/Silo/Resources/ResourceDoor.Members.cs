using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>What lists and statistics do with the members that types declare as indexed.</summary>
public sealed partial class ResourceDoor
{
    /// <summary>Groups of live resources, as new as is wanted: of those that the caller may see.</summary>
    /// <param name="from">The first day of creation; null = any.</param>
    /// <param name="to">The last day of creation; null = any.</param>
    /// <exception cref="QueryTimeoutException">It takes longer than a query may.</exception>
    public async Task<Reply<ResourceGroups>> GroupAsync(
        Caller caller,
        string? type,
        string? status,
        DateOnly? from,
        DateOnly? to,
        Grouping grouping,
        long? wanted,
        CancellationToken ct
    )
    {
        if (Lacks(caller, Permissions.ResourceRead) is { } lack)
            return Reply<ResourceGroups>.Refused(lack);
        var reached = await WaitAsync(wanted, ct);
        if (reached.Rejection is { } behind)
            return Reply<ResourceGroups>.Refused(behind);
        var visible = ReachOf(caller, includeDeleted: false);
        var indexed = await IndexedAsync(caller, type, grouping.Paths);
        try
        {
            var found = await turns.SearchAsync(
                caller.Id,
                () => aggregates.ReadAsync(visible, indexed, type, status, from, to, grouping, ct),
                ct
            );
            return new(found, 0, found.Position, false, null);
        }
        catch (NotIndexedException e)
        {
            var value = grouping.Values.FirstOrDefault(value => value.Path == e.Member);
            return Reply<ResourceGroups>.Refused(NotIndexed(e, value.Function ?? "groupBy"));
        }
    }

    /// <summary>
    /// The indexed members of a type; none where no resource of it can be within the caller's reach. What is not among them
    /// is refused by the definition of this moment.
    /// </summary>
    async ValueTask<IndexedMembers?> IndexedAsync(Caller caller, string? type, IReadOnlyList<string> paths)
    {
        if (type is null || !MayRead(caller, type))
            return null;
        var rules = types[type];
        return paths.All(path => rules.Indexed?.Members.Any(member => member.Path == path) is true)
            ? rules.Indexed
            : (await types.RefreshAsync(type)).Indexed;
    }

    /// <summary>Whether a caller may read resources of a type, if only their own.</summary>
    static bool MayRead(Caller caller, string type) =>
        caller.Permissions.ScopeOf(Permissions.ResourceRead).Allows(type, caller.Id, caller.Id);

    static Rejection NotIndexed(NotIndexedException e, string parameter) =>
        new(
            e.IsBuilding ? Refusal.IndexBuilding : Refusal.NotIndexed,
            e.Message,
            [new("?" + parameter, "NOT_INDEXED", e.Message)]
        );
}
