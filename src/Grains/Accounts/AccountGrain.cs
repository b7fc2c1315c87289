using Marten;

namespace Resources.Grains;

[CollectionAgeLimit(Minutes = 5)]
sealed class AccountGrain(IDocumentStore store, StoreContact contact, TimeProvider time) : Grain, IAccountGrain
{
    public async Task<Account?> Register(string email, string passwordHash, string[] roles)
    {
        if (await Find() is not null) return null;
        var account = new Account(this.GetPrimaryKey(), Account.Normalize(email), passwordHash, roles, time.GetUtcNow());
        return await contact.WhileAvailableAsync(ct => InsertAsync(account, ct)) ? account : null;
    }

    public Task<Account?> Find() => contact.WhileAvailableAsync(async ct =>
    {
        await using var session = store.QuerySession();
        return await session.LoadAsync<Account>(this.GetPrimaryKey(), ct);
    });

    public async Task<Account?> SetRoles(string[] roles)
    {
        if (await Find() is not { } account) return null;
        var changed = account with { Roles = roles };
        return await contact.WhileAvailableAsync(async ct =>
        {
            await using var session = store.LightweightSession();
            session.Update(changed);
            await session.SaveChangesAsync(ct);
            return changed;
        });
    }

    /// <summary>Whether the account is new; another activation may have been first.</summary>
    async Task<bool> InsertAsync(Account account, CancellationToken ct)
    {
        await using var session = store.LightweightSession();
        session.Insert(account);
        try
        {
            await session.SaveChangesAsync(ct);
            return true;
        }
        catch (JasperFx.DocumentAlreadyExistsException)
        {
            return false;
        }
    }
}
