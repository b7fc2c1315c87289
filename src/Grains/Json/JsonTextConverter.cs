using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Resources.Grains;

/// <summary>
/// Writes the text as a nested JSON object, so that the store can query its members, and reads what the store has.
/// </summary>
public sealed class JsonTextConverter : JsonConverter<JsonText>
{
    public override JsonText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("A JSON object is needed.");
        using var document = JsonDocument.ParseValue(ref reader);
        return JsonText.Stored(JsonMarshal.GetRawUtf8Value(document.RootElement));
    }

    public override void Write(Utf8JsonWriter writer, JsonText value, JsonSerializerOptions options) =>
        value.WriteTo(writer);
}
