using System.Collections.Frozen;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>The names under which events are stored and published, and how they become JSON. A name is a contract: it never changes.</summary>
public static class EventTypes
{
    /// <summary>Public name by CLR type, for every event of the system.</summary>
    public static readonly FrozenDictionary<Type, string> Names = new Dictionary<Type, string>
    {
        [typeof(ResourceCreated)] = "resource.created",
        [typeof(ResourceReplaced)] = "resource.replaced",
        [typeof(ResourceRenamed)] = "resource.renamed",
        [typeof(ResourceMetadataChanged)] = "resource.metadata_changed",
        [typeof(ResourceStatusChanged)] = "resource.status_changed",
        [typeof(ResourceDeleted)] = "resource.deleted",
        [typeof(ResourceRestored)] = "resource.restored",
    }.ToFrozenDictionary();

    /// <summary>One JSON form for writing, reading and Marten: camelCase, text as sent.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // Metadata may be 63 levels deep; an event nests it once more.
        MaxDepth = 128,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>What Marten stores beside the name to find the CLR type.</summary>
    internal static string ClrName(Type type) => ClrNames[type];

    static readonly FrozenDictionary<Type, string> ClrNames =
        Names.Keys.ToFrozenDictionary(type => type, type => $"{type.FullName}, {type.Assembly.GetName().Name}");
}
