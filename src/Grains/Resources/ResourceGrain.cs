using Orleans.Placement;

namespace Resources.Grains;

[PreferLocalPlacement, CollectionAgeLimit(Minutes = 5)]
sealed class ResourceGrain(
    EventLog log,
    Snapshots snapshots,
    StoreContact contact,
    TimeProvider time,
    EarlierNodes earlier
) : EventSourcedGrain<Resource, ResourceEvent>(log, snapshots, contact, time), IResourceGrain
{
    public Task<Reply<Resource>> Execute(ResourceCommand command, Intent intent) =>
        Transact(
            intent,
            (state, context) => earlier.Readable(state, Resource.Decide(state, command, context)),
            startsStream: command is CreateResource
        );

    public Task<Reply<Resource>> Get() => Current();

    public Task<Reply<Resource>> GetPast(Moment moment) => Past(moment.Version ?? 0, moment.Time, moment.Position);

    protected override Resource Evolve(Resource? state, Recorded<ResourceEvent> recorded) =>
        Resource.Evolve(state, recorded);
}
