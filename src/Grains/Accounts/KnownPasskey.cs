namespace Resources.Grains;

/// <summary>A passkey with its credential from the vault.</summary>
[GenerateSerializer, Immutable, Alias("known-passkey")]
public sealed record KnownPasskey(Passkey Passkey, PasskeyCredential Credential);
