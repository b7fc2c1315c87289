namespace Resources.Grains;

/// <summary>An account with its address and password hash from the vault.</summary>
[GenerateSerializer, Immutable, Alias("account-secrets")]
public sealed record AccountSecrets(Guid Id, Account Account, long Version, string Email, string? PasswordHash);
