namespace Resources.Silo;

/// <summary>What a permission lets a caller do with a resource.</summary>
public enum ResourceAccess
{
    /// <summary>There is no such resource, or the caller may not see it.</summary>
    Hidden,

    /// <summary>The caller may see the resource, but the permission does not cover it.</summary>
    Visible,

    /// <summary>The permission covers the resource.</summary>
    WithinReach,
}
