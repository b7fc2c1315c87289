using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

[CollectionAgeLimit(Minutes = 5)]
sealed class ApiKeyRingGrain(AccountQueries accounts) : Grain, IApiKeyRingGrain
{
    public async Task<Reply<ApiKey>> Create(CreateApiKey command, Intent intent)
    {
        var key = GrainFactory.GetGrain<IApiKeyGrain>(intent.CommandId);
        // A command that is sent again may have created the last one.
        var isThere = intent.Repeated && (await key.Get()).Value is not null;
        if (!isThere && await accounts.CountKeysAsync(this.GetPrimaryKey()) >= ApiKey.MaxPerAccount)
            return Reply<ApiKey>.Refused(
                new(
                    Refusal.TooManyApiKeys,
                    $"An account may have {ApiKey.MaxPerAccount} keys. Revoke those that you do not need."
                )
            );
        return await key.Execute(command, intent);
    }
}
