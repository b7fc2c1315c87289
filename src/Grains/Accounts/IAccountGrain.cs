using Orleans.CodeGeneration;

namespace Resources.Grains;

/// <summary>
/// One account; the key is its id. The version makes Orleans move the grain from a node of an earlier release, which
/// does not know <see cref="Execute"/>, when a newer node calls it.
/// </summary>
[Alias("resources.IAccountGrain"), Version(1)]
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
