using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Nobody grants, takes or manages what is above their own rights.</summary>
public sealed class RoleRights(IClusterClient cluster)
{
    /// <summary>
    /// Answers why a caller may not give an account these roles; false when nothing stands against it.
    /// </summary>
    public Task<bool> RefuseGrantAsync(HttpContext context, string[] roles) =>
        RefuseAsync(context, roles, "One of the roles allows what the caller may not do.");

    /// <summary>
    /// Answers why a caller may not change an account that has these roles; false when nothing stands against it.
    /// </summary>
    public Task<bool> RefuseManagingAsync(HttpContext context, string[] roles) =>
        RefuseAsync(context, roles, "The account may do what the caller may not do.");

    /// <summary>Answers that these permissions are more than the caller has; false when they are not.</summary>
    public static async Task<bool> RefuseAsync(HttpContext context, PermissionSet permissions, string detail)
    {
        if (context.Caller().Permissions.Covers(permissions))
            return false;
        await Problems.WriteAsync(context, ProblemType.AboveOwnRights, detail);
        return true;
    }

    async Task<bool> RefuseAsync(HttpContext context, string[] roles, string detail)
    {
        var known = await RolesAsync();
        return await RefuseAsync(
            context,
            PermissionSet.Union(roles.Select(role => known.GetValueOrDefault(role)).OfType<PermissionSet>()),
            detail
        );
    }

    /// <summary>Every role with its permissions, as they are now.</summary>
    public async Task<Dictionary<string, PermissionSet>> RolesAsync()
    {
        var book = (await ClusterCalls.SendAsync(_ => cluster.GetGrain<IRoleGrain>(RoleBook.Id).Get())).Value
            ?? RoleBook.Empty;
        return Permissions
            .BuiltIn.Concat(book.Roles.Select(role => KeyValuePair.Create(role.Key, PermissionSet.Of(role.Value))))
            .ToDictionary();
    }
}
