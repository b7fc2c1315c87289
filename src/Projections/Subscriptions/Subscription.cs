using Resources.Grains;

namespace Resources.Projections;

/// <summary>A subscription, as it is shown.</summary>
/// <param name="Kind">The kind of delivery.</param>
/// <param name="Delivery">The kind and its settings.</param>
/// <param name="State"><c>active</c>, <c>paused</c>, or <c>disabled</c> after its target has failed for good.</param>
/// <param name="Head">The log's newest position.</param>
/// <param name="LagSeconds">Age of the oldest event of the log that it has not looked at; 0 when there is none.</param>
/// <param name="Parked">Resources whose events are held back.</param>
/// <param name="Failed">Those of them that only a replay frees.</param>
public sealed record Subscription(
    Guid Id,
    Guid Owner,
    string Name,
    SubscriptionFilter Filter,
    string Kind,
    JsonText Delivery,
    string State,
    long Position,
    long Head,
    double LagSeconds,
    long Parked,
    long Failed,
    string? LastError,
    DateTimeOffset? LastErrorAt,
    DateTimeOffset? LastSuccessAt,
    DateTimeOffset? PreviousSecretUntil,
    DateTimeOffset CreatedAt
);

/// <summary>A resource whose events a subscription holds back.</summary>
/// <param name="Position">That of the first event that is not delivered.</param>
/// <param name="RetryAt">When it is tried again; null = only by a replay.</param>
public sealed record ParkedRow(
    Guid Resource,
    long Position,
    int Attempts,
    DateTimeOffset? RetryAt,
    string Error,
    DateTimeOffset Since
);

/// <summary>One attempt to deliver an event.</summary>
/// <param name="Outcome">
/// <c>delivered</c> or <c>failed</c>; of leased events <c>acked</c>, <c>nacked</c>, <c>parked</c> or <c>expired</c>.
/// </param>
/// <param name="Status">The HTTP status of the target's answer; null when there was none.</param>
/// <param name="Detail">Why it failed, or which consumer had the event.</param>
public sealed record AttemptRow(
    long Id,
    DateTimeOffset At,
    Guid Event,
    Guid Resource,
    long Position,
    int Attempt,
    string Outcome,
    int? Status,
    string? Detail,
    int? Milliseconds
);
