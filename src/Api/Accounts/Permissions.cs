using System.Collections.Frozen;
using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;

namespace Resources.Api;

/// <summary>What callers may do: permissions <c>object:action</c>, given to roles.</summary>
public static class Permissions
{
    public const string ResourceCreate = "resource:create";
    public const string ResourceRead = "resource:read";
    public const string ResourceUpdate = "resource:update";
    public const string ResourceDelete = "resource:delete";

    /// <summary>Deleted resources in lists.</summary>
    public const string ResourceReadDeleted = "resource:read_deleted";

    public const string FollowerRead = "follower:read";
    public const string FollowerManage = "follower:manage";
    public const string UserRead = "user:read";
    public const string UserCreate = "user:create";
    public const string UserUpdate = "user:update";

    /// <summary>The claim that holds a caller's roles.</summary>
    public const string RoleClaim = "roles";

    const string Everything = "*";

    /// <summary>Behind a permission: only for resources that the caller owns.</summary>
    const string Own = ":own";

    static readonly FrozenDictionary<string, string[]> OfRole = new Dictionary<string, string[]>
    {
        ["admin"] = [Everything],
        ["user"] = [ResourceRead],
        ["author"] = [ResourceCreate, ResourceRead + Own, ResourceUpdate + Own, ResourceDelete + Own, ResourceReadDeleted + Own],
    }.ToFrozenDictionary();

    /// <summary>The roles there are.</summary>
    public static IReadOnlyList<string> Roles => OfRole.Keys;

    /// <summary>How far a permission of the caller goes, over all roles.</summary>
    public static Reach Of(ClaimsPrincipal caller, string permission) => Of(caller.FindAll(RoleClaim).Select(claim => claim.Value), permission);

    /// <summary>How far a permission goes over some roles; those that do not exist grant nothing.</summary>
    public static Reach Of(IEnumerable<string> roles, string permission)
    {
        var reach = Reach.None;
        foreach (var role in roles)
        {
            if (!OfRole.TryGetValue(role, out var granted)) continue;
            if (granted.Contains(Everything) || granted.Contains(permission)) return Reach.All;
            if (granted.Contains(permission + Own)) reach = Reach.Own;
        }
        return reach;
    }

    /// <summary>Lets only callers with the permission reach an endpoint. One that names a resource hides those that are beyond its reach.</summary>
    public static TBuilder Require<TBuilder>(this TBuilder endpoint, string permission) where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireAssertion(context => Of(context.User, permission) is not Reach.None))
            .WithMetadata(new RequiredPermission(permission));

    /// <summary>The owner whose resources alone the caller may see by a permission; null = all.</summary>
    public static string? Visible(this HttpContext context, string permission) => Of(context.User, permission) is Reach.All ? null : context.CallerId();

    /// <summary>The owner whose resources alone the caller may reach at this endpoint; null = all.</summary>
    public static string? Visible(this HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<RequiredPermission>() is { } required ? context.Visible(required.Permission) : null;

    /// <summary>The caller's account id.</summary>
    public static string CallerId(this HttpContext context) =>
        context.User.FindFirstValue("sub") ?? throw new InvalidOperationException("The endpoint was reached without a caller.");
}

/// <summary>The permission that an endpoint asks for, for its description.</summary>
public sealed record RequiredPermission(string Permission);

/// <summary>How far a permission goes.</summary>
public enum Reach
{
    None,
    Own,
    All,
}
