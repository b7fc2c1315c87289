namespace Resources.Grains;

/// <summary>
/// The events of a subscription. As with <see cref="ResourceEvent"/>, these records are the stored format. They hold no
/// secret: <c>Secret</c> is a name, under which the store keeps the sealed secret until the subscription's row has it.
/// </summary>
public abstract record SubscriptionEvent;

/// <param name="Delivery">
/// The kind of delivery, and as much of its settings as the log may keep forever: nothing that gives access to a target.
/// </param>
/// <param name="Position">Events after this position are delivered.</param>
/// <param name="Secret">Null for kinds without a secret, and for subscriptions that are older than their events.</param>
public sealed record SubscriptionCreated(
    Guid Owner,
    string Name,
    SubscriptionFilter Filter,
    JsonText Delivery,
    long Position,
    Guid? Secret
) : SubscriptionEvent;

public sealed record SubscriptionPaused : SubscriptionEvent;

public sealed record SubscriptionResumed : SubscriptionEvent;

/// <summary>A node has stopped deliveries because the target failed for good.</summary>
public sealed record SubscriptionDisabled(string Reason) : SubscriptionEvent;

/// <param name="PreviousUntil">Until then the secret before this one stays valid.</param>
public sealed record SubscriptionSecretRotated(Guid Secret, DateTimeOffset PreviousUntil) : SubscriptionEvent;

/// <summary>Everything after a position, or a parked resource, is delivered again.</summary>
/// <param name="Position">Null when a resource is retried.</param>
/// <param name="Resource">Null when a position is set.</param>
public sealed record SubscriptionReplayed(long? Position, Guid? Resource) : SubscriptionEvent;

public sealed record SubscriptionDeleted : SubscriptionEvent;
