using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Answers about access as JSON, with serialisers generated at build time.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(UtcTime)]
)]
[JsonSerializable(typeof(Envelope<ApiKeyDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<ApiKeyDocument>>))]
[JsonSerializable(typeof(Envelope<RoleDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<RoleDocument>>))]
[JsonSerializable(typeof(Envelope<ExplanationDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<AuditDocument>>))]
public sealed partial class AccessJson : JsonSerializerContext;
