namespace Resources.Grains;

/// <summary>A command of an account. Some bring secrets: their text shows no member.</summary>
[GenerateSerializer, Immutable, Alias("account-command")]
public abstract record AccountCommand
{
    public sealed override string ToString() => GetType().Name;
}

/// <summary>Creates the account of an address that was claimed for it.</summary>
/// <param name="PasswordHash">Null when the owner will set the first password by a link.</param>
[GenerateSerializer, Immutable, Alias("account-register")]
public sealed record RegisterAccount(string Email, string? PasswordHash, string[] Roles, bool EmailVerified)
    : AccountCommand;

/// <summary>Confirms the address by a token that was mailed to it.</summary>
/// <param name="Email">The name in the vault of the address; another address since then voids the token.</param>
/// <param name="Password">The name in the vault of the password then; a later registration voids the token.</param>
[GenerateSerializer, Immutable, Alias("account-verify-email")]
public sealed record VerifyEmail(Guid Email, Guid? Password) : AccountCommand;

/// <param name="Replaces">
/// The name in the vault of the password that this one replaces, so that one of two concurrent changes succeeds; null
/// for the first password.
/// </param>
[GenerateSerializer, Immutable, Alias("account-change-password")]
public sealed record ChangePassword(string PasswordHash, Guid? Replaces, PasswordMeans Means, Guid? KeptSession)
    : AccountCommand;

/// <summary>Ends all sessions except one.</summary>
[GenerateSerializer, Immutable, Alias("account-end-sessions")]
public sealed record EndSessions(Guid? Kept) : AccountCommand;

/// <summary>Replaces the roles. The last administrator keeps that role.</summary>
[GenerateSerializer, Immutable, Alias("account-set-roles")]
public sealed record SetAccountRoles(string[] Roles) : AccountCommand;

/// <summary>Disables or enables the account. The last administrator cannot be disabled.</summary>
[GenerateSerializer, Immutable, Alias("account-set-disabled")]
public sealed record SetAccountDisabled(bool Disabled) : AccountCommand;

/// <summary>Deletes the account and its secrets. The last administrator cannot be deleted.</summary>
[GenerateSerializer, Immutable, Alias("account-delete")]
public sealed record DeleteAccount : AccountCommand;

/// <param name="Factor"><c>password</c>, <c>totp</c>, <c>recovery_code</c> or <c>passkey</c>.</param>
[GenerateSerializer, Immutable, Alias("account-note-failed-login")]
public sealed record NoteFailedLogin(string Factor) : AccountCommand;
