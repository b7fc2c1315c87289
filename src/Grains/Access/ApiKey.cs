using System.Diagnostics;

namespace Resources.Grains;

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
    /// <summary>Keys that an account may have which are not revoked.</summary>
    public const int MaxPerAccount = 100;

    public static ApiKey Evolve(ApiKey? state, Recorded<ApiKeyEvent> recorded) =>
        recorded.Data switch
        {
            ApiKeyCreated e => new(e.Account, e.Name, e.SecretHash, e.Permissions, e.ExpiresAt, recorded.At, null),
            ApiKeyRevoked => state! with { RevokedAt = recorded.At },
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };

    public static Decision<ApiKeyEvent> Decide(ApiKey? state, ApiKeyCommand command, DecisionContext context) =>
        (state, command) switch
        {
            (null, CreateApiKey c) => [new ApiKeyCreated(c.Account, c.Name, c.SecretHash, c.Permissions, c.ExpiresAt)],
            (null, _) => new Rejection(Refusal.ApiKeyNotFound, "There is no such key."),
            (_, CreateApiKey) => throw new UnreachableException("A key is created once."),
            (_, RevokeApiKey) => state.RevokedAt is null ? [new ApiKeyRevoked()] : [],
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };
}
