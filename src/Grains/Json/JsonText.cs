using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orleans;

namespace Resources.Grains;

/// <summary>
/// An immutable JSON object as compact UTF-8 text. Two are equal when they denote the same JSON value, in any order of
/// members and any spelling of numbers and strings.
/// </summary>
[GenerateSerializer, Immutable, Alias("json")]
[JsonConverter(typeof(JsonTextConverter))]
public sealed class JsonText : IEquatable<JsonText>
{
    [Id(0)]
    readonly byte[] utf8;

    JsonText(byte[] utf8) => this.utf8 = utf8;

    /// <summary>The object without members.</summary>
    public static JsonText Empty { get; } = new("{}"u8.ToArray());

    /// <summary>The text, which may be written to an answer unchanged.</summary>
    public ReadOnlyMemory<byte> Utf8 => utf8;

    /// <summary>A copy of an object as it will come back from the store.</summary>
    public static JsonText From(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new ArgumentException("A JSON object is needed.", nameof(element));
        if (JsonMarshal.GetRawUtf8Value(element).Length is 2)
            return Empty;
        var output = new ArrayBufferWriter<byte>();
        CanonicalJson.Write(element, output);
        return new(output.WrittenSpan.ToArray());
    }

    /// <summary>An object from the store, which is not validated again.</summary>
    public static JsonText Stored(ReadOnlySpan<byte> utf8) => Compact(utf8);

    /// <summary>The parsed object.</summary>
    public JsonElement ToElement() => JsonElement.Parse(utf8);

    /// <summary>Writes the text as one value, without validating it again.</summary>
    public void WriteTo(Utf8JsonWriter writer) => writer.WriteRawValue(utf8, skipInputValidation: true);

    static JsonText Compact(ReadOnlySpan<byte> raw)
    {
        if (raw.Length == 2)
            return Empty;
        var buffer = ArrayPool<byte>.Shared.Rent(raw.Length);
        var length = CompactJson.Write(raw, buffer);
        var text = new JsonText(buffer.AsSpan(0, length).ToArray());
        ArrayPool<byte>.Shared.Return(buffer);
        return text;
    }

    /// <inheritdoc/>
    public bool Equals(JsonText? other)
    {
        if (other is null)
            return false;
        if (ReferenceEquals(this, other) || utf8.AsSpan().SequenceEqual(other.utf8))
            return true;
        using var left = JsonDocument.Parse(utf8);
        using var right = JsonDocument.Parse(other.utf8);
        return JsonElement.DeepEquals(left.RootElement, right.RootElement);
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as JsonText);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        // Hashes only the names, in any order: equal values may spell strings and numbers differently.
        var hash = 0;
        using var document = JsonDocument.Parse(utf8);
        foreach (var member in document.RootElement.EnumerateObject())
            hash ^= member.Name.GetHashCode(StringComparison.Ordinal);
        return hash;
    }

    /// <inheritdoc/>
    public override string ToString() => Encoding.UTF8.GetString(utf8);
}
