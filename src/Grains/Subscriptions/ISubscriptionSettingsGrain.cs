namespace Resources.Grains;

/// <summary>
/// The settings of one subscription; the key is its id. All changes go through this grain, which then lets the row
/// follow. <see cref="ISubscriptionGrain"/> delivers by that row.
/// </summary>
[Alias("resources.ISubscriptionSettingsGrain")]
public interface ISubscriptionSettingsGrain : IGrainWithGuidKey
{
    /// <summary>Runs a command; returns the settings after it, or a rejection.</summary>
    /// <exception cref="StoreUnavailableException">The database is away; the outcome is unknown.</exception>
    [Alias("Execute")]
    Task<Reply<SubscriptionSettings>> Execute(SubscriptionCommand command, Intent intent);

    /// <summary>Makes the events and the row agree again where a node died between them.</summary>
    [Alias("Follow")]
    Task Follow();
}
