using System.Diagnostics;

namespace Resources.Grains;

/// <summary>
/// What a subscription is set to do, at a version: a pure function of its events. How far it is, and what it holds
/// back, is the working state of delivery and no event.
/// </summary>
/// <param name="Delivery">See <see cref="SubscriptionCreated"/>.</param>
[GenerateSerializer, Immutable, Alias("subscription-settings")]
public sealed record SubscriptionSettings(
    Guid Owner,
    string Name,
    SubscriptionFilter Filter,
    JsonText Delivery,
    string State,
    bool Deleted
)
{
    public const string Active = "active";
    public const string Paused = "paused";
    public const string Disabled = "disabled";

    public static SubscriptionSettings Evolve(SubscriptionSettings? state, Recorded<SubscriptionEvent> recorded) =>
        recorded.Data switch
        {
            SubscriptionCreated e => new(e.Owner, e.Name, e.Filter, e.Delivery, Active, false),
            SubscriptionPaused => state! with { State = Paused },
            SubscriptionResumed => state! with { State = Active },
            SubscriptionDisabled => state! with { State = Disabled },
            SubscriptionSecretRotated or SubscriptionReplayed => state!,
            SubscriptionDeleted => state! with { Deleted = true },
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };

    public static Decision<SubscriptionEvent> Decide(
        SubscriptionSettings? state,
        SubscriptionCommand command,
        DecisionContext context
    ) =>
        (state, command) switch
        {
            (null, CreateSubscription c) =>
            [
                new SubscriptionCreated(c.Owner, c.Name, c.Filter, c.Delivery, c.Position, c.Secret, c.ApiKey),
            ],
            (null, AdoptSubscription c) =>
            [
                new SubscriptionCreated(c.Owner, c.Name, c.Filter, c.Delivery, c.Position, null),
                .. c.State is Active ? [] : Become(c),
            ],
            (null, _) => None,
            ({ Deleted: true }, DeleteSubscription) => [],
            ({ Deleted: true }, _) => None,
            (_, CreateSubscription) => throw new UnreachableException("A subscription is created once."),
            (_, AdoptSubscription c) => c.State == state.State ? [] : [.. Become(c)],
            (_, PauseSubscription) => state.State is Paused ? [] : [new SubscriptionPaused()],
            (_, ResumeSubscription) => state.State is Active ? [] : [new SubscriptionResumed()],
            (_, DisableSubscription c) => state.State is Active ? [new SubscriptionDisabled(c.Reason)] : [],
            (_, RotateSubscriptionSecret c) => [new SubscriptionSecretRotated(c.Secret, c.PreviousUntil)],
            (_, ReplaySubscription c) => [new SubscriptionReplayed(c.Position, null)],
            (_, RetryParkedResource c) => [new SubscriptionReplayed(null, c.Resource)],
            (_, DeleteSubscription) => [new SubscriptionDeleted()],
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };

    static readonly Rejection None = new(Refusal.SubscriptionNotFound, "There is no such subscription.");

    static SubscriptionEvent[] Become(AdoptSubscription command) =>
        command.State switch
        {
            Active => [new SubscriptionResumed()],
            Paused => [new SubscriptionPaused()],
            Disabled => [new SubscriptionDisabled(command.Reason ?? "")],
            _ => throw new UnreachableException($"There is no state {command.State}."),
        };
}
