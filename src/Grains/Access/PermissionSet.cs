using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Resources.Grains;

/// <summary>
/// One permission: <c>object:action</c>, behind it <c>:own</c> for what is the account's own, and for resources a type,
/// <c>resource/bicycle:update:own</c>. <c>*</c> stands for everything, <c>object:*</c> for all actions of an object.
/// </summary>
/// <param name="Object">Null = all.</param>
/// <param name="Type">Only resources of this type; null = of all.</param>
/// <param name="Action">Null = all.</param>
public sealed record Permission(string? Object, string? Type, string? Action, bool Own)
{
    const string Any = "*";
    const string OwnPart = "own";

    /// <summary>Reads a permission; null when the text is none.</summary>
    public static Permission? Parse(string text)
    {
        if (text is Any)
            return new(null, null, null, false);
        var parts = text.Split(':');
        if (parts.Length is not (2 or 3) || parts.Length is 3 && parts[2] is not OwnPart || parts[1] is "")
            return null;
        var (name, type) = parts[0].IndexOf('/', StringComparison.Ordinal) is >= 0 and var at
            ? (parts[0][..at], parts[0][(at + 1)..])
            : (parts[0], null);
        if (name is "" or Any || type is not null && (name is not "resource" || !Slug.IsValid(type)))
            return null;
        return new(name, type, parts[1] is Any ? null : parts[1], parts.Length is 3);
    }

    /// <summary>Whether it allows an action, somewhere at least.</summary>
    public bool Grants(string name, string action) =>
        (Object is null || Object == name) && (Action is null || Action == action);

    /// <summary>Whether it allows everything that another does.</summary>
    public bool Covers(Permission other) =>
        (Object is null || Object == other.Object)
        && (Type is null || Type == other.Type)
        && (Action is null || Action == other.Action)
        && (!Own || other.Own);

    /// <summary>What both allow; null when that is nothing.</summary>
    public Permission? Intersect(Permission other)
    {
        if (Object is not null && other.Object is not null && Object != other.Object)
            return null;
        if (Type is not null && other.Type is not null && Type != other.Type)
            return null;
        if (Action is not null && other.Action is not null && Action != other.Action)
            return null;
        return new(Object ?? other.Object, Type ?? other.Type, Action ?? other.Action, Own || other.Own);
    }

    public override string ToString() =>
        Object is null && Action is null && !Own
            ? Any
            : $"{Object ?? Any}{(Type is null ? "" : "/" + Type)}:{Action ?? Any}{(Own ? ":" + OwnPart : "")}";
}

/// <summary>Permissions together: what is allowed by one of them is allowed.</summary>
public sealed class PermissionSet
{
    public static readonly PermissionSet Empty = new([]);

    readonly ImmutableArray<Permission> permissions;

    /// <summary>Every request asks for one or two of the few permissions that there are.</summary>
    readonly ConcurrentDictionary<string, Scope> scopes = new();

    /// <summary>Those that others among them cover are left out; the rest stands in order.</summary>
    PermissionSet(IEnumerable<Permission> all)
    {
        var distinct = all.Distinct().ToArray();
        permissions =
        [
            .. distinct
                .Where(one => !distinct.Any(other => other != one && other.Covers(one)))
                .OrderBy(one => one.ToString(), StringComparer.Ordinal),
        ];
    }

    /// <summary>The set of permissions that were checked before.</summary>
    /// <exception cref="FormatException">A text is no permission.</exception>
    public static PermissionSet Of(IEnumerable<string> texts) =>
        new(texts.Select(text => Permission.Parse(text) ?? throw new FormatException($"'{text}' is no permission.")));

    public static PermissionSet Union(IEnumerable<PermissionSet> sets) => new(sets.SelectMany(set => set.permissions));

    /// <summary>The permissions in their canonical form.</summary>
    public string[] ToTexts() => [.. permissions.Select(permission => permission.ToString())];

    /// <summary>What both sets allow.</summary>
    public PermissionSet Intersect(PermissionSet other) =>
        new(
            permissions
                .SelectMany(_ => other.permissions, (mine, theirs) => mine.Intersect(theirs))
                .OfType<Permission>()
        );

    /// <summary>Whether this allows everything that another set does.</summary>
    public bool Covers(PermissionSet other) =>
        other.permissions.All(theirs => permissions.Any(mine => mine.Covers(theirs)));

    /// <summary>How far <c>object:action</c>, one of the known permissions, reaches.</summary>
    public Scope ScopeOf(string permission) =>
        scopes.GetOrAdd(permission, static (permission, set) => Scope.Of([.. set.GrantingOf(permission)]), this);

    /// <summary>Whether <c>object:action</c> is allowed for all.</summary>
    public bool Allows(string permission) => ScopeOf(permission).IsAll;

    /// <summary>Those of the permissions, as texts, that allow <c>object:action</c> somewhere.</summary>
    public IEnumerable<string> Granting(string permission) => GrantingOf(permission).Select(one => one.ToString());

    IEnumerable<Permission> GrantingOf(string permission)
    {
        var at = permission.IndexOf(':', StringComparison.Ordinal);
        return permissions.Where(one => one.Grants(permission[..at], permission[(at + 1)..]));
    }
}
