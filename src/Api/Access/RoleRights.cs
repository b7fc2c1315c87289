using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Nobody grants, takes or manages what is above their own rights.</summary>
public sealed class RoleRights(IClusterClient cluster)
{
    /// <summary>Why a caller cannot give an account these roles; null when they can.</summary>
    public Task<Answer?> CheckGrantAsync(Caller caller, string[] roles) =>
        CheckAsync(caller, roles, "One of the roles has permissions that you do not have.");

    /// <summary>Why a caller cannot change an account with these roles; null when they can.</summary>
    public Task<Answer?> CheckManagingAsync(Caller caller, string[] roles) =>
        CheckAsync(caller, roles, "The account has permissions that you do not have.");

    /// <summary>Answers that these permissions are more than the caller has; false when they are not.</summary>
    public static async Task<bool> RefuseAsync(HttpContext context, PermissionSet permissions, string detail)
    {
        if (context.Caller().Permissions.Covers(permissions))
            return false;
        await Problems.WriteAsync(context, ProblemType.AboveOwnRights, detail);
        return true;
    }

    async Task<Answer?> CheckAsync(Caller caller, string[] roles, string detail)
    {
        var known = await RolesAsync();
        var permissions = PermissionSet.Union(
            roles.Select(role => known.GetValueOrDefault(role)).OfType<PermissionSet>()
        );
        return caller.Permissions.Covers(permissions) ? null : Answer.Refused(ProblemType.AboveOwnRights, detail);
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
