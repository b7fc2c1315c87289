using Orleans.CodeGeneration;

namespace Resources.Grains;

/// <summary>
/// Calls of earlier releases, whose nodes may be in the cluster during an update: the grain of an account implements
/// them.
/// </summary>
[Alias("resources.IFactorGrain"), Version(1)]
public interface IFactorGrain : IAccountGrain
{
    [Alias("EnrollTotp")]
    Task<Reply<Account>> EnrollTotp(byte[] secret, Intent intent) => Execute(new EnrollTotp(secret), intent);

    [Alias("ConfirmTotp")]
    Task<Reply<Account>> ConfirmTotp(string code, Intent intent) => Execute(new ConfirmTotp(code), intent);

    [Alias("RemoveTotp")]
    Task<Reply<Account>> RemoveTotp(Intent intent) => Execute(new RemoveTotp(), intent);

    [Alias("Spend")]
    Task<Reply<Account>> Spend(string method, string code, Intent intent) =>
        Execute(new SpendFactor(method, code), intent);

    [Alias("IssueRecoveryCodes")]
    Task<Reply<Account>> IssueRecoveryCodes(string[] hashes, Intent intent) =>
        Execute(new IssueRecoveryCodes(hashes), intent);

    [Alias("GetPasskeys")]
    new Task<KnownPasskey[]> GetPasskeys();

    [Alias("AddPasskey")]
    Task<Reply<Account>> AddPasskey(PasskeyCredential credential, long signCount, Intent intent) =>
        Execute(new AddPasskey(credential, signCount), intent);

    [Alias("UsePasskey")]
    Task<Reply<Account>> UsePasskey(Guid passkey, long signCount, Intent intent) =>
        Execute(new UsePasskey(passkey, signCount), intent);

    [Alias("RemovePasskey")]
    Task<Reply<Account>> RemovePasskey(Guid passkey, Intent intent) => Execute(new RemovePasskey(passkey), intent);
}
