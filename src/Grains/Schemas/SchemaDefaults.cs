using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>Puts the defaults of a schema into a value.</summary>
internal sealed class SchemaDefaults
{
    readonly ArrayBufferWriter<byte> output = new();
    readonly Utf8JsonWriter writer;
    long budget = (long)SchemaRun.MaxSteps * SchemaRun.Unit;

    // The value stands in a document.
    int depth = 1;
    bool hasChanged;
    bool fits = true;

    SchemaDefaults() => writer = new(output, new() { SkipValidation = true });

    /// <summary>
    /// Puts the defaults in. What takes too many steps is refused by the check that follows: it pays for the same steps.
    /// </summary>
    /// <param name="filled">The value with the defaults; null where nothing is absent, or it does not fit.</param>
    /// <returns>Whether it fits the store, and is not nested too deeply.</returns>
    public static bool TryPutIn(SchemaNode root, JsonElement value, out JsonElement? filled)
    {
        filled = null;
        var defaults = new SchemaDefaults();
        using (defaults.writer)
            defaults.Write([root], value);
        if (!defaults.hasChanged || defaults.budget < 0)
            return true;
        if (!defaults.fits || !StrictJson.FitsStore(defaults.output.WrittenSpan))
            return false;
        filled = JsonElement.Parse(defaults.output.WrittenSpan);
        return true;
    }

    void Write(List<SchemaNode> schemas, JsonElement value)
    {
        var nodes = new HashSet<SchemaNode>();
        foreach (var schema in schemas)
            Add(schema, nodes);
        budget -= nodes.Count * SchemaRun.Unit;
        if (budget < 0 || nodes.Count is 0)
            value.WriteTo(writer);
        else if (value.ValueKind is JsonValueKind.Object)
            WriteObject([.. nodes.Where(node => node.Members.Any)], value);
        else if (value.ValueKind is JsonValueKind.Array)
            WriteArray([.. nodes.Where(node => node.Items is not null || node.PrefixItems.Length > 0)], value);
        else
            value.WriteTo(writer);
    }

    void WriteObject(SchemaNode[] nodes, JsonElement value)
    {
        depth++;
        writer.WriteStartObject();
        var present = new HashSet<MemberRule>();
        foreach (var member in value.EnumerateObject())
        {
            // What takes too many steps is refused anyway.
            if (budget < 0)
                break;
            budget -= nodes.Length * SchemaRun.MemberCost;
            var schemas = new List<SchemaNode>();
            foreach (var node in nodes)
                if (node.Members.Of(JsonStrings.NameOf(member)) is { } rule && present.Add(rule))
                    if (rule.Schema is not null)
                        schemas.Add(rule.Schema);
            writer.WritePropertyName(member.Name);
            Write(schemas, member.Value);
        }
        var absent = new HashSet<string>();
        foreach (var node in nodes)
        foreach (var (rule, content) in node.Members.Defaults)
            if (!present.Contains(rule) && absent.Add(rule.Name))
            {
                hasChanged = true;
                if (!HasRoomFor(content))
                    continue;
                writer.WritePropertyName(rule.Name);
                content.WriteTo(writer);
            }
        writer.WriteEndObject();
        depth--;
    }

    /// <summary>A short value can have room for many defaults, and each may be long or deep.</summary>
    bool HasRoomFor(JsonElement content) =>
        fits =
            fits
            && writer.BytesCommitted + writer.BytesPending <= StrictJson.MaxStoredBytes
            && depth + DepthOf(JsonMarshal.GetRawUtf8Value(content)) <= StrictJson.MaxDepth;

    static int DepthOf(ReadOnlySpan<byte> json)
    {
        var deepest = 0;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                deepest = Math.Max(deepest, reader.CurrentDepth + 1);
        return deepest;
    }

    void WriteArray(SchemaNode[] nodes, JsonElement value)
    {
        depth++;
        writer.WriteStartArray();
        var at = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (budget < 0)
                break;
            var schemas = nodes.Select(node => at < node.PrefixItems.Length ? node.PrefixItems[at] : node.Items);
            Write([.. schemas.OfType<SchemaNode>()], item);
            at++;
        }
        writer.WriteEndArray();
        depth--;
    }

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
