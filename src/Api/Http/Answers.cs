using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Resources.Api;

/// <summary>The body of every success.</summary>
public sealed record Envelope<T>(T Data, Meta Meta)
{
    [JsonPropertyOrder(-1)]
    public bool Success => true;
}

/// <summary>What stands beside the data.</summary>
/// <param name="Position">Where the log stood in this answer; on writes and lists.</param>
/// <param name="Count">How many there are in all, when asked for.</param>
public sealed record Meta(DateTimeOffset Timestamp, string RequestId, string? Position = null, PageMeta? Page = null, long? Count = null);

/// <param name="Next">Value for the next page's <c>cursor</c> or <c>after</c>; null at the end.</param>
public sealed record PageMeta(int Limit, string? Next);

/// <summary>Writes answers.</summary>
public static class Answers
{
    /// <summary>The header that says which position of the log an answer reflects.</summary>
    public const string PositionHeader = "Position";

    /// <summary>Answers data in the envelope.</summary>
    public static Task OkAsync<T>(HttpContext context, T data, JsonTypeInfo<Envelope<T>> json, long? position = null, PageMeta? page = null, int status = 200)
    {
        context.Response.StatusCode = status;
        var at = position is null ? null : SetPosition(context, position.Value);
        return WriteAsync(context, new Envelope<T>(data, new(TimeProvider.System.GetUtcNow(), context.TraceIdentifier, at, page)), json, "application/json");
    }

    /// <summary>Puts the position on an answer; returns its public form.</summary>
    public static string SetPosition(HttpContext context, long position)
    {
        var text = position.ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers[PositionHeader] = text;
        return text;
    }

    /// <summary>Writes a body as JSON.</summary>
    public static Task WriteAsync<T>(HttpContext context, T body, JsonTypeInfo<T> json, string mediaType)
    {
        context.Response.ContentType = mediaType;
        return JsonSerializer.SerializeAsync(context.Response.BodyWriter, body, json, context.RequestAborted);
    }
}

/// <summary>The wire forms, with their serialisers generated at build time.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(Envelope<ResourceDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<ResourceDocument>>))]
[JsonSerializable(typeof(Envelope<JsonElement>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<JsonElement>>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<EventDocument>>))]
[JsonSerializable(typeof(Envelope<TokenDocument>))]
[JsonSerializable(typeof(Envelope<MeDocument>))]
[JsonSerializable(typeof(Envelope<UserDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<UserDocument>>))]
[JsonSerializable(typeof(IReadOnlyList<ProblemType>))]
[JsonSerializable(typeof(HealthDocument))]
public sealed partial class WireJson : JsonSerializerContext;
