using Resources.Grains;

namespace Resources.Silo;

/// <summary>Finds and registers accounts by their e-mail address.</summary>
public sealed class Accounts(AccountDirectory directory, IGrainFactory grains)
{
    /// <summary>The grain of an account.</summary>
    public IAccountGrain Grain(Guid id) => grains.GetGrain<IAccountGrain>(id);

    /// <summary>The account of an address with its secrets; null when there is none.</summary>
    public async Task<AccountSecrets?> FindAsync(string email) =>
        await directory.FindAsync(email) is { } id ? await Grain(id).GetSecrets() : null;

    /// <summary>Registers an account, unless its address has one.</summary>
    /// <returns>The id, and the account or the rejection.</returns>
    public async Task<(Guid Id, Reply<Account> Reply)> RegisterAsync(RegisterAccount command, Intent intent)
    {
        for (var again = false; ; again = true)
        {
            // The address may be claimed by a registration that stopped there; this one completes it.
            var id = await directory.ClaimAsync(command.Email, intent.CommandId);
            var reply = await Grain(id).Execute(command, intent);
            // The account was deleted; its grain has now freed the address.
            if (reply.Rejection?.Kind is not Refusal.AccountNotFound || again)
                return (id, reply);
        }
    }
}
