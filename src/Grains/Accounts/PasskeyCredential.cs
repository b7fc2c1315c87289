namespace Resources.Grains;

/// <summary>The part of a passkey that the vault keeps.</summary>
/// <param name="Label">The name that the owner gave it.</param>
[GenerateSerializer, Immutable, Alias("passkey-credential")]
public sealed record PasskeyCredential(
    byte[] Id,
    byte[] PublicKey,
    string Label,
    string[] Transports,
    bool UserVerified,
    bool BackupEligible,
    bool BackedUp
);
