using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>Between elements and nodes, without touching the text of numbers.</summary>
public static class JsonNodes
{
    // Text is stored as sent; escapes for HTML have no place here.
    static readonly JsonWriterOptions Plain = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>A node that reads from the element, whose document has to live as long.</summary>
    public static JsonNode? From(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.Object => JsonObject.Create(element),
            JsonValueKind.Array => JsonArray.Create(element),
            _ => JsonValue.Create(element),
        };

    /// <summary>An element of its own with the value of the node.</summary>
    public static JsonElement ToElement(JsonNode? node) => JsonElement.Parse(Write(node));

    internal static ReadOnlySpan<byte> Write(JsonNode? node)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer, Plain);
        if (node is null)
            writer.WriteNullValue();
        else
            node.WriteTo(writer);
        writer.Flush();
        return buffer.WrittenSpan;
    }
}
