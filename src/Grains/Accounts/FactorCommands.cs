namespace Resources.Grains;

/// <summary>A command of an account's factors, which <see cref="Factors"/> decides.</summary>
[GenerateSerializer, Immutable, Alias("factor-command")]
public abstract record FactorCommand : AccountCommand;

/// <summary>Stores a new secret for one-time codes, which counts once it is confirmed.</summary>
[GenerateSerializer, Immutable, Alias("totp-enroll")]
public sealed record EnrollTotp(byte[] Secret) : FactorCommand;

/// <summary>Confirms the enrolled secret by one of its codes.</summary>
[GenerateSerializer, Immutable, Alias("totp-confirm")]
public sealed record ConfirmTotp(string Code) : FactorCommand;

[GenerateSerializer, Immutable, Alias("totp-remove")]
public sealed record RemoveTotp : FactorCommand;

/// <summary>Spends a one-time code or a recovery code. Concurrent uses of one code succeed once.</summary>
/// <param name="Method"><see cref="Totp"/> or <see cref="RecoveryCode"/>.</param>
[GenerateSerializer, Immutable, Alias("factor-spend")]
public sealed record SpendFactor(string Method, string Code) : FactorCommand
{
    public const string Totp = "totp";
    public const string RecoveryCode = "recovery_code";
}

/// <summary>Replaces the recovery codes by new ones.</summary>
[GenerateSerializer, Immutable, Alias("recovery-codes-issue")]
public sealed record IssueRecoveryCodes(string[] Hashes) : FactorCommand;

/// <summary>Adds a passkey, unless an account has this credential already.</summary>
[GenerateSerializer, Immutable, Alias("passkey-add")]
public sealed record AddPasskey(PasskeyCredential Credential, long SignCount) : FactorCommand;

/// <summary>Records the use of a passkey whose signature was checked.</summary>
[GenerateSerializer, Immutable, Alias("passkey-use")]
public sealed record UsePasskey(Guid Passkey, long SignCount) : FactorCommand;

[GenerateSerializer, Immutable, Alias("passkey-remove")]
public sealed record RemovePasskey(Guid Passkey) : FactorCommand;
