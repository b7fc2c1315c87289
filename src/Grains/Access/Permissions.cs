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
    public const string TypeRead = "type:read";
    public const string TypeManage = "type:manage";
    public const string AuditRead = "audit:read";
    public const string SigningKeyManage = "signing_key:manage";

    /// <summary>The trusted documents of GraphQL.</summary>
    public const string DocumentManage = "document:manage";

    /// <summary>The permissions of the product.</summary>
    public static readonly IReadOnlyList<PermissionKind> All =
    [
        new(ResourceCreate),
        new(ResourceRead, OfOwn: true),
        new(ResourceUpdate, OfOwn: true),
        new(ResourceDelete, OfOwn: true),
        new(ResourceReadDeleted, OfOwn: true),
        new(SubscriptionRead, OfOwn: true),
        new(SubscriptionManage, OfOwn: true),
        new(FollowerRead),
        new(FollowerManage),
        new(UserRead),
        new(UserCreate),
        new(UserUpdate),
        new(UserDelete),
        new(SessionRead),
        new(SessionManage),
        new(RoleRead),
        new(RoleManage),
        new(TypeRead),
        new(TypeManage),
        new(AuditRead),
        new(SigningKeyManage),
        new(DocumentManage),
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
}
