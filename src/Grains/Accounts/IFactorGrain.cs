namespace Resources.Grains;

/// <summary>The factors of an account: another face of its grain.</summary>
[Alias("resources.IFactorGrain")]
public interface IFactorGrain : IGrainWithGuidKey
{
    /// <summary>Keeps a new secret for one-time codes, which counts when a code of it was shown.</summary>
    [Alias("EnrollTotp")]
    Task<Reply<Account>> EnrollTotp(byte[] secret, Intent intent);

    [Alias("ConfirmTotp")]
    Task<Reply<Account>> ConfirmTotp(string code, Intent intent);

    [Alias("RemoveTotp")]
    Task<Reply<Account>> RemoveTotp(Intent intent);

    /// <summary>Spends a one-time code or a recovery code: of two that come at once, one is accepted.</summary>
    /// <param name="method"><c>totp</c> or <c>recovery_code</c>.</param>
    [Alias("Spend")]
    Task<Reply<Account>> Spend(string method, string code, Intent intent);

    /// <summary>Keeps the hashes of new recovery codes; those from before are void.</summary>
    [Alias("IssueRecoveryCodes")]
    Task<Reply<Account>> IssueRecoveryCodes(string[] hashes, Intent intent);

    /// <summary>The passkeys with what belongs to them.</summary>
    [Alias("GetPasskeys")]
    Task<KnownPasskey[]> GetPasskeys();

    /// <summary>Adds a passkey, unless some account has this credential.</summary>
    [Alias("AddPasskey")]
    Task<Reply<Account>> AddPasskey(PasskeyCredential credential, long signCount, Intent intent);

    /// <summary>Notes the use of a passkey whose signature was checked.</summary>
    [Alias("UsePasskey")]
    Task<Reply<Account>> UsePasskey(Guid passkey, long signCount, Intent intent);

    [Alias("RemovePasskey")]
    Task<Reply<Account>> RemovePasskey(Guid passkey, Intent intent);
}

/// <summary>What the vault keeps of a passkey.</summary>
/// <param name="Label">What its owner calls it.</param>
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

/// <summary>A passkey with what the vault keeps of it.</summary>
[GenerateSerializer, Immutable, Alias("known-passkey")]
public sealed record KnownPasskey(Passkey Passkey, PasskeyCredential Credential);
