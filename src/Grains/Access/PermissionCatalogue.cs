using System.Collections.Frozen;

namespace Resources.Grains;

/// <summary>A permission, without the part of the objects that it may be narrowed to.</summary>
/// <param name="Name"><c>object:action</c>, for example <c>resource:create</c>.</param>
/// <param name="OfOwn">Whether it can be granted for the caller's own objects only.</param>
public sealed record PermissionKind(string Name, bool OfOwn = false)
{
    internal string Object => Name[..Name.IndexOf(':', StringComparison.Ordinal)];

    internal string Action => Name[(Name.IndexOf(':', StringComparison.Ordinal) + 1)..];
}

/// <summary>Every permission of a server: those of the product, and those that its features bring.</summary>
public sealed class PermissionCatalogue(IEnumerable<PermissionKind> kinds)
{
    readonly FrozenDictionary<string, PermissionKind> known = kinds.ToFrozenDictionary(kind => kind.Name);

    /// <summary>The names, in order.</summary>
    public IEnumerable<string> Names => known.Keys.Order(StringComparer.Ordinal);

    public bool Contains(string name) => known.ContainsKey(name);

    /// <summary>
    /// Why a permission cannot be granted; null when it can. Whether a type has an action of its own is not known here.
    /// </summary>
    public string? FaultOf(string text)
    {
        if (Permission.Parse(text) is not { } permission)
            return "The value must be a permission such as resource:read, resource:update:own, resource/bicycle:read, resource:* or *.";
        if (permission.Object is null)
            return null;
        var granted = known.Values.Where(kind => permission.Grants(kind.Object, kind.Action)).ToArray();
        if (granted is [] && permission.IsOfType)
            return null;
        if (granted is [])
            return $"Unknown permission. Known permissions: {string.Join(", ", Names)}.";
        return permission.Own && !granted.Any(kind => kind.OfOwn)
            ? "This permission cannot be limited to the caller's own objects."
            : null;
    }
}
