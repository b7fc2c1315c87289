using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Answers for operators as JSON, with serialisers generated at build time.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(UtcTime)]
)]
[JsonSerializable(typeof(Envelope<FollowerDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<FollowerDocument>>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<SigningKeyDocument>>))]
[JsonSerializable(typeof(WelcomeDocument))]
[JsonSerializable(typeof(HealthDocument))]
[JsonSerializable(typeof(HealthReport))]
public sealed partial class OperationsJson : JsonSerializerContext;
