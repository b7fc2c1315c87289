using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// Decides on a subscription, and lets its row follow. The event is the truth: where a node dies between the two, the
/// next change brings the row up to date, or <see cref="SubscriptionWatch"/> does within seconds.
/// </summary>
[CollectionAgeLimit(Minutes = 5)]
sealed class SubscriptionSettingsGrain(
    EventLog log,
    Snapshots snapshots,
    StoreContact contact,
    SubscriptionRows rows,
    Deliveries deliveries,
    TimeProvider time
)
    : EventSourcedGrain<SubscriptionSettings, SubscriptionEvent>(log, snapshots, contact, time),
        ISubscriptionSettingsGrain
{
    Guid Id => this.GetPrimaryKey();

    public async Task<Reply<SubscriptionSettings>> Execute(SubscriptionCommand command, Intent intent)
    {
        if (command is not CreateSubscription)
            await AdoptAsync();
        var reply = await DecideAsync(command, intent);
        await FollowAsync();
        return reply;
    }

    public async Task Follow()
    {
        await AdoptAsync();
        await FollowAsync();
    }

    protected override SubscriptionSettings Evolve(SubscriptionSettings? state, Recorded<SubscriptionEvent> recorded) =>
        SubscriptionSettings.Evolve(state, recorded);

    Task<Reply<SubscriptionSettings>> DecideAsync(SubscriptionCommand command, Intent intent) =>
        Transact(
            intent,
            (state, context) => SubscriptionSettings.Decide(state, command, context),
            startsStream: command is CreateSubscription
        );

    /// <summary>Appends what a node of the version before has done to the row without an event.</summary>
    async Task AdoptAsync()
    {
        if (await rows.FindAsync(Id) is { LacksEvent: true } row)
            await DecideAsync(
                new AdoptSubscription(
                    row.Owner,
                    row.Name,
                    row.Filter,
                    deliveries.ForLog(row.Kind, row.Delivery),
                    row.Position,
                    row.State,
                    row.LastError
                ),
                Intent.OfNode()
            );
    }

    async Task FollowAsync()
    {
        while (await rows.FindAsync(Id) is { } row)
        {
            Recorded<SubscriptionEvent>[] missing = [.. await ReadAsync(row.Version)];
            if (missing is [])
            {
                if (row.IsAbandoned)
                    await rows.ReleaseAsync(Id);
                return;
            }
            if (await rows.ApplyAsync(row, missing))
                return;
        }
    }
}
