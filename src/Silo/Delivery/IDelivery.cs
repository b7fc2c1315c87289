using System.Text.Json;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// A kind of delivery: how events reach a subscriber. Each kind is one class, registered as this interface; nothing
/// else names it.
/// </summary>
public interface IDelivery
{
    /// <summary>The kind's name, in documents and in the store.</summary>
    string Kind { get; }

    /// <summary>Reads the settings of a new subscription, apart from the kind, and checks them.</summary>
    /// <returns>
    /// The settings with the kind, as they are stored and shown to everyone who may read the subscription; null where
    /// there are faults.
    /// </returns>
    Task<JsonText?> ReadAsync(ObjectReader asked, List<Fault> faults, CancellationToken ct);

    /// <summary>
    /// Whether others have to be asked, such as name servers, for <see cref="RefuseAsync"/>: that is limited by account.
    /// </summary>
    bool AsksOthers(JsonText settings) => false;

    /// <summary>Checks settings that have no fault in themselves, last of all.</summary>
    /// <param name="asker">The account that wants to subscribe.</param>
    /// <returns>Why nothing can be delivered so; null when it can.</returns>
    Task<Fault?> RefuseAsync(JsonText settings, string asker, CancellationToken ct) => Task.FromResult<Fault?>(null);

    /// <summary>
    /// As much of the settings as the log may keep forever: nothing that gives access to a target. The kind stays.
    /// </summary>
    JsonText ForLog(JsonText settings) => settings;

    /// <summary>A new secret to share with the target; null for kinds that need none.</summary>
    DeliverySecret? CreateSecret() => null;
}

/// <summary>A kind whose events the node sends by itself. Of the other kinds, consumers pull them.</summary>
public interface IPushDelivery : IDelivery
{
    /// <summary>Events of one subscription that are sent at a time, of different resources.</summary>
    int MaxConcurrent { get; }

    /// <summary>The time from each failed attempt to the next one.</summary>
    IReadOnlyList<TimeSpan> Retries { get; }

    /// <summary>Sends one event. Whatever the target does is an outcome.</summary>
    /// <param name="ct">Gives up, and throws.</param>
    Task<DeliveryOutcome> SendAsync(DeliveryTarget target, LogEvent logged, CancellationToken ct);
}

/// <summary>Where a subscription's events go.</summary>
/// <param name="Owner">The account that has the subscription.</param>
/// <param name="Settings">As <see cref="IDelivery.ReadAsync"/> has read them.</param>
/// <param name="Secret">Null for kinds without a secret.</param>
/// <param name="PreviousSecret">The one before, which is still good until <paramref name="PreviousUntil"/>.</param>
public sealed record DeliveryTarget(
    Guid Owner,
    string Kind,
    JsonElement Settings,
    byte[]? Secret,
    byte[]? PreviousSecret,
    DateTimeOffset? PreviousUntil
);

/// <summary>A secret that a subscription shares with its target.</summary>
/// <param name="Text">As it is shown to the owner, once.</param>
/// <param name="Overlap">After a rotation the secret before it stays good for so long.</param>
public sealed record DeliverySecret(byte[] Bytes, string Text, TimeSpan Overlap)
{
    /// <summary>Binds an encrypted secret to its subscription.</summary>
    public static string Purpose(string kind, Guid subscription) => $"{kind}:{subscription}";
}
