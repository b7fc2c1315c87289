using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Resources.Grains;

/// <summary>
/// The JSON that is accepted from clients: one UTF-8 value without ambiguity, whose every string and number the store
/// can keep and every client can read back.
/// </summary>
public static class StrictJson
{
    /// <summary>The deepest nesting of objects and arrays; the root counts as 1.</summary>
    public const int MaxDepth = 64;

    /// <summary>
    /// The largest value in bytes, with its numbers written without exponents, as the store keeps them: five characters
    /// (1e300) become 301 there, and everyone who reads them pays.
    /// </summary>
    public const int MaxStoredBytes = 1 << 20;

    // 1e308 is the shortest spelling of the longest number.
    const int MostGrowth = 309 / 5 + 1;

    /// <summary>Whether valid JSON keeps within <see cref="MaxStoredBytes"/>.</summary>
    public static bool FitsStore(ReadOnlySpan<byte> json) =>
        json.Length * (long)MostGrowth <= MaxStoredBytes || StoredBytes(json) <= MaxStoredBytes;

    /// <summary>The size of valid JSON in bytes, as the store keeps it.</summary>
    public static long StoredBytes(ReadOnlySpan<byte> json)
    {
        long size = json.Length;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
            if (reader.TokenType is JsonTokenType.Number)
                size += JsonNumber.Growth(reader.ValueSpan);
        return size;
    }

    /// <summary>How deeply valid JSON is nested; a value without parts is 0.</summary>
    internal static int DepthOf(ReadOnlySpan<byte> json)
    {
        var depth = 0;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                depth = Math.Max(depth, reader.CurrentDepth + 1);
        return depth;
    }

    /// <summary>
    /// Parses a body, or returns null and adds every fault found. The document reads from
    /// <paramref name="body"/>, which has to stay unchanged as long as it is used.
    /// </summary>
    public static JsonDocument? Read(ReadOnlyMemory<byte> body, List<Fault> faults)
    {
        if (body.Span.StartsWith("\uFEFF"u8))
        {
            faults.Report("", FaultCode.InvalidJson, "The body starts with a byte order mark.");
            return null;
        }
        if (!Utf8.IsValid(body.Span))
        {
            faults.Report("", FaultCode.InvalidUtf8, $"The body is not valid UTF-8 at byte {FirstInvalid(body.Span)}.");
            return null;
        }
        return new StrictScan(body.Span, faults).Passes() ? JsonDocument.Parse(body) : null;
    }

    /// <summary>Whether a text has neither NUL characters nor lone surrogates.</summary>
    public static bool TextIsClean(string text)
    {
        if (text.Contains('\0'))
            return false;
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return true;
        for (var rest = text.AsSpan(); !rest.IsEmpty; )
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var length) != OperationStatus.Done)
                return false;
            rest = rest[length..];
        }
        return true;
    }

    /// <summary>The length of a text in Unicode scalar values, in which all limits are given.</summary>
    public static int ScalarLength(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return text.Length;
        var length = 0;
        foreach (var _ in text.EnumerateRunes())
            length++;
        return length;
    }

    static int FirstInvalid(ReadOnlySpan<byte> body)
    {
        var at = 0;
        while (Rune.DecodeFromUtf8(body[at..], out _, out var length) == OperationStatus.Done)
            at += length;
        return at + 1;
    }
}
