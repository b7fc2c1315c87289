namespace Resources.Grains;

/// <summary>
/// The API keys of one account; the key is the account's id. It makes them one after the other, so that none passes the
/// count of another.
/// </summary>
[Alias("resources.IApiKeyRingGrain")]
public interface IApiKeyRingGrain : IGrainWithGuidKey
{
    /// <summary>
    /// Creates the key whose id is that of the command. Refused as <see cref="Refusal.TooManyApiKeys"/>.
    /// </summary>
    [Alias("Create")]
    Task<Reply<ApiKey>> Create(CreateApiKey command, Intent intent);
}
