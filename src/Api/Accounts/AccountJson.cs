using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Answers about accounts as JSON, with serialisers generated at build time.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(UtcTime)]
)]
[JsonSerializable(typeof(Envelope<MeDocument>))]
[JsonSerializable(typeof(Envelope<UserDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<UserDocument>>))]
public sealed partial class AccountJson : JsonSerializerContext;
