using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Resources.Grains;

/// <summary>
/// Times as RFC 3339 in UTC: <c>2026-01-31T12:00:00.123456Z</c>, to the microsecond, as the log keeps them.
/// </summary>
public sealed class UtcTime : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        // The round-trip format has a seventh digit, and is many times faster than one of our own.
        const int ToTheMicrosecond = 26;
        Span<byte> text = stackalloc byte[32];
        value.UtcDateTime.TryFormat(text, out _, "O", CultureInfo.InvariantCulture);
        text[ToTheMicrosecond] = (byte)'Z';
        writer.WriteStringValue(text[..(ToTheMicrosecond + 1)]);
    }
}
