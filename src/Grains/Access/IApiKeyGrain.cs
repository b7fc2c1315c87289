namespace Resources.Grains;

/// <summary>One API key; the key of its grain is its id.</summary>
[Alias("resources.IApiKeyGrain")]
public interface IApiKeyGrain : IGrainWithGuidKey
{
    [Alias("Execute")]
    Task<Reply<ApiKey>> Execute(ApiKeyCommand command, Intent intent);

    /// <summary>The current key; a null value when there is none.</summary>
    [Alias("Get")]
    Task<Reply<ApiKey>> Get();

    /// <summary>
    /// The key with its account while the key is valid and the account active; otherwise null. The caller compares the
    /// secret.
    /// </summary>
    [Alias("Find")]
    Task<GoodApiKey?> Find();
}
