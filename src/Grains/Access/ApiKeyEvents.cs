namespace Resources.Grains;

/// <summary>
/// The events of an API key. As with <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
public abstract record ApiKeyEvent;

/// <param name="SecretHash">SHA-256 of the secret part, which has 256 random bits, in hexadecimal.</param>
/// <param name="Permissions">An upper bound: the key never has a permission that its account lacks.</param>
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
