namespace Resources.Grains;

/// <summary>A command of a subscription.</summary>
[GenerateSerializer, Immutable, Alias("subscription-command")]
public abstract record SubscriptionCommand;

/// <summary>Creates the subscription of a row that was claimed for it.</summary>
/// <param name="Delivery">See <see cref="SubscriptionCreated"/>.</param>
[GenerateSerializer, Immutable, Alias("subscription-create")]
public sealed record CreateSubscription(
    Guid Owner,
    string Name,
    SubscriptionFilter Filter,
    JsonText Delivery,
    long Position,
    Guid? Secret,
    Guid? ApiKey = null
) : SubscriptionCommand;

/// <summary>
/// Appends the events that are missing where a node of the version before has created the subscription, or has changed
/// its state.
/// </summary>
/// <param name="State">One of the states of <see cref="SubscriptionSettings"/>.</param>
/// <param name="Reason">Why it is disabled, if it is.</param>
[GenerateSerializer, Immutable, Alias("subscription-adopt")]
public sealed record AdoptSubscription(
    Guid Owner,
    string Name,
    SubscriptionFilter Filter,
    JsonText Delivery,
    long Position,
    string State,
    string? Reason
) : SubscriptionCommand;

/// <summary>Stops deliveries; events stay in the log until they are resumed.</summary>
[GenerateSerializer, Immutable, Alias("subscription-pause")]
public sealed record PauseSubscription : SubscriptionCommand;

/// <summary>Continues where deliveries stopped.</summary>
[GenerateSerializer, Immutable, Alias("subscription-resume")]
public sealed record ResumeSubscription : SubscriptionCommand;

/// <summary>Stops deliveries because the target failed for good.</summary>
[GenerateSerializer, Immutable, Alias("subscription-disable")]
public sealed record DisableSubscription(string Reason) : SubscriptionCommand;

/// <summary>Replaces the secret by one that the store keeps under a name.</summary>
[GenerateSerializer, Immutable, Alias("subscription-rotate-secret")]
public sealed record RotateSubscriptionSecret(Guid Secret, DateTimeOffset PreviousUntil) : SubscriptionCommand;

/// <summary>Delivers everything after a position again.</summary>
[GenerateSerializer, Immutable, Alias("subscription-replay")]
public sealed record ReplaySubscription(long Position) : SubscriptionCommand;

/// <summary>Retries a parked resource at once.</summary>
[GenerateSerializer, Immutable, Alias("subscription-retry")]
public sealed record RetryParkedResource(Guid Resource) : SubscriptionCommand;

[GenerateSerializer, Immutable, Alias("subscription-delete")]
public sealed record DeleteSubscription : SubscriptionCommand;
