using System.Text;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// An account with its secrets. A secret goes to the vault before the event that names it, so that events only name
/// existing secrets.
/// </summary>
[CollectionAgeLimit(Minutes = 5)]
sealed partial class AccountGrain(
    EventLog log,
    Snapshots snapshots,
    StoreContact contact,
    Vault vault,
    AccountDirectory directory,
    AccountBelongings belongings,
    TimeProvider time
) : EventSourcedGrain<Account, AccountEvent>(log, snapshots, contact, time), IFactorGrain
{
    Guid Id => this.GetPrimaryKey();

    public async Task<Reply<Account>> Execute(AccountCommand command, Intent intent) =>
        command switch
        {
            RegisterAccount c => await RegisterAsync(c, intent),
            ChangePassword c => await DecideAsync(c, intent, await KeepAsync(Encoding.UTF8.GetBytes(c.PasswordHash))),
            SetAccountRoles c => await DecideCountedAsync(c, !c.Roles.Contains(RoleBook.Administrator), intent),
            SetAccountDisabled c => await DecideCountedAsync(c, c.Disabled, intent),
            DeleteAccount c => await DeleteAsync(c, intent),
            EnrollTotp c => await DecideAsync(c, intent, await KeepAsync(c.Secret)),
            ConfirmTotp c => await DecideAsync(c, intent, await MatchTotpAsync(c.Code)),
            SpendFactor c => await NoteAsync(c.Method, await DecideAsync(c, intent, await MatchAsync(c)), intent),
            IssueRecoveryCodes c => await DecideAsync(c, intent, await KeepAsync(Json(c.Hashes))),
            AddPasskey c => await DecideAsync(c, intent, await ClaimAsync(c.Credential)),
            UsePasskey c => await NoteAsync("passkey", await DecideAsync(c, intent), intent),
            RemovePasskey c => await RemovePasskeyAsync(c, intent),
            _ => await DecideAsync(command, intent),
        };

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

    protected override Account Evolve(Account? state, Recorded<AccountEvent> recorded) =>
        Account.Evolve(state, recorded);

    /// <summary>Decides a command, then deletes the secrets that the account no longer uses.</summary>
    async Task<Reply<Account>> DecideAsync(AccountCommand command, Intent intent, AccountFacts? facts = null)
    {
        var before = (Account?)null;
        var reply = await Transact(
            intent,
            (state, context) =>
            {
                before = state;
                return Account.Decide(state, command, new(context, facts ?? AccountFacts.None));
            },
            startsStream: command is RegisterAccount
        );
        // Refused commands bring secrets for nothing, and so do retries: their first attempt has stored its own.
        var brought = new[] { facts?.Email, facts?.Secret }.OfType<Guid>();
        Guid[] unused = reply.Value is { } account
            ? [.. brought.Concat(before?.Secrets() ?? []).Except(account.Secrets())]
            : [.. brought];
        if (unused is not [])
            await vault.DropAsync(unused);
        return reply;
    }

    async Task<Reply<Account>> RegisterAsync(RegisterAccount command, Intent intent)
    {
        var before = (await Current()).Value;
        if (before is { Deleted: true })
        {
            // The address is still claimed: an earlier deletion stopped after its event.
            await ForgetAsync(intent);
            return Reply<Account>.Refused(Account.None);
        }
        if (before is not null && !intent.Repeated)
            return await DecideAsync(command, intent);
        var facts = new AccountFacts(
            Email: await vault.KeepAsync(Id, AccountDirectory.Normalize(command.Email)),
            Secret: command.PasswordHash is { } hash ? await vault.KeepAsync(Id, hash) : null
        );
        return await CountAsync(await DecideAsync(command, intent, facts), intent);
    }

    async Task<Reply<Account>> DeleteAsync(DeleteAccount command, Intent intent)
    {
        if (await UncountAsync(intent) is { } refused)
            return refused;
        var reply = await DecideAsync(command, intent);
        // Also completes an earlier deletion that stopped after its event.
        if (reply.Rejection is null || (await Current()).Value is { Deleted: true })
            await ForgetAsync(intent);
        return reply;
    }

    async Task ForgetAsync(Intent intent)
    {
        await directory.ReleaseAsync(Id);
        await vault.ForgetAsync(Id);
        await belongings.EndAsync(Id, intent);
    }
}
