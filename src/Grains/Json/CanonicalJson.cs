using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// Writes JSON as it comes back from the store: <c>jsonb</c> orders members by the length of their names and then by their
/// bytes, spells strings in one way, and knows numbers by value and scale. So a document has one spelling from the first
/// answer on, as its strong ETag says.
/// </summary>
static class CanonicalJson
{
    /// <summary>
    /// PostgreSQL's jsonb writes 1e300 with 301 digits; such are read back in short. No decimal that survives needs more
    /// than 31 characters.
    /// </summary>
    public const int LongNumber = 40;

    public static void Write(JsonElement element, ArrayBufferWriter<byte> output)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(element, output);
                break;
            case JsonValueKind.Array:
                output.Write("["u8);
                var isFirst = true;
                foreach (var item in element.EnumerateArray())
                {
                    if (!isFirst)
                        output.Write(","u8);
                    isFirst = false;
                    Write(item, output);
                }
                output.Write("]"u8);
                break;
            case JsonValueKind.String:
                WriteString(element, output);
                break;
            case JsonValueKind.Number:
                WriteNumber(JsonMarshal.GetRawUtf8Value(element), output);
                break;
            default:
                output.Write(JsonMarshal.GetRawUtf8Value(element));
                break;
        }
    }

    static void WriteObject(JsonElement element, ArrayBufferWriter<byte> output)
    {
        var members = element.EnumerateObject().Select(member => (Name: NameOf(member), member.Value)).ToArray();
        Array.Sort(members, static (one, other) =>
            one.Name.Length != other.Name.Length
                ? one.Name.Length.CompareTo(other.Name.Length)
                : one.Name.AsSpan().SequenceCompareTo(other.Name)
        );
        output.Write("{"u8);
        for (var i = 0; i < members.Length; i++)
        {
            if (i > 0)
                output.Write(","u8);
            WriteText(members[i].Name, output);
            output.Write(":"u8);
            Write(members[i].Value, output);
        }
        output.Write("}"u8);
    }

    static byte[] NameOf(JsonProperty member)
    {
        var raw = JsonMarshal.GetRawUtf8PropertyName(member);
        return raw.Contains((byte)'\\') ? System.Text.Encoding.UTF8.GetBytes(member.Name) : raw.ToArray();
    }

    static void WriteString(JsonElement element, ArrayBufferWriter<byte> output)
    {
        var raw = JsonMarshal.GetRawUtf8Value(element);
        if (raw.Contains((byte)'\\'))
            WriteText(System.Text.Encoding.UTF8.GetBytes(element.GetString()!), output);
        else
            output.Write(raw);
    }

    /// <summary>Escapes what JSON demands, and nothing else.</summary>
    static void WriteText(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output)
    {
        output.Write("\""u8);
        foreach (var one in text)
        {
            var escaped = one switch
            {
                (byte)'"' => "\\\""u8,
                (byte)'\\' => "\\\\"u8,
                (byte)'\b' => "\\b"u8,
                (byte)'\f' => "\\f"u8,
                (byte)'\n' => "\\n"u8,
                (byte)'\r' => "\\r"u8,
                (byte)'\t' => "\\t"u8,
                _ => default,
            };
            if (!escaped.IsEmpty)
                output.Write(escaped);
            else if (one < 0x20)
                output.Write([.. "\\u00"u8, Hex(one >> 4), Hex(one & 15)]);
            else
                output.Write([one]);
        }
        output.Write("\""u8);
    }

    static byte Hex(int digit) => (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);

    /// <summary>Writes a number without exponent: its digits, with as many behind the point as it was given.</summary>
    static void WriteNumber(ReadOnlySpan<byte> token, ArrayBufferWriter<byte> output)
    {
        if (!token.ContainsAny("-eE"u8) && token.Length <= LongNumber)
        {
            output.Write(token);
            return;
        }
        var plain = new ArrayBufferWriter<byte>();
        JsonNumber.WritePlain(token, plain);
        var text = plain.WrittenSpan;
        if (text.Length > LongNumber && JsonNumber.Shorten(text, output.GetSpan(text.Length)) is > 0 and var length)
            output.Advance(length);
        else
            output.Write(text);
    }
}
