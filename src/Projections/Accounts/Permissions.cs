using System.Collections.Frozen;

namespace Resources.Projections;

/// <summary>What accounts may do: permissions <c>object:action</c>, given to roles.</summary>
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

    const string Everything = "*";

    /// <summary>Behind a permission: only for what the account owns.</summary>
    const string Own = ":own";

    static readonly FrozenDictionary<string, string[]> OfRole = new Dictionary<string, string[]>
    {
        ["admin"] = [Everything],
        ["user"] = [ResourceRead, SubscriptionRead + Own, SubscriptionManage + Own],
        ["author"] = [ResourceCreate, ResourceRead + Own, ResourceUpdate + Own, ResourceDelete + Own, ResourceReadDeleted + Own, SubscriptionRead + Own, SubscriptionManage + Own],
    }.ToFrozenDictionary();

    /// <summary>The roles there are.</summary>
    public static IReadOnlyList<string> Roles => OfRole.Keys;

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
}

/// <summary>How far a permission goes.</summary>
public enum Reach
{
    None,
    Own,
    All,
}
