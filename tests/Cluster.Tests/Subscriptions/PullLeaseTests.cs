using Npgsql;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Answers to consumers whose activation comes to its end meanwhile agree with what is stored.</summary>
[Trait("Conformance", "I5")]
public sealed class PullLeaseTests(SubscriptionNode one) : IClassFixture<SubscriptionNode>
{
    [Fact]
    public async Task Lease_that_was_stored_with_the_last_write_of_a_run_is_given_to_its_consumer()
    {
        var (id, run) = await TakeAsync();

        var batch = await DuringLastWriteAsync(id, run, () => PullAsync(run));

        var lease = Assert.Single((await RetakeAsync(id)).Leases);
        Assert.Equal(lease.Id, batch!.Lease);
        Assert.Equal([Logged.Position], lease.Positions);
    }

    [Fact]
    public async Task Ack_that_was_stored_with_the_last_write_of_a_run_is_confirmed()
    {
        var (id, run) = await TakeAsync();
        var batch = await PullAsync(run);

        var count = await DuringLastWriteAsync(id, run, () =>
            run.Leases.SettleAsync(new(batch!.Lease, SettlementKind.Ack, null, TimeSpan.Zero, null))
        );

        Assert.Equal(1, count);
        var next = await RetakeAsync(id);
        Assert.Empty(next.Leases);
        Assert.Equal(Logged.Position, next.Position);
    }

    [Fact]
    public async Task Lease_of_a_run_that_has_lost_its_subscription_is_neither_given_nor_stored()
    {
        var (id, run) = await TakeAsync();
        await RetakeAsync(id);

        await Assert.ThrowsAsync<SubscriptionLostException>(() => PullAsync(run));

        Assert.Empty((await RetakeAsync(id)).Leases);
    }

    static readonly LogEvent Logged = new(
        1,
        Guid.CreateVersion7(),
        "resource.created",
        Guid.CreateVersion7(),
        1,
        DateTimeOffset.UnixEpoch,
        "",
        null,
        JsonText.Empty,
        "t",
        "o"
    );

    SubscriptionStore Store => one.Node.Service<SubscriptionStore>();

    /// <summary>Creates a subscription and takes it from its grain; the run has read one event.</summary>
    async Task<(Guid Id, SubscriptionRun Run)> TakeAsync()
    {
        var id = Guid.CreateVersion7();
        var (creation, _) = await one
            .Node.Service<Subscriptions>()
            .CreateAsync(
                new(id, one.Owner, $"{id}", new(), JsonText.Stored("""{"kind":"pull"}"""u8), 0),
                Intent.OfNode(),
                TestContext.Current.CancellationToken
            );
        Assert.Equal(Creation.Done, creation);
        await Eventually.HoldsAsync(
            async () => await one.Tables.ExecuteAsync("select epoch from subscriptions where id = $1", id) is > 0L,
            TimeSpan.FromSeconds(20),
            () => "the grain has taken the subscription"
        );
        var run = new SubscriptionRun(await RetakeAsync(id), one.Node.Service<SubscriptionServices>());
        run.Window.Add(Logged);
        return (id, run);
    }

    async Task<TakenSubscription> RetakeAsync(Guid id) =>
        (await Store.TakeAsync(id, TestContext.Current.CancellationToken))!;

    static Task<PulledBatch?> PullAsync(SubscriptionRun run) =>
        run.Leases.PullAsync(new("consumer", 5, TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1)));

    /// <summary>
    /// Lets a consumer ask while a write is under way and the last one waits behind it. So the last one takes along
    /// what the consumer asked for, before the consumer's own write has its turn.
    /// </summary>
    async Task<T> DuringLastWriteAsync<T>(Guid id, SubscriptionRun run, Func<Task<T>> ask)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var connection = await one.Tables.Source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (
            var hold = new NpgsqlCommand("select from subscriptions where id = $1 for update", connection, transaction)
            {
                Parameters = { new() { Value = id } },
            }
        )
            await hold.ExecuteNonQueryAsync(ct);
        var writing = run.FlushAsync(ct);
        var last = run.FlushAsync(ct, isLast: true);
        var asking = ask();
        Assert.False(writing.IsCompleted || last.IsCompleted || asking.IsCompleted);
        await transaction.CommitAsync(ct);
        await writing;
        await last;
        return await asking;
    }
}
