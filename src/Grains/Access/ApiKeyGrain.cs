namespace Resources.Grains;

[CollectionAgeLimit(Minutes = 5)]
sealed class ApiKeyGrain(EventLog log, Snapshots snapshots, StoreContact contact, TimeProvider time)
    : EventSourcedGrain<ApiKey, ApiKeyEvent>(log, snapshots, contact, time),
        IApiKeyGrain
{
    public Task<Reply<ApiKey>> Execute(ApiKeyCommand command, Intent intent) =>
        Transact(
            intent,
            (state, context) => ApiKey.Decide(state, command, context),
            startsStream: command is CreateApiKey
        );

    public Task<Reply<ApiKey>> Get() => Current();

    public async Task<GoodApiKey?> Find()
    {
        if ((await Current()).Value is not { RevokedAt: null } key || key.ExpiresAt <= Now)
            return null;
        var account = await GrainFactory.GetGrain<IAccountGrain>(key.Account).Get();
        return account.Value is { IsActive: true } owner ? new(key, owner, account.Version) : null;
    }

    protected override ApiKey Evolve(ApiKey? state, Recorded<ApiKeyEvent> recorded) => ApiKey.Evolve(state, recorded);
}
