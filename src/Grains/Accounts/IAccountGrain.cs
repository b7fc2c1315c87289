namespace Resources.Grains;

/// <summary>One account; the key is its id.</summary>
[Alias("resources.IAccountGrain")]
public partial interface IAccountGrain : IGrainWithGuidKey
{
    [Alias("Execute")]
    Task<Reply<Account>> Execute(AccountCommand command, Intent intent);

    /// <summary>The current account; a null value when it never existed.</summary>
    [Alias("Get")]
    Task<Reply<Account>> Get();

    /// <summary>The account with its address and password hash; null when there is none.</summary>
    [Alias("GetSecrets")]
    Task<AccountSecrets?> GetSecrets();

    /// <summary>The passkeys with their credentials.</summary>
    [Alias("GetPasskeys")]
    Task<KnownPasskey[]> GetPasskeys();
}
