namespace Resources.Grains;

/// <summary>One account; the key is its id.</summary>
[Alias("resources.IAccountGrain")]
public interface IAccountGrain : IGrainWithGuidKey
{
    /// <summary>The account now; a null value when there never was one.</summary>
    [Alias("Get")]
    Task<Reply<Account>> Get();

    /// <summary>
    /// The account with its secrets, for who checks a password or shows the owner; null when there is none.
    /// </summary>
    [Alias("GetSecrets")]
    Task<AccountSecrets?> GetSecrets();

    /// <summary>Creates the account of an address that was claimed for it.</summary>
    [Alias("Register")]
    Task<Reply<Account>> Register(NewAccount account, Intent intent);

    /// <summary>The address was verified; the token names the secret that it is in the vault.</summary>
    [Alias("VerifyEmail")]
    Task<Reply<Account>> VerifyEmail(Guid email, Guid? password, Intent intent);

    /// <summary>Sets another password, by its hash.</summary>
    /// <param name="replaces">
    /// The password that it takes the place of, by its name in the vault; null = the first.
    /// </param>
    [Alias("ChangePassword")]
    Task<Reply<Account>> ChangePassword(
        string hash,
        Guid? replaces,
        PasswordMeans means,
        Guid? keptSession,
        Intent intent
    );

    /// <summary>Ends all sessions but one.</summary>
    [Alias("EndSessions")]
    Task<Reply<Account>> EndSessions(Guid? kept, Intent intent);

    /// <summary>Gives the account other roles. The last administrator keeps that role.</summary>
    [Alias("SetRoles")]
    Task<Reply<Account>> SetRoles(string[] roles, Intent intent);

    /// <summary>Disables or enables the account. The last administrator cannot be disabled.</summary>
    [Alias("SetDisabled")]
    Task<Reply<Account>> SetDisabled(bool disabled, Intent intent);

    /// <summary>
    /// Deletes the account, and forgets what names its owner. The last administrator cannot be deleted.
    /// </summary>
    [Alias("Delete")]
    Task<Reply<Account>> Delete(Intent intent);

    /// <summary>Notes that somebody failed to log in.</summary>
    [Alias("NoteFailedLogin")]
    Task NoteFailedLogin(string factor, Intent intent);
}

/// <summary>An account to be made.</summary>
/// <param name="PasswordHash">Null when its owner will set the first one by a link.</param>
[GenerateSerializer, Immutable, Alias("new-account")]
public sealed record NewAccount(string Email, string? PasswordHash, string[] Roles, bool EmailVerified);

/// <summary>An account with what the vault keeps of it.</summary>
[GenerateSerializer, Immutable, Alias("account-secrets")]
public sealed record AccountSecrets(Guid Id, Account Account, long Version, string Email, string? PasswordHash);
