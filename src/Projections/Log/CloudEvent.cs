using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// An event in its public form, the same in histories, the log, streams, webhooks and queues: CloudEvents 1.0 with our
/// extension attributes.
/// </summary>
/// <param name="Subject">The id of the resource.</param>
/// <param name="Position">Where it stands in the log; only the server compares positions.</param>
/// <param name="Resourceversion">The version that the event made.</param>
public sealed record CloudEvent(
    string Specversion,
    string Id,
    string Source,
    string Type,
    string Subject,
    DateTimeOffset Time,
    string Datacontenttype,
    string Position,
    long Resourceversion,
    string Resourcetype,
    string Actor,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Correlationid,
    JsonText Data
)
{
    public static CloudEvent Of(LogEvent logged) => From("/resources", logged);

    /// <summary>An event of a type, whose subject is the stream of that.</summary>
    public static CloudEvent OfType(LogEvent logged) => From("/types", logged);

    static CloudEvent From(string source, LogEvent logged) =>
        new(
            "1.0",
            logged.Id.ToString(),
            source,
            logged.Type,
            logged.Resource.ToString(),
            logged.At,
            "application/json",
            logged.Position.ToString(CultureInfo.InvariantCulture),
            logged.Version,
            logged.ResourceType,
            logged.Actor,
            logged.CorrelationId,
            logged.Data
        );
}

/// <summary>The serialiser of <see cref="CloudEvent"/>, generated at build time.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, Converters = [typeof(UtcTime)])]
[JsonSerializable(typeof(CloudEvent))]
public sealed partial class CloudEventJson : JsonSerializerContext
{
    /// <summary>The context with text as it was sent: only what JSON needs is escaped.</summary>
    public static CloudEventJson Relaxed { get; } =
        new(
            new JsonSerializerOptions(JsonSerializerDefaults.Web)
            {
                Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
                Converters = { new UtcTime() },
                MaxDepth = EventKinds.Json.MaxDepth,
            }
        );
}
