namespace Resources.Grains;

/// <summary>The roles; the key is <see cref="RoleBook.Id"/>, there is one.</summary>
[Alias("resources.IRoleGrain")]
public interface IRoleGrain : IGrainWithGuidKey
{
    [Alias("Execute")]
    Task<Reply<RoleBook>> Execute(RoleCommand command, Intent intent);

    /// <summary>The roles now; a null value before the first event.</summary>
    [Alias("Get")]
    Task<Reply<RoleBook>> Get();
}

[KeepAlive]
sealed class RoleGrain(EventLog log, Snapshots snapshots, StoreContact contact)
    : EventSourcedGrain<RoleBook, RoleEvent>(log, snapshots, contact),
        IRoleGrain
{
    public Task<Reply<RoleBook>> Execute(RoleCommand command, Intent intent) =>
        Transact(intent, (state, _) => RoleBook.Decide(state, command));

    public Task<Reply<RoleBook>> Get() => Current();

    protected override RoleBook Evolve(RoleBook? state, Recorded<RoleEvent> recorded) =>
        RoleBook.Evolve(state, recorded.Data);
}
