using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Answers about resources as JSON, with serialisers generated at build time.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(UtcTime)]
)]
[JsonSerializable(typeof(ResourceDocument))]
[JsonSerializable(typeof(ResourceDocument[]))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(Envelope<ResourceDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<ResourceDocument>>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<ListedResource>>))]
[JsonSerializable(typeof(Envelope<JsonElement>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<JsonElement>>))]
[JsonSerializable(typeof(Envelope<StatisticsDocument>))]
public sealed partial class ResourceJson : JsonSerializerContext;
