namespace Resources.Grains;

/// <summary>A code that matches a secret in the vault.</summary>
/// <param name="Secret">The name in the vault of the secret.</param>
/// <param name="Number">The time step of a one-time code, or the index of a recovery code.</param>
public sealed record MatchedCode(Guid Secret, long Number);
