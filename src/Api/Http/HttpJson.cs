using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Problems as JSON, with serialisers generated at build time.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(UtcTime)]
)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(IReadOnlyList<ProblemType>))]
public sealed partial class HttpJson : JsonSerializerContext;
