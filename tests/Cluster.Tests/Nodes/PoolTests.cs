using Marten;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>What the exhaustion of one pool means for the others, and for the node.</summary>
public sealed class PoolTests(TestPostgres postgres) : IAsyncLifetime
{
    readonly LogDatabase database = new(postgres);
    readonly StoreContact contact = new(TimeProvider.System, NullLogger<StoreContact>.Instance);
    NodeDatabase node = null!;
    DbRoles pools = null!;
    StoreProbe probe = null!;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.InitializeAsync();
        node = await LogDatabase.OpenAsync(
            database.ConnectionString,
            applySchema: false,
            ("Database:MaxPoolSize", "10"),
            ("Database:MaxSearchPoolSize", "2")
        );
        pools = node.Roles(contact);
        probe = new(
            pools,
            contact,
            (_, _) => Task.FromResult(true),
            TimeProvider.System,
            NullLogger<StoreProbe>.Instance
        );
        await probe.StartAsync(Cancelled);
        await Eventually.HoldsAsync(() => contact.IsMember, TimeSpan.FromSeconds(10));
    }

    public async ValueTask DisposeAsync()
    {
        await probe.StopAsync(default);
        probe.Dispose();
        await node.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task An_exhausted_pool_is_overload_and_no_lost_database()
    {
        var lost = false;
        await using var loss = contact.Lost.Register(() => lost = true);

        Assert.IsNotType<SearchesBusyException>(await ExhaustAsync(pools.Reads, 10));
        Assert.IsType<SearchesBusyException>(await ExhaustAsync(pools.Searches, 2));

        Assert.False(lost, "The node has taken its database for lost.");
        Assert.True(contact.IsAvailable && contact.IsMember);
    }

    [Fact]
    public async Task The_probe_does_not_wait_for_its_own_pool()
    {
        var lost = false;
        await using var loss = contact.Lost.Register(() => lost = true);

        // The probe has the fourth.
        await ExhaustAsync(pools.Control, 3);

        Assert.False(lost, "The node has taken its database for lost.");
        Assert.True(contact.IsAvailable && contact.IsMember);
    }

    [Fact]
    public async Task Appends_do_not_wait_for_the_look_ups_of_grains()
    {
        var kinds = new EventKinds();
        using var store = DocumentStore.For(options =>
        {
            MartenSetup.Configure(options, kinds);
            pools.Log.Serve(options);
        });
        using var log = new EventLog(
            pools.Log,
            pools.Reads,
            pools.Sessions,
            store,
            contact,
            new(),
            kinds,
            NullLogger<EventLog>.Instance
        );
        await log.StartAsync(Cancelled);
        await AppendAsync(log);

        var refused = ExhaustAsync(pools.Log, 8);
        while (!refused.IsCompleted)
            await AppendAsync(log);

        await refused;
        // The appender opens another connection where its own is gone, while grains have all of theirs.
        await database.ExecuteAsync(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and query like '%append_events%' and pid <> pg_backend_pid()
            """
        );
        var taken = new List<NpgsqlConnection>();
        while (taken.Count < 8)
            taken.Add(await pools.Log.OpenAsync(Cancelled));
        await AppendAsync(log);
        foreach (var connection in taken)
            await connection.DisposeAsync();
        await log.StopAsync(Cancelled);
    }

    static async Task AppendAsync(EventLog log) =>
        Assert.NotNull(
            await log.AppendAsync(
                Guid.CreateVersion7(),
                0,
                [new ResourceRenamed("new")],
                new(Guid.CreateVersion7(), "tester", null, null, Conditions.None)
            )
        );

    /// <summary>
    /// Takes all connections of a pool until it refuses a statement. Those that were taken are still the same ones
    /// afterwards: nobody has cleared the pool.
    /// </summary>
    async Task<StoreOverloadedException> ExhaustAsync(Db pool, int size)
    {
        var taken = new List<NpgsqlConnection>();
        for (var i = 0; i < size; i++)
            taken.Add(await pool.OpenAsync(Cancelled));
        var sessions = taken.Select(connection => connection.ProcessID).Order().ToArray();

        var refused = await Assert.ThrowsAnyAsync<StoreOverloadedException>(() =>
            pool.ScalarAsync<int>("select 1", [], Cancelled)
        );
        // Longer than it would take to declare the database lost.
        await Task.Delay(StoreContact.LossAfter + StoreContact.LossAfter, Cancelled);

        foreach (var connection in taken)
            await connection.DisposeAsync();
        taken.Clear();
        for (var i = 0; i < size; i++)
            taken.Add(await pool.OpenAsync(Cancelled));
        Assert.Equal(sessions, taken.Select(connection => connection.ProcessID).Order());
        foreach (var connection in taken)
            await connection.DisposeAsync();
        return refused;
    }
}
