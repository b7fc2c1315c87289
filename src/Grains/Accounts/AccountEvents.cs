namespace Resources.Grains;

/// <summary>
/// Everything that can happen to an account. As in <see cref="ResourceEvent"/>, these records are the stored format. No secret and
/// nothing that names a person is in them: <c>Email</c> and <c>Password</c> are names of secrets in the vault, which forgets them
/// with the account.
/// </summary>
public abstract record AccountEvent;

/// <param name="Password">Null for an account that its owner has to open by a link.</param>
public sealed record AccountRegistered(Guid Email, Guid? Password, string[] Roles, bool EmailVerified) : AccountEvent;

/// <summary>The owner has proved to read the address.</summary>
public sealed record AccountEmailVerified : AccountEvent;

/// <summary>Ends every session but the one that is kept.</summary>
/// <param name="Means"><c>change</c>, by who knew the old one; <c>reset</c>, by who reads the address; <c>rehash</c>, the same one hashed anew, which ends nothing.</param>
public sealed record AccountPasswordChanged(Guid Password, string Means, Guid? KeptSession) : AccountEvent;

/// <summary>All sessions of the account have ended, but for one.</summary>
public sealed record AccountSessionsEnded(Guid? KeptSession) : AccountEvent;

public sealed record AccountRolesChanged(string[] Roles) : AccountEvent;

/// <summary>Neither its sessions nor its keys are good any more, and nobody can log in.</summary>
public sealed record AccountDisabled : AccountEvent;

public sealed record AccountEnabled : AccountEvent;

public sealed record AccountDeleted : AccountEvent;

/// <summary>Somebody knew the address and not the password, or not the second factor.</summary>
/// <param name="Factor">What was wrong: <c>password</c>, <c>totp</c>, <c>recovery_code</c> or <c>passkey</c>.</param>
public sealed record AccountLoginFailed(string Factor) : AccountEvent;
