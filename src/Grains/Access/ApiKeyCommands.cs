namespace Resources.Grains;

/// <summary>A command of an API key.</summary>
[GenerateSerializer, Immutable, Alias("api-key-command")]
public abstract record ApiKeyCommand;

[GenerateSerializer, Immutable, Alias("api-key-create")]
public sealed record CreateApiKey(
    Guid Account,
    string Name,
    string SecretHash,
    string[] Permissions,
    DateTimeOffset? ExpiresAt
) : ApiKeyCommand;

[GenerateSerializer, Immutable, Alias("api-key-revoke")]
public sealed record RevokeApiKey : ApiKeyCommand;
