using System.Collections.Frozen;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// Declares a kind of event, on the record that is its stored form. The name is a contract: it never changes.
/// </summary>
/// <param name="name">The name under which events are stored and published: <c>object.something_happened</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class EventAttribute(string name) : Attribute
{
    public string Name { get; } = name;

    /// <summary>
    /// Whether nodes must hear of it to know who may do what. The SQL function <c>changes_access</c> lists the same
    /// kinds, and <c>AccessBook</c> has an arm for each.
    /// </summary>
    public bool ChangesAccess { get; init; }
}

/// <summary>A kind of event as it is declared.</summary>
public sealed record EventKind(Type Type, string Name, bool ChangesAccess)
{
    const string OfResources = "resource.";

    /// <summary>What Marten stores beside the name to find the CLR type.</summary>
    internal string ClrName { get; } = $"{Type.FullName}, {Type.Assembly.GetName().Name}";

    /// <summary>
    /// Whether events of this name happen to resources. Readers of events see these and no others. The SQL function of
    /// the same name decides alike.
    /// </summary>
    public static bool IsOfResource(string name) => name.StartsWith(OfResources, StringComparison.Ordinal);
}

/// <summary>Every kind of event that this process knows: those of the product, and those that features bring.</summary>
public sealed class EventKinds
{
    /// <summary>One JSON form for writing, reading and Marten: camelCase, text as sent.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // Metadata may be 63 levels deep; an event nests it once more.
        MaxDepth = 128,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// The names of what happens to resources: all that readers of events ever see, in order. Only the product declares
    /// them.
    /// </summary>
    public static readonly IReadOnlyList<string> OfResources =
    [
        .. DeclaredIn([Product]).Select(kind => kind.Name).Where(EventKind.IsOfResource).Order(StringComparer.Ordinal),
    ];

    readonly FrozenDictionary<Type, EventKind> byType;
    readonly FrozenDictionary<string, EventKind> byName;

    /// <param name="others">The assemblies that declare kinds beside those of the product.</param>
    /// <exception cref="InvalidOperationException">A declaration contradicts another one.</exception>
    public EventKinds(params IEnumerable<Assembly> others)
    {
        var declared = DeclaredIn(others.Prepend(Product).Distinct()).ToArray();
        foreach (var kind in declared)
            Check(kind);
        if (declared.GroupBy(kind => kind.Name).FirstOrDefault(alike => alike.Count() > 1) is { } twice)
            throw new InvalidOperationException(
                $"Two events are called {twice.Key}: {string.Join(" and ", twice.Select(kind => kind.Type.FullName))}."
            );
        byType = declared.ToFrozenDictionary(kind => kind.Type);
        byName = declared.ToFrozenDictionary(kind => kind.Name);
        All = [.. declared.OrderBy(kind => kind.Name, StringComparer.Ordinal)];
    }

    /// <summary>Every kind, in the order of the names.</summary>
    public IReadOnlyList<EventKind> All { get; }

    /// <summary>The kind of an event.</summary>
    /// <exception cref="KeyNotFoundException">No feature of this process declares it.</exception>
    public EventKind this[Type type] => byType[type];

    /// <summary>Whether a kind has this name.</summary>
    public bool Contains(string name) => byName.ContainsKey(name);

    /// <summary>
    /// An event as it was stored; null when no feature of this process declares its kind: a node of the next release,
    /// or one with more features, may have written it.
    /// </summary>
    /// <exception cref="JsonException">The event does not have the form of its kind.</exception>
    public object? Read(string name, string json) =>
        byName.TryGetValue(name, out var kind) ? JsonSerializer.Deserialize(json, kind.Type, Json) : null;

    static Assembly Product => typeof(EventKinds).Assembly;

    static IEnumerable<EventKind> DeclaredIn(IEnumerable<Assembly> assemblies) =>
        from assembly in assemblies
        from type in assembly.GetTypes()
        let declaration = type.GetCustomAttribute<EventAttribute>(inherit: false)
        where declaration is not null
        select new EventKind(type, declaration.Name, declaration.ChangesAccess);

    static void Check(EventKind kind)
    {
        var isOfResource = EventKind.IsOfResource(kind.Name);
        var fault =
            kind.Name.Split('.') is not [not "", not ""] ? "needs a name of two parts, as in object.something_happened"
            : isOfResource != kind.Type.IsSubclassOf(typeof(ResourceEvent))
                ? "needs a name that begins with 'resource.' if it happens to resources, and only then"
            : kind.Type.Assembly != Product && (isOfResource || kind.ChangesAccess)
                ? "may neither happen to resources nor change access, as it is not of the product"
            : null;
        if (fault is not null)
            throw new InvalidOperationException($"The event {kind.Type.FullName}, called {kind.Name}, {fault}.");
    }
}
