using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Answers of sign-in as JSON, with serialisers generated at build time.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(UtcTime)]
)]
[JsonSerializable(typeof(Envelope<TokenDocument>))]
[JsonSerializable(typeof(Envelope<CookieDocument>))]
[JsonSerializable(typeof(Envelope<MfaDocument>))]
[JsonSerializable(typeof(Envelope<FactorsDocument>))]
[JsonSerializable(typeof(Envelope<TotpDocument>))]
[JsonSerializable(typeof(Envelope<RecoveryCodesDocument>))]
[JsonSerializable(typeof(Envelope<CeremonyDocument>))]
[JsonSerializable(typeof(Envelope<PasskeyDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<PasskeyDocument>>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<SessionDocument>>))]
public sealed partial class SignInJson : JsonSerializerContext;
