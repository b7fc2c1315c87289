using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Answers about types as JSON, with serialisers generated at build time.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(UtcTime)]
)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(Envelope<TypeDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<TypeDocument>>))]
[JsonSerializable(typeof(Envelope<TypeChangeDocument>))]
[JsonSerializable(typeof(Envelope<TypeReportDocument>))]
[JsonSerializable(typeof(Envelope<TypeCheckDocument>))]
public sealed partial class TypeJson : JsonSerializerContext;
