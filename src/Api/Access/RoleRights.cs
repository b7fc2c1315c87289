using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Callers grant, take and manage only rights that they have.</summary>
public sealed class RoleRights(IClusterClient cluster)
{
    /// <summary>Why a caller cannot give an account these roles; null when they can.</summary>
    public Task<Answer?> CheckGrantAsync(Caller caller, string[] roles) =>
        CheckAsync(caller, roles, "One of the roles has permissions that you do not have.");

    /// <summary>Why a caller cannot change an account with these roles; null when they can.</summary>
    public Task<Answer?> CheckManagingAsync(Caller caller, string[] roles) =>
        CheckAsync(caller, roles, "The account has permissions that you do not have.");

    /// <summary>Why a caller cannot grant or take these permissions; null when they can.</summary>
    public static Answer? Check(Caller caller, PermissionSet permissions, string detail) =>
        caller.Permissions.Covers(permissions) ? null : Answer.Refused(ProblemType.AboveOwnRights, detail);

    /// <summary>Every role with its current permissions.</summary>
    public async Task<Dictionary<string, PermissionSet>> RolesAsync()
    {
        var book = (await ClusterCalls.ReadAsync(() => cluster.GetGrain<IRoleGrain>(RoleBook.Id).Get())).Value
            ?? RoleBook.Empty;
        return Permissions
            .BuiltIn.Concat(book.Roles.Select(role => KeyValuePair.Create(role.Key, PermissionSet.Of(role.Value))))
            .ToDictionary();
    }

    async Task<Answer?> CheckAsync(Caller caller, string[] roles, string detail)
    {
        var known = await RolesAsync();
        return Check(
            caller,
            PermissionSet.Union(roles.Select(role => known.GetValueOrDefault(role)).OfType<PermissionSet>()),
            detail
        );
    }
}
