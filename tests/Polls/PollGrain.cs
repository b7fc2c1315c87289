using Orleans;
using Resources.Grains;

namespace Resources.Polls;

/// <summary>One poll; the key of its grain is its id.</summary>
[Alias("polls.IPollGrain")]
public interface IPollGrain : IGrainWithGuidKey
{
    [Alias("Execute")]
    Task<Reply<Poll>> Execute(PollCommand command, Intent intent);

    [Alias("Get")]
    Task<Reply<Poll>> Get();
}

sealed class PollGrain(EventLog log, Snapshots snapshots, StoreContact contact, TimeProvider time)
    : EventSourcedGrain<Poll, PollEvent>(log, snapshots, contact, time),
        IPollGrain
{
    public Task<Reply<Poll>> Execute(PollCommand command, Intent intent) =>
        Transact(intent, (state, context) => Poll.Decide(state, command, context), startsStream: command is OpenPoll);

    public Task<Reply<Poll>> Get() => Current();

    protected override Poll Evolve(Poll? state, Recorded<PollEvent> recorded) => Poll.Evolve(state, recorded);
}
