using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Resources.Grains;

/// <summary>A set of permissions, which allows what any of them allows.</summary>
public sealed class PermissionSet
{
    public static readonly PermissionSet Empty = new([]);

    readonly ImmutableArray<Permission> permissions;
    readonly Lazy<string[]> ofResources;

    /// <summary>A cache: there are few permissions, and every request asks for one or two of them.</summary>
    readonly ConcurrentDictionary<string, Scope> scopes = new();

    /// <summary>Drops permissions that others cover, and sorts the rest.</summary>
    PermissionSet(IEnumerable<Permission> all)
    {
        var distinct = all.Distinct().ToArray();
        permissions =
        [
            .. distinct
                .Where(one => !distinct.Any(other => other != one && other.Covers(one)))
                .OrderBy(one => one.ToString(), StringComparer.Ordinal),
        ];
        ofResources = new(() =>
            [.. permissions.Where(one => one.Object is null or "resource").Select(one => one.ToString())]
        );
    }

    /// <summary>The set of permissions that are known to be valid.</summary>
    /// <exception cref="FormatException">A text is not a permission.</exception>
    public static PermissionSet Of(IEnumerable<string> texts) =>
        new(texts.Select(text => Permission.Parse(text) ?? throw new FormatException($"'{text}' is no permission.")));

    public static PermissionSet Union(IEnumerable<PermissionSet> sets) => new(sets.SelectMany(set => set.permissions));

    /// <summary>The permissions in their canonical form.</summary>
    public string[] ToTexts() => [.. permissions.Select(permission => permission.ToString())];

    /// <summary>Those on resources, in their canonical form.</summary>
    public string[] OfResources => ofResources.Value;

    /// <summary>The set of what both sets allow.</summary>
    public PermissionSet Intersect(PermissionSet other) =>
        new(
            permissions
                .SelectMany(_ => other.permissions, (mine, theirs) => mine.Intersect(theirs))
                .OfType<Permission>()
        );

    /// <summary>Whether this set allows everything that another set allows.</summary>
    public bool Covers(PermissionSet other) =>
        other.permissions.All(theirs => permissions.Any(mine => mine.Covers(theirs)));

    /// <summary>The objects that <c>object:action</c>, a known permission, covers.</summary>
    public Scope ScopeOf(string permission) =>
        scopes.GetOrAdd(permission, static (permission, set) => Scope.Of([.. set.GrantingOf(permission)]), this);

    /// <summary>Whether <c>object:action</c> is allowed on all objects.</summary>
    public bool Allows(string permission) => ScopeOf(permission).IsAll;

    /// <summary>The permissions, as texts, that allow <c>object:action</c> on at least some objects.</summary>
    public IEnumerable<string> Granting(string permission) => GrantingOf(permission).Select(one => one.ToString());

    IEnumerable<Permission> GrantingOf(string permission)
    {
        var at = permission.IndexOf(':', StringComparison.Ordinal);
        return permissions.Where(one => one.Grants(permission[..at], permission[(at + 1)..]));
    }
}
