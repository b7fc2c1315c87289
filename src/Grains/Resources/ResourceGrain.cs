using Orleans.Placement;

namespace Resources.Grains;

[PreferLocalPlacement, CollectionAgeLimit(Minutes = 5)]
sealed class ResourceGrain(
    EventLog log,
    Snapshots snapshots,
    StoreContact contact,
    TimeProvider time,
    EarlierNodes earlier,
    TypeBook types,
    FormerReferences former
) : EventSourcedGrain<Resource, ResourceEvent>(log, snapshots, contact, time), IResourceGrain
{
    /// <summary>The type whose rules the last decision was made by.</summary>
    string type = Resource.DefaultType;

    public async Task<Reply<Resource>> Execute(ResourceCommand command, Intent intent)
    {
        // Many resources are migrated that nobody else uses now: they are neither read nor kept.
        if (command is MigrateResource && !IsLoaded)
            DeactivateOnIdle();
        var reply = await DecideAsync(command, intent);
        if (reply.Rejection is not { Kind: Refusal.StillReferenced })
            return reply;
        var (ended, change) = await former.EndAsync(this.GetPrimaryKey());
        if (ended)
            reply = await DecideAsync(command, intent);
        return reply.Rejection is { Kind: Refusal.StillReferenced } refusal
            ? Reply<Resource>.Refused(refusal with { Change = change })
            : reply;
    }

    public Task<Reply<Resource>> Get() => Current();

    public Task<Reply<Resource>> GetPast(Moment moment) => Past(moment.Version ?? 0, moment.Time, moment.Position);

    protected override Resource Evolve(Resource? state, Recorded<ResourceEvent> recorded) =>
        Resource.Evolve(state, recorded);

    protected override Task RefreshRulesAsync(Fence stale) => types.RefreshAsync(type);

    Task<Reply<Resource>> DecideAsync(ResourceCommand command, Intent intent) =>
        Transact(
            intent,
            (state, context) =>
            {
                type = state?.Type ?? (command as CreateResource)?.Type ?? type;
                var rules = types[type];
                if (rules.Misses(state, context.Intent.Conditions.Has) is { } missed)
                    return missed;
                return earlier.Readable(
                    state,
                    ResourceRules.Decide(this.GetPrimaryKey(), state, command, context, rules)
                );
            },
            startsStream: command is CreateResource,
            seen: command is MigrateResource c ? (c.Seen, c.Version) : null
        );
}
