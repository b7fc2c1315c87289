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
    public const string UserRead = "user:read";
    public const string UserCreate = "user:create";

    /// <summary>The claim that holds a caller's roles.</summary>
    public const string RoleClaim = "roles";

    const string Everything = "*";

    static readonly FrozenDictionary<string, string[]> OfRole = new Dictionary<string, string[]>
    {
        ["admin"] = [Everything],
        ["user"] = [ResourceRead],
    }.ToFrozenDictionary();

    /// <summary>The roles there are.</summary>
    public static IReadOnlyList<string> Roles => OfRole.Keys;

    /// <summary>Whether one of the caller's roles grants a permission.</summary>
    public static bool Has(ClaimsPrincipal caller, string permission)
    {
        foreach (var claim in caller.Claims)
            if (claim.Type is RoleClaim && OfRole.TryGetValue(claim.Value, out var granted) && (granted.Contains(Everything) || granted.Contains(permission)))
                return true;
        return false;
    }

    /// <summary>Lets only callers with the permission reach an endpoint.</summary>
    public static TBuilder Require<TBuilder>(this TBuilder endpoint, string permission) where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireAssertion(context => Has(context.User, permission)))
            .WithMetadata(new RequiredPermission(permission));

    /// <summary>The caller's account id.</summary>
    public static string CallerId(this HttpContext context) =>
        context.User.FindFirstValue("sub") ?? throw new InvalidOperationException("The endpoint was reached without a caller.");
}

/// <summary>The permission that an endpoint asks for, for its description.</summary>
public sealed record RequiredPermission(string Permission);
