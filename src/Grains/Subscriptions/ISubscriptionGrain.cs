using Orleans.CodeGeneration;

namespace Resources.Grains;

/// <summary>
/// One subscription; the key is its id. Its activation is where its events are delivered from. Settings are in the
/// store; the grain follows them. The version keeps pulls from nodes of an earlier release, which do not know
/// <see cref="PullSight"/>.
/// </summary>
[Alias("resources.ISubscriptionGrain"), Version(1)]
public interface ISubscriptionGrain : IGrainWithGuidKey
{
    /// <summary>
    /// Delivers from now on, if the subscription is active, by settings of this revision or a later one.
    /// </summary>
    [Alias("Wake")]
    Task Wake(long revision);

    /// <summary>Sends a test event to the target now, whatever the state; null when there is no such webhook.</summary>
    [Alias("Test")]
    Task<DeliveryOutcome?> Test();

    /// <summary>
    /// Leases the next events to a consumer; none when there are none in time. Refused as
    /// <see cref="Refusal.SubscriptionInactive"/>.
    /// </summary>
    [Alias("Pull")]
    Task<Reply<PulledBatch>> Pull(PullRequest request);

    /// <summary>
    /// Says what became of leased events; answers of how many. Refused as <see cref="Refusal.SubscriptionInactive"/> or
    /// <see cref="Refusal.LeaseLost"/>.
    /// </summary>
    [Alias("Settle")]
    Task<Reply<int>> Settle(Settlement settlement);
}

/// <summary>What came of sending an event.</summary>
/// <param name="Status">The HTTP status of the answer; null when there was none.</param>
/// <param name="Error">Why it counts as failed; null when it was delivered.</param>
/// <param name="RetryAfter">How long the target asks to be left alone.</param>
/// <param name="SlowDown">Whether the target as a whole is in trouble.</param>
/// <param name="Gone">Whether the target wants no more events: the subscription is disabled.</param>
[GenerateSerializer, Immutable, Alias("delivery-outcome")]
public sealed record DeliveryOutcome(
    int? Status,
    string? Error,
    int Milliseconds,
    TimeSpan? RetryAfter = null,
    bool SlowDown = false,
    bool Gone = false
);

/// <summary>A consumer asks for events.</summary>
/// <param name="Limit">At most so many events.</param>
/// <param name="Lease">For how long they are the consumer's.</param>
/// <param name="Wait">How long to wait where there are none.</param>
/// <param name="Sight">What the consumer may read; null for a call of an earlier release.</param>
[GenerateSerializer, Immutable, Alias("pull-request")]
public sealed record PullRequest(string Consumer, int Limit, TimeSpan Lease, TimeSpan Wait, PullSight? Sight = null);

/// <summary>The resources that a consumer may read: all, those of some types, and the account's own.</summary>
/// <param name="OwnTypes">The types of which the account's own may be read, where not all of them may.</param>
[GenerateSerializer, Immutable, Alias("pull-sight")]
public sealed record PullSight(string Account, bool IsAll, string[] Types, bool Own, string[] OwnTypes);

/// <summary>Events in the order of the log, leased to one consumer.</summary>
[GenerateSerializer, Immutable, Alias("pulled-batch")]
public sealed record PulledBatch(Guid Lease, DateTimeOffset Until, PulledEvent[] Events);

/// <summary>A leased event.</summary>
/// <param name="Attempt">How often this activation has leased it, this time included.</param>
/// <param name="Event">The CloudEvent.</param>
[GenerateSerializer, Immutable, Alias("pulled-event")]
public sealed record PulledEvent(int Attempt, JsonText Event);

/// <summary>A consumer says what became of leased events.</summary>
/// <param name="Positions">Which of the lease; null = all.</param>
/// <param name="Delay">Before events that are given back are leased again.</param>
/// <param name="Reason">Why resources are parked.</param>
[GenerateSerializer, Immutable, Alias("settlement")]
public sealed record Settlement(Guid Lease, SettlementKind Kind, long[]? Positions, TimeSpan Delay, string? Reason);

/// <summary>What became of leased events.</summary>
public enum SettlementKind
{
    /// <summary>They are done.</summary>
    Ack,

    /// <summary>They are to be leased again, and with them the later ones of their resources.</summary>
    Nack,

    /// <summary>Their resources are held back until a replay.</summary>
    Park,
}
