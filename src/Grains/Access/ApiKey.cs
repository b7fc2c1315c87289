using System.Diagnostics;

namespace Resources.Grains;

/// <summary>
/// Everything that can happen to an API key. As in <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
public abstract record ApiKeyEvent;

/// <param name="SecretHash">SHA-256 of the secret part, which has 256 random bits, in hexadecimal.</param>
/// <param name="Permissions">What it may do at most; what its account may not do, it may not either.</param>
[Event("api_key.created")]
public sealed record ApiKeyCreated(
    Guid Account,
    string Name,
    string SecretHash,
    string[] Permissions,
    DateTimeOffset? ExpiresAt
) : ApiKeyEvent;

[Event("api_key.revoked", ChangesAccess = true)]
public sealed record ApiKeyRevoked : ApiKeyEvent;

/// <summary>An API key at a version: a pure function of its events.</summary>
[GenerateSerializer, Immutable, Alias("api-key")]
public sealed record ApiKey(
    Guid Account,
    string Name,
    string SecretHash,
    string[] Permissions,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset? RevokedAt
)
{
    public static Decision<ApiKeyEvent> Decide(ApiKey? state, ApiKeyCommand command) =>
        (state, command) switch
        {
            (null, CreateApiKey c) => [new ApiKeyCreated(c.Account, c.Name, c.SecretHash, c.Permissions, c.ExpiresAt)],
            (null, _) => new Rejection(Refusal.ApiKeyNotFound, "There is no such key."),
            (_, CreateApiKey) => throw new UnreachableException("A key is made once."),
            (_, RevokeApiKey) => state.RevokedAt is null ? [new ApiKeyRevoked()] : [],
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };

    public static ApiKey Evolve(ApiKey? state, Recorded<ApiKeyEvent> recorded) =>
        recorded.Data switch
        {
            ApiKeyCreated e => new(e.Account, e.Name, e.SecretHash, e.Permissions, e.ExpiresAt, recorded.At, null),
            ApiKeyRevoked => state! with { RevokedAt = recorded.At },
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };
}

/// <summary>What can be asked of an API key.</summary>
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
