using Marten;

namespace Resources.Grains;

[CollectionAgeLimit(Minutes = 5)]
sealed class AccountGrain(IDocumentStore store, StoreContact contact, TimeProvider time) : Grain, IAccountGrain
{
    public async Task<Account?> Register(string email, string passwordHash, string[] roles)
    {
        if (await Find() is not null) return null;
        var account = new Account(this.GetPrimaryKey(), Account.Normalize(email), passwordHash, roles, time.GetUtcNow());
        await using var session = store.LightweightSession();
        session.Insert(account);
        try
        {
            await session.SaveChangesAsync();
            return account;
        }
        catch (JasperFx.DocumentAlreadyExistsException)
        {
            return null;
        }
        catch (Exception e) when (StoreUnavailableException.Explains(e))
        {
            throw new StoreUnavailableException("PostgreSQL is away.", e);
        }
    }

    public async Task<Account?> Find()
    {
        try
        {
            var id = this.GetPrimaryKey();
            return await contact.AskAsync(async () =>
            {
                await using var session = store.QuerySession();
                return await session.LoadAsync<Account>(id);
            });
        }
        catch (Exception e) when (StoreUnavailableException.Explains(e))
        {
            throw new StoreUnavailableException("PostgreSQL is away.", e);
        }
    }
}
