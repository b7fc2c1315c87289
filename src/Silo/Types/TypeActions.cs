using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Actions on resources that lifecycles declare, beside those that every server knows.</summary>
public sealed class TypeActions(TypeBook types, PermissionCatalogue catalogue)
{
    /// <summary>
    /// Whether a type declares the action of <c>resource:action</c>, as far as this node knows: one that the caller may
    /// know of, or may do this with.
    /// </summary>
    public bool IsDeclared(Caller caller, string permission) =>
        Permission.Parse(permission) is { Object: "resource", Type: null, Action: { } action, Own: false }
        && types.All.Any(rules =>
            Declares(rules, action)
            && (
                TypeDoor.Sees(caller, rules.Name)
                || caller.Permissions.ScopeOf(permission).Allows(rules.Name, caller.Id, caller.Id)
            )
        );

    /// <summary>What is wrong with permissions of one type: nothing where it declares their actions.</summary>
    public async Task<Fault[]> FaultsOfAsync(string[] permissions)
    {
        var unknown = permissions
            .Select((text, index) => (Permission: Permission.Parse(text), Index: index))
            .Where(one =>
                one.Permission is { IsOfType: true } permission
                && !catalogue.Contains($"{permission.Object}:{permission.Action}")
                && !Declares(types[permission.Type!], permission.Action!)
            )
            .ToArray();
        // Another node may have declared them a moment ago.
        await Task.WhenAll(unknown.Select(one => one.Permission!.Type!).Distinct().Select(types.RefreshAsync));
        var faults = new List<Fault>();
        foreach (var (permission, index) in unknown)
            if (!Declares(types[permission!.Type!], permission.Action!))
                faults.Report(
                    $"/permissions/{index}",
                    "INVALID_PERMISSION",
                    $"The type '{permission.Type}' has no transition with the permission '{permission.Action}'."
                );
        return [.. faults];
    }

    static bool Declares(TypeRules rules, string action) =>
        rules.InForce?.Definition.Lifecycle?.Transitions.Values.Contains(action) is true;
}
