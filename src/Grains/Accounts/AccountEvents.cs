namespace Resources.Grains;

/// <summary>
/// Everything that can happen to an account. As in <see cref="ResourceEvent"/>, these records are the stored format. No
/// secret and nothing that names a person is in them: <c>Email</c> and <c>Password</c> are names of secrets in the
/// vault, which forgets them with the account.
/// </summary>
public abstract record AccountEvent;

/// <param name="Password">Null for an account that its owner has to open by a link.</param>
[Event("account.registered")]
public sealed record AccountRegistered(Guid Email, Guid? Password, string[] Roles, bool EmailVerified) : AccountEvent;

/// <summary>The owner has proved to read the address.</summary>
[Event("account.email_verified")]
public sealed record AccountEmailVerified : AccountEvent;

/// <summary>Ends every session but the one that is kept.</summary>
/// <param name="Means">
/// <c>change</c>, by who knew the old one; <c>reset</c>, by who reads the address; <c>rehash</c>, the same one hashed
/// anew, which ends nothing; <c>registration</c>, by who registered again before the address was verified.
/// </param>
[Event("account.password_changed", ChangesAccess = true)]
public sealed record AccountPasswordChanged(Guid Password, string Means, Guid? KeptSession) : AccountEvent;

/// <summary>All sessions of the account have ended, but for one.</summary>
[Event("account.sessions_ended", ChangesAccess = true)]
public sealed record AccountSessionsEnded(Guid? KeptSession) : AccountEvent;

[Event("account.roles_changed", ChangesAccess = true)]
public sealed record AccountRolesChanged(string[] Roles) : AccountEvent;

/// <summary>Neither its sessions nor its keys are good any more, and nobody can log in.</summary>
[Event("account.disabled", ChangesAccess = true)]
public sealed record AccountDisabled : AccountEvent;

[Event("account.enabled", ChangesAccess = true)]
public sealed record AccountEnabled : AccountEvent;

[Event("account.deleted", ChangesAccess = true)]
public sealed record AccountDeleted : AccountEvent;

/// <summary>A secret for one-time codes was shown to the owner, who has yet to prove to have it.</summary>
[Event("account.totp_enrolled")]
public sealed record AccountTotpEnrolled(Guid Secret) : AccountEvent;

/// <param name="Step">The step of time whose code proved it; it and those before it are spent.</param>
[Event("account.totp_confirmed")]
public sealed record AccountTotpConfirmed(long Step) : AccountEvent;

/// <summary>A one-time code was accepted.</summary>
[Event("account.totp_accepted")]
public sealed record AccountTotpAccepted(long Step) : AccountEvent;

[Event("account.totp_removed")]
public sealed record AccountTotpRemoved : AccountEvent;

/// <param name="Codes">The name of their hashes in the vault. Those from before are void.</param>
[Event("account.recovery_codes_issued")]
public sealed record AccountRecoveryCodesIssued(Guid Codes, int Count) : AccountEvent;

/// <param name="Index">Which one; it is spent.</param>
[Event("account.recovery_code_used")]
public sealed record AccountRecoveryCodeUsed(int Index) : AccountEvent;

/// <param name="Passkey">Its id here.</param>
/// <param name="Secret">The name in the vault of the credential's id, public key and label.</param>
[Event("account.passkey_added")]
public sealed record AccountPasskeyAdded(Guid Passkey, Guid Secret, long SignCount) : AccountEvent;

/// <param name="SignCount">The authenticator's counter, where it has one.</param>
[Event("account.passkey_used")]
public sealed record AccountPasskeyUsed(Guid Passkey, long SignCount) : AccountEvent;

[Event("account.passkey_removed")]
public sealed record AccountPasskeyRemoved(Guid Passkey) : AccountEvent;

/// <summary>Somebody knew the address and not the password, or not the second factor.</summary>
/// <param name="Factor">What was wrong: <c>password</c>, <c>totp</c>, <c>recovery_code</c> or <c>passkey</c>.</param>
[Event("account.login_failed")]
public sealed record AccountLoginFailed(string Factor) : AccountEvent;
