namespace Resources.Grains;

/// <summary>One API key; the key of its grain is its id.</summary>
[Alias("resources.IApiKeyGrain")]
public interface IApiKeyGrain : IGrainWithGuidKey
{
    [Alias("Execute")]
    Task<Reply<ApiKey>> Execute(ApiKeyCommand command, Intent intent);

    /// <summary>The key now; a null value when there is none.</summary>
    [Alias("Get")]
    Task<Reply<ApiKey>> Get();

    /// <summary>
    /// The key with its account, while both are good; null when not. The secret is the caller's to compare.
    /// </summary>
    [Alias("Find")]
    Task<GoodApiKey?> Find();
}

/// <summary>A key that is good, with the account that it belongs to.</summary>
[GenerateSerializer, Immutable, Alias("good-api-key")]
public sealed record GoodApiKey(ApiKey Key, Account Account, long AccountVersion);

[CollectionAgeLimit(Minutes = 5)]
sealed class ApiKeyGrain(EventLog log, Snapshots snapshots, StoreContact contact, TimeProvider time)
    : EventSourcedGrain<ApiKey, ApiKeyEvent>(log, snapshots, contact),
        IApiKeyGrain
{
    public Task<Reply<ApiKey>> Execute(ApiKeyCommand command, Intent intent) =>
        Transact(intent, (state, _) => ApiKey.Decide(state, command), startsStream: command is CreateApiKey);

    public Task<Reply<ApiKey>> Get() => Current();

    public async Task<GoodApiKey?> Find()
    {
        if ((await Current()).Value is not { RevokedAt: null } key || key.ExpiresAt <= time.GetUtcNow())
            return null;
        var account = await GrainFactory.GetGrain<IAccountGrain>(key.Account).Get();
        return account.Value is { IsActive: true } owner ? new(key, owner, account.Version) : null;
    }

    protected override ApiKey Evolve(ApiKey? state, Recorded<ApiKeyEvent> recorded) => ApiKey.Evolve(state, recorded);
}
