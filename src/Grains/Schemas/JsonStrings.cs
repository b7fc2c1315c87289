using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>The strings of a document as UTF-8, without a copy where they have no escapes.</summary>
internal static class JsonStrings
{
    /// <summary>The text of a string.</summary>
    public static ReadOnlySpan<byte> Of(JsonElement value)
    {
        var raw = JsonMarshal.GetRawUtf8Value(value)[1..^1];
        return raw.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(value.GetString()!) : raw;
    }

    /// <summary>The name of a member.</summary>
    public static ReadOnlySpan<byte> NameOf(JsonProperty member)
    {
        var raw = JsonMarshal.GetRawUtf8PropertyName(member);
        return raw.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(member.Name) : raw;
    }

    /// <summary>The length in Unicode scalars.</summary>
    public static int Length(ReadOnlySpan<byte> text)
    {
        var length = 0;
        foreach (var b in text)
            if ((b & 0xC0) != 0x80)
                length++;
        return length;
    }

    /// <summary>Adds a string to a hash, the same for all its spellings.</summary>
    public static void AddTo(ref HashCode hash, JsonElement value) => hash.AddBytes(Of(value));
}
