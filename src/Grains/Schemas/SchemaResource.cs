namespace Resources.Grains;

/// <summary>A schema with an identifier of its own, and the names in it.</summary>
internal sealed class SchemaResource(string uri, string place)
{
    /// <summary>Its identifier; the root may have none, "".</summary>
    public string Uri { get; } = uri;

    /// <summary>The pointer to it in the document.</summary>
    public string Place { get; } = place;

    /// <summary>What references may name.</summary>
    public Dictionary<string, SchemaNode> Anchors { get; } = [];

    /// <summary>Those names that dynamic references look for.</summary>
    public Dictionary<string, SchemaNode> DynamicAnchors { get; } = [];
}
