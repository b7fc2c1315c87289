using Resources.Grains;

namespace Resources.Silo;

/// <summary>Finds and makes accounts by their e-mail address.</summary>
public sealed class Accounts(AccountDirectory directory, IGrainFactory grains)
{
    /// <summary>The grain of an account.</summary>
    public IAccountGrain Grain(Guid id) => grains.GetGrain<IAccountGrain>(id);

    /// <summary>The account of an address with its secrets; null when there is none.</summary>
    public async Task<AccountSecrets?> FindAsync(string email) =>
        await directory.FindAsync(email) is { } id ? await Grain(id).GetSecrets() : null;

    /// <summary>Makes an account, unless its address has one.</summary>
    /// <returns>The id, and the account or why there is none.</returns>
    public async Task<(Guid Id, Reply<Account> Reply)> RegisterAsync(NewAccount account, Intent intent)
    {
        for (var again = false; ; again = true)
        {
            // An address may have been claimed for an account that then was not made: it is made now.
            var id = await directory.ClaimAsync(account.Email, intent.CommandId);
            var reply = await Grain(id).Register(account, intent);
            // Or for one that is deleted: the address is free now.
            if (reply.Rejection?.Kind is not Refusal.AccountNotFound || again)
                return (id, reply);
        }
    }
}
