namespace Resources.Grains;

[KeepAlive]
sealed class RoleGrain(EventLog log, Snapshots snapshots, StoreContact contact, TimeProvider time)
    : EventSourcedGrain<RoleBook, RoleEvent>(log, snapshots, contact, time),
        IRoleGrain
{
    public Task<Reply<RoleBook>> Execute(RoleCommand command, Intent intent) =>
        Transact(intent, (state, context) => RoleBook.Decide(state, command, context));

    public Task<Reply<RoleBook>> Get() => Current();

    protected override RoleBook Evolve(RoleBook? state, Recorded<RoleEvent> recorded) =>
        RoleBook.Evolve(state, recorded);
}
