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
/// <param name="ApiKey">The API key that created it, which bounds it; null when a session did.</param>
[Event("subscription.created")]
public sealed record SubscriptionCreated(
    Guid Owner,
    string Name,
    SubscriptionFilter Filter,
    JsonText Delivery,
    long Position,
    Guid? Secret,
    Guid? ApiKey = null
) : SubscriptionEvent;

[Event("subscription.paused")]
public sealed record SubscriptionPaused : SubscriptionEvent;

[Event("subscription.resumed")]
public sealed record SubscriptionResumed : SubscriptionEvent;

/// <summary>A node has stopped deliveries because the target failed for good.</summary>
[Event("subscription.disabled")]
public sealed record SubscriptionDisabled(string Reason) : SubscriptionEvent;

/// <param name="PreviousUntil">Until then the secret before this one stays valid.</param>
[Event("subscription.secret_rotated")]
public sealed record SubscriptionSecretRotated(Guid Secret, DateTimeOffset PreviousUntil) : SubscriptionEvent;

/// <summary>Everything after a position, or a parked resource, is delivered again.</summary>
/// <param name="Position">Null when a resource is retried.</param>
/// <param name="Resource">Null when a position is set.</param>
[Event("subscription.replayed")]
public sealed record SubscriptionReplayed(long? Position, Guid? Resource) : SubscriptionEvent;

[Event("subscription.deleted")]
public sealed record SubscriptionDeleted : SubscriptionEvent;
