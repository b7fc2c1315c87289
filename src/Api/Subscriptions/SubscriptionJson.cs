using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Answers about subscriptions as JSON, with serialisers generated at build time.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(UtcTime)]
)]
[JsonSerializable(typeof(DeliveryDocument))]
[JsonSerializable(typeof(Envelope<SubscriptionDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<SubscriptionDocument>>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<ParkedDocument>>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<AttemptDocument>>))]
[JsonSerializable(typeof(Envelope<SecretDocument>))]
[JsonSerializable(typeof(Envelope<TestDocument>))]
[JsonSerializable(typeof(Envelope<PulledDocument>))]
[JsonSerializable(typeof(Envelope<SettledDocument>))]
public sealed partial class SubscriptionJson : JsonSerializerContext;
