using System.Buffers;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>Puts the defaults of a schema into a value.</summary>
internal sealed class SchemaDefaults
{
    static readonly JsonWriterOptions AsTheyAre = new() { SkipValidation = true };

    int steps;
    bool hasChanged;

    /// <summary>The value with the defaults, or null where nothing is absent.</summary>
    public static JsonElement? PutIn(SchemaNode root, JsonElement value)
    {
        var defaults = new SchemaDefaults();
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output, AsTheyAre))
            defaults.Write([root], value, writer);
        // A value that takes so many steps is refused by the check that follows.
        return defaults.hasChanged && defaults.steps <= SchemaRun.MaxSteps
            ? JsonElement.Parse(output.WrittenSpan)
            : null;
    }

    void Write(List<SchemaNode> schemas, JsonElement value, Utf8JsonWriter writer)
    {
        var nodes = new HashSet<SchemaNode>();
        foreach (var schema in schemas)
            Add(schema, nodes);
        steps += 1 + nodes.Count;
        if (
            nodes.Count is 0
            || steps > SchemaRun.MaxSteps
            || value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)
        )
            value.WriteTo(writer);
        else if (value.ValueKind is JsonValueKind.Object)
            WriteObject(nodes, value, writer);
        else
        {
            writer.WriteStartArray();
            var at = 0;
            foreach (var item in value.EnumerateArray())
            {
                Write(Items(nodes, at), item, writer);
                at++;
            }
            writer.WriteEndArray();
        }
    }

    void WriteObject(HashSet<SchemaNode> nodes, JsonElement value, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach (var member in value.EnumerateObject())
        {
            writer.WritePropertyName(member.Name);
            Write(
                [.. nodes.Select(node => node.Members.Of(member.Name)?.Schema).OfType<SchemaNode>()],
                member.Value,
                writer
            );
        }
        var absent = new HashSet<string>();
        foreach (var node in nodes)
        foreach (var rule in node.Members.All)
            if (
                DefaultOf(rule.Schema) is { } content
                && !value.TryGetProperty(rule.Name, out _)
                && absent.Add(rule.Name)
            )
            {
                hasChanged = true;
                writer.WritePropertyName(rule.Name);
                content.WriteTo(writer);
            }
        writer.WriteEndObject();
    }

    /// <summary>The default of a member: its own, or that of a schema that it is a reference to.</summary>
    static JsonElement? DefaultOf(SchemaNode? schema)
    {
        for (; schema is not null; schema = schema.Ref)
            if (schema.Default is { } content)
                return content;
        return null;
    }

    static List<SchemaNode> Items(HashSet<SchemaNode> nodes, int at) =>
        [
            .. nodes
                .Select(node => at < node.PrefixItems.Length ? node.PrefixItems[at] : node.Items)
                .OfType<SchemaNode>(),
        ];

    /// <summary>A subschema and those that hold wherever it does.</summary>
    static void Add(SchemaNode node, HashSet<SchemaNode> nodes)
    {
        if (!nodes.Add(node))
            return;
        if (node.Ref is not null)
            Add(node.Ref, nodes);
        foreach (var schema in node.AllOf)
            Add(schema, nodes);
    }
}
