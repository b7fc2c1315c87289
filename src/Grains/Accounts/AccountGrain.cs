using Marten;

namespace Resources.Grains;

[CollectionAgeLimit(Minutes = 5)]
sealed class AccountGrain(IDocumentStore store, TimeProvider time) : Grain, IAccountGrain
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
            await using var session = store.QuerySession();
            return await session.LoadAsync<Account>(this.GetPrimaryKey());
        }
        catch (Exception e) when (StoreUnavailableException.Explains(e))
        {
            throw new StoreUnavailableException("PostgreSQL is away.", e);
        }
    }
}
