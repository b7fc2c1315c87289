namespace Resources.Grains;

/// <summary>A passkey of an account.</summary>
/// <param name="Secret">The name in the vault of its credential.</param>
[GenerateSerializer, Immutable, Alias("passkey")]
public sealed record Passkey(Guid Id, Guid Secret, long SignCount, DateTimeOffset CreatedAt, DateTimeOffset? UsedAt);
