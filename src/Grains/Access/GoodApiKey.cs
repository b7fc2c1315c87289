namespace Resources.Grains;

/// <summary>A valid key with its account.</summary>
[GenerateSerializer, Immutable, Alias("good-api-key")]
public sealed record GoodApiKey(ApiKey Key, Account Account, long AccountVersion);
