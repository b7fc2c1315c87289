using System.Collections.Frozen;

namespace Resources.Grains;

/// <summary>The permissions there are, and the roles that are built in.</summary>
public static class Permissions
{
    public const string ResourceCreate = "resource:create";
    public const string ResourceRead = "resource:read";
    public const string ResourceUpdate = "resource:update";
    public const string ResourceDelete = "resource:delete";

    /// <summary>Deleted resources in lists.</summary>
    public const string ResourceReadDeleted = "resource:read_deleted";

    public const string SubscriptionRead = "subscription:read";
    public const string SubscriptionManage = "subscription:manage";
    public const string FollowerRead = "follower:read";
    public const string FollowerManage = "follower:manage";
    public const string UserRead = "user:read";
    public const string UserCreate = "user:create";
    public const string UserUpdate = "user:update";
    public const string UserDelete = "user:delete";
    public const string SessionRead = "session:read";
    public const string SessionManage = "session:manage";
    public const string RoleRead = "role:read";
    public const string RoleManage = "role:manage";
    public const string AuditRead = "audit:read";
    public const string SigningKeyManage = "signing_key:manage";

    /// <summary>Every permission, without its reach.</summary>
    public static readonly FrozenSet<string> Known =
    [
        ResourceCreate,
        ResourceRead,
        ResourceUpdate,
        ResourceDelete,
        ResourceReadDeleted,
        SubscriptionRead,
        SubscriptionManage,
        FollowerRead,
        FollowerManage,
        UserRead,
        UserCreate,
        UserUpdate,
        UserDelete,
        SessionRead,
        SessionManage,
        RoleRead,
        RoleManage,
        AuditRead,
        SigningKeyManage,
    ];

    /// <summary>Permissions that can be had for what is one's own only.</summary>
    static readonly FrozenSet<string> OfOwn =
    [
        ResourceRead,
        ResourceUpdate,
        ResourceDelete,
        ResourceReadDeleted,
        SubscriptionRead,
        SubscriptionManage,
    ];

    /// <summary>Roles that are always there.</summary>
    public static readonly FrozenDictionary<string, PermissionSet> BuiltIn = new Dictionary<string, PermissionSet>
    {
        [RoleBook.Administrator] = PermissionSet.Of(["*"]),
        ["user"] = PermissionSet.Of([ResourceRead, SubscriptionRead + ":own", SubscriptionManage + ":own"]),
        ["author"] = PermissionSet.Of([
            ResourceCreate,
            ResourceRead + ":own",
            ResourceUpdate + ":own",
            ResourceDelete + ":own",
            ResourceReadDeleted + ":own",
            SubscriptionRead + ":own",
            SubscriptionManage + ":own",
        ]),
    }.ToFrozenDictionary();

    /// <summary>What is wrong with a permission that somebody wants to give; null when nothing is.</summary>
    public static string? FaultOf(string text)
    {
        if (Permission.Parse(text) is not { } permission)
            return "The value has to be a permission such as resource:read, resource:update:own, resource/bicycle:read, resource:* or *.";
        if (permission.Object is null)
            return null;
        var known = Known
            .Where(name =>
                permission.Grants(
                    name[..name.IndexOf(':', StringComparison.Ordinal)],
                    name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..]
                )
            )
            .ToArray();
        if (known is [])
            return $"There is no such permission. There are {string.Join(", ", Known.Order(StringComparer.Ordinal))}.";
        return permission.Own && !known.Any(OfOwn.Contains)
            ? "This permission cannot be had for one's own only."
            : null;
    }
}
