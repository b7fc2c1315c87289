using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Resources.Projections;

namespace Resources.Api;

/// <summary>What the caller of a request may do.</summary>
public static class Access
{
    /// <summary>The claim that holds a caller's roles.</summary>
    public const string RoleClaim = "roles";

    /// <summary>How far a permission of the caller goes, over all roles.</summary>
    public static Reach Reach(this ClaimsPrincipal caller, string permission) => Permissions.Of(caller.FindAll(RoleClaim).Select(claim => claim.Value), permission);

    /// <summary>Lets only callers with the permission reach an endpoint. One that names a resource hides those that are beyond its reach.</summary>
    public static TBuilder Require<TBuilder>(this TBuilder endpoint, string permission) where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireAssertion(context => context.User.Reach(permission) is not Projections.Reach.None))
            .WithMetadata(new RequiredPermission(permission));

    /// <summary>The owner whose resources alone the caller may see by a permission; null = all.</summary>
    public static string? Visible(this HttpContext context, string permission) => context.User.Reach(permission) is Projections.Reach.All ? null : context.CallerId();

    /// <summary>The owner whose resources alone the caller may reach at this endpoint; null = all.</summary>
    public static string? Visible(this HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<RequiredPermission>() is { } required ? context.Visible(required.Permission) : null;

    /// <summary>The caller's account id.</summary>
    public static string CallerId(this HttpContext context) =>
        context.User.FindFirstValue("sub") ?? throw new InvalidOperationException("The endpoint was reached without a caller.");
}

/// <summary>The permission that an endpoint asks for, for its description.</summary>
public sealed record RequiredPermission(string Permission);
