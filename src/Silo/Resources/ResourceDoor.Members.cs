using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>What lists and statistics do with the members that types declare as indexed.</summary>
public sealed partial class ResourceDoor
{
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

    static readonly Rejection OtherOrder = new(
        Refusal.Invalid,
        "The order of this list has changed. Begin again at the first page.",
        [new("?cursor", "INVALID_PARAMETER", "The cursor is of the order that the type had before.")]
    );

    static Rejection NotIndexed(NotIndexedException e, string parameter) =>
        new(
            e.IsBuilding ? Refusal.IndexBuilding : Refusal.NotIndexed,
            e.Message,
            [new("?" + parameter, "NOT_INDEXED", e.Message)]
        );
}
