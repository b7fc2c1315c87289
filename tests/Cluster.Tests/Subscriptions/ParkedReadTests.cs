using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Parked resources of an owner who has too many reads of the log under way.</summary>
[Trait("Conformance", "I5")]
public sealed class ParkedReadTests(SubscriptionNode one) : IClassFixture<SubscriptionNode>
{
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(20);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_outlives_a_read_that_is_refused_and_tries_again()
    {
        var resource = Guid.CreateVersion7();
        var created = await one
            .Node.Resource(resource)
            .Execute(
                new CreateResource("parked", "sample", "active", JsonText.Empty),
                new(Guid.NewGuid(), "somebody", null, null, Conditions.None)
            );
        Assert.Null(created.Rejection);
        var turns = new FairTurns(atOnce: 1, perCaller: 1, maxWaiting: 0, TimeProvider.System);
        var node = one.Node.Service<SubscriptionServices>();
        var run = new SubscriptionRun(
            await TakeAsync(new(resource, created.Position), created.Position),
            node with
            {
                Feed = new(
                    one.Node.Service<LogQueries>(),
                    one.Node.Service<LogTail>(),
                    one.Node.Service<ReadIndex>(),
                    turns,
                    one.Node.Service<ReadMemory>()
                ),
            }
        );

        Task running;
        using (await turns.TakeAsync($"{one.Owner}", Plenty, Cancelled))
            // It reads before it waits for the first time.
            running = run.RunAsync(Cancelled);
        await Eventually.HoldsAsync(
            () => running.IsCompleted || run.Window.Due(DateTimeOffset.MaxValue, 1) is [],
            Plenty,
            () => "the resource is read again"
        );

        Assert.False(running.IsCompleted);
        run.End();
        // The node works on the subscription as well, and may have taken it back.
        await Task.WhenAny(running);
    }

    /// <summary>A subscription that has everything up to a position, but for one event that is due again.</summary>
    async Task<TakenSubscription> TakeAsync((Guid Resource, long Position) parked, long position)
    {
        var id = Guid.CreateVersion7();
        var (creation, _) = await one
            .Node.Service<Subscriptions>()
            .CreateAsync(
                new(id, one.Owner, $"{id}", new(), JsonText.Stored("""{"kind":"pull"}"""u8), 0),
                Intent.OfNode(),
                Cancelled
            );
        Assert.Equal(Creation.Done, creation);
        var taken = await one.Node.Service<SubscriptionStore>().TakeAsync(id, Cancelled);
        var (resource, at) = parked;
        return taken! with
        {
            Position = position,
            Parked = [new(resource, at, at, 1, DateTimeOffset.UnixEpoch, "", DateTimeOffset.UnixEpoch, at)],
        };
    }
}
