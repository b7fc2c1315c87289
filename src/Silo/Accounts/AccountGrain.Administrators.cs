using Resources.Grains;

namespace Resources.Silo;

/// <summary>Counts the account as administrator while it is one.</summary>
sealed partial class AccountGrain
{
    IRoleGrain Roles => GrainFactory.GetGrain<IRoleGrain>(RoleBook.Id);

    /// <summary>Decides a command that may change whether the account is an administrator.</summary>
    /// <param name="leaves">Whether the account is no administrator after the command.</param>
    async Task<Reply<Account>> DecideCountedAsync(AccountCommand command, bool leaves, Intent intent)
    {
        if (leaves && await UncountAsync(intent) is { } refused)
            return refused;
        return await CountAsync(await DecideAsync(command, intent), intent);
    }

    /// <summary>Counts the account if it is an active administrator now.</summary>
    async Task<Reply<Account>> CountAsync(Reply<Account> reply, Intent intent)
    {
        if (reply.Value is { IsActive: true } account && account.Roles.Contains(RoleBook.Administrator))
            await Roles.Execute(new AddAdministrator(Id), intent with { CommandId = Guid.CreateVersion7() });
        return reply;
    }

    /// <summary>
    /// Stops counting the account. The answer says why the account cannot lose the administrator role; null when it can
    /// or does not have it. An account that is counted without the role, after a lost call, is uncounted too.
    /// </summary>
    async Task<Reply<Account>?> UncountAsync(Intent intent)
    {
        var hasRole =
            (await Current()).Value is { Deleted: false } account && account.Roles.Contains(RoleBook.Administrator);
        var left = await Roles.Execute(new RemoveAdministrator(Id), intent with { CommandId = Guid.CreateVersion7() });
        return hasRole && left.Rejection is { } rejection ? Reply<Account>.Refused(rejection) : null;
    }
}
