namespace Resources.Grains;

/// <summary>
/// The events of an account. As with <see cref="ResourceEvent"/>, these records are the stored format. They hold no
/// secret and no personal data: <c>Email</c> and <c>Password</c> are names of secrets in the vault, which deletes them
/// with the account.
/// </summary>
public abstract record AccountEvent;

/// <param name="Password">Null when the owner sets the first one by a link.</param>
[Event("account.registered")]
public sealed record AccountRegistered(Guid Email, Guid? Password, string[] Roles, bool EmailVerified) : AccountEvent;

/// <summary>The owner has proved to receive mail at the address.</summary>
[Event("account.email_verified")]
public sealed record AccountEmailVerified : AccountEvent;

/// <summary>Ends all sessions except the kept one.</summary>
/// <param name="Means">
/// <c>change</c>: with the old password. <c>reset</c>: by a link in a mail. <c>rehash</c>: the same password with a new
/// hash, which ends no session. <c>registration</c>: by another registration before the address was verified.
/// </param>
[Event("account.password_changed", ChangesAccess = true)]
public sealed record AccountPasswordChanged(Guid Password, string Means, Guid? KeptSession) : AccountEvent;

/// <summary>All sessions of the account have ended except the kept one.</summary>
[Event("account.sessions_ended", ChangesAccess = true)]
public sealed record AccountSessionsEnded(Guid? KeptSession) : AccountEvent;

[Event("account.roles_changed", ChangesAccess = true)]
public sealed record AccountRolesChanged(string[] Roles) : AccountEvent;

/// <summary>Sessions and API keys of the account are invalid, and nobody can log in to it.</summary>
[Event("account.disabled", ChangesAccess = true)]
public sealed record AccountDisabled : AccountEvent;

[Event("account.enabled", ChangesAccess = true)]
public sealed record AccountEnabled : AccountEvent;

[Event("account.deleted", ChangesAccess = true)]
public sealed record AccountDeleted : AccountEvent;

/// <summary>An event of the account's factors, which <see cref="Factors"/> evolves.</summary>
public abstract record FactorEvent : AccountEvent;

/// <summary>The owner got a secret for one-time codes. It counts as a factor once it is confirmed.</summary>
[Event("account.totp_enrolled")]
public sealed record AccountTotpEnrolled(Guid Secret) : FactorEvent;

/// <param name="Step">The time step of the confirming code; this step and all before it are spent.</param>
[Event("account.totp_confirmed")]
public sealed record AccountTotpConfirmed(long Step) : FactorEvent;

/// <summary>A one-time code was accepted.</summary>
[Event("account.totp_accepted")]
public sealed record AccountTotpAccepted(long Step) : FactorEvent;

[Event("account.totp_removed")]
public sealed record AccountTotpRemoved : FactorEvent;

/// <param name="Codes">The name in the vault of their hashes. Earlier codes are void.</param>
[Event("account.recovery_codes_issued")]
public sealed record AccountRecoveryCodesIssued(Guid Codes, int Count) : FactorEvent;

/// <param name="Index">The index of the code, which is now spent.</param>
[Event("account.recovery_code_used")]
public sealed record AccountRecoveryCodeUsed(int Index) : FactorEvent;

/// <param name="Passkey">Its id, derived from the credential's.</param>
/// <param name="Secret">The name in the vault of the credential's id, public key and label.</param>
[Event("account.passkey_added")]
public sealed record AccountPasskeyAdded(Guid Passkey, Guid Secret, long SignCount) : FactorEvent;

/// <param name="SignCount">The authenticator's counter, where it has one.</param>
[Event("account.passkey_used")]
public sealed record AccountPasskeyUsed(Guid Passkey, long SignCount) : FactorEvent;

[Event("account.passkey_removed")]
public sealed record AccountPasskeyRemoved(Guid Passkey) : FactorEvent;

/// <summary>A login with a known address failed, by its password or its second factor.</summary>
/// <param name="Factor">The wrong factor: <c>password</c>, <c>totp</c>, <c>recovery_code</c> or <c>passkey</c>.</param>
[Event("account.login_failed")]
public sealed record AccountLoginFailed(string Factor) : AccountEvent;
