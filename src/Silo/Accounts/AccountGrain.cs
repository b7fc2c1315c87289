using System.Text;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// An account with its secrets: these go to the vault before the event that names them, so that an event never names
/// what there is not.
/// </summary>
[CollectionAgeLimit(Minutes = 5)]
sealed partial class AccountGrain(
    EventLog log,
    Snapshots snapshots,
    StoreContact contact,
    Vault vault,
    AccountDirectory directory,
    TimeProvider time
) : EventSourcedGrain<Account, AccountEvent>(log, snapshots, contact), IAccountGrain, IFactorGrain
{
    Guid Id => this.GetPrimaryKey();

    IRoleGrain Roles => GrainFactory.GetGrain<IRoleGrain>(RoleBook.Id);

    public Task<Reply<Account>> Get() => Current();

    public async Task<AccountSecrets?> GetSecrets()
    {
        if (await Current() is not { Value: { Deleted: false } account } current)
            return null;
        var secrets = await vault.OpenAsync(
            account.Password is { } password ? [account.Email, password] : [account.Email]
        );
        // A deletion elsewhere may have emptied the vault meanwhile.
        if (!secrets.TryGetValue(account.Email, out var email))
            return null;
        var hash = account.Password is { } named ? secrets.GetValueOrDefault(named) : null;
        return new(
            Id,
            account,
            current.Version,
            Encoding.UTF8.GetString(email),
            hash is null ? null : Encoding.UTF8.GetString(hash)
        );
    }

    public async Task<Reply<Account>> Register(NewAccount account, Intent intent)
    {
        var before = (await Current()).Value;
        if (before is { Deleted: true })
        {
            // Its address is still claimed: the deletion came no further than its event.
            await ForgetAsync();
            return Reply<Account>.Refused(Account.None);
        }
        if (before is not null && !intent.Repeated)
            return Reply<Account>.Refused(new(Refusal.AlreadyExists, "This e-mail address has an account."));
        var email = await vault.KeepAsync(Id, AccountDirectory.Normalize(account.Email));
        Guid? password = account.PasswordHash is { } hash ? await vault.KeepAsync(Id, hash) : null;
        var reply = await DecideAsync(
            new RegisterAccount(email, password, account.Roles, account.EmailVerified),
            intent
        );
        if (reply.Value?.Email != email)
            await vault.DropAsync(password is { } unused ? [email, unused] : [email]);
        if (reply.Rejection is null && account.Roles.Contains(RoleBook.Administrator))
            await JoinAdministratorsAsync(intent);
        return reply;
    }

    public Task<Reply<Account>> VerifyEmail(Guid email, Guid? password, Intent intent) =>
        DecideAsync(new VerifyEmail(email, password), intent);

    public async Task<Reply<Account>> ChangePassword(
        string hash,
        Guid? replaces,
        PasswordMeans means,
        Guid? keptSession,
        Intent intent
    )
    {
        var password = await vault.KeepAsync(Id, hash);
        var reply = await DecideAsync(new ChangePassword(password, replaces, means, keptSession), intent);
        if (reply.Value?.Password != password)
            await vault.DropAsync(password);
        else if (replaces is { } before)
            await vault.DropAsync(before);
        return reply;
    }

    public Task<Reply<Account>> EndSessions(Guid? kept, Intent intent) => DecideAsync(new EndSessions(kept), intent);

    public async Task<Reply<Account>> SetRoles(string[] roles, Intent intent)
    {
        if (!roles.Contains(RoleBook.Administrator) && await LeaveAdministratorsAsync(intent) is { } refused)
            return refused;
        var reply = await DecideAsync(new SetAccountRoles(roles), intent);
        if (reply.Value is { IsActive: true } account && account.Roles.Contains(RoleBook.Administrator))
            await JoinAdministratorsAsync(intent);
        return reply;
    }

    public async Task<Reply<Account>> SetDisabled(bool disabled, Intent intent)
    {
        if (disabled && await LeaveAdministratorsAsync(intent) is { } refused)
            return refused;
        var reply = await DecideAsync(new SetAccountDisabled(disabled), intent);
        if (reply.Value is { IsActive: true } account && account.Roles.Contains(RoleBook.Administrator))
            await JoinAdministratorsAsync(intent);
        return reply;
    }

    public async Task<Reply<Account>> Delete(Intent intent)
    {
        if (await LeaveAdministratorsAsync(intent) is { } refused)
            return refused;
        var reply = await DecideAsync(new DeleteAccount(), intent);
        // Again where an earlier deletion came no further than its event.
        if (reply.Rejection is null || (await Current()).Value is { Deleted: true })
            await ForgetAsync();
        return reply;
    }

    public Task NoteFailedLogin(string factor, Intent intent) => DecideAsync(new NoteFailedLogin(factor), intent);

    protected override Account Evolve(Account? state, Recorded<AccountEvent> recorded) =>
        Account.Evolve(state, recorded);

    Task<Reply<Account>> DecideAsync(AccountCommand command, Intent intent) =>
        Transact(intent, (state, _) => Account.Decide(state, command), startsStream: command is RegisterAccount);

    async Task ForgetAsync()
    {
        await directory.ReleaseAsync(Id);
        await vault.ForgetAsync(Id);
    }

    async Task JoinAdministratorsAsync(Intent intent) =>
        await Roles.Execute(new AddAdministrator(Id), intent with { CommandId = Guid.CreateVersion7() });

    /// <summary>
    /// What stands against its losing the role; null when it has not got it. One that is counted without it, as when a
    /// call was lost, is not any more.
    /// </summary>
    async Task<Reply<Account>?> LeaveAdministratorsAsync(Intent intent)
    {
        var hasRole =
            (await Current()).Value is { Deleted: false } account && account.Roles.Contains(RoleBook.Administrator);
        var left = await Roles.Execute(new RemoveAdministrator(Id), intent with { CommandId = Guid.CreateVersion7() });
        return hasRole && left.Rejection is { } rejection ? Reply<Account>.Refused(rejection) : null;
    }
}
