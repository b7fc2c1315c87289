using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>The query plan by which every node reads changes of access many times a second.</summary>
public sealed class AccessLogPlanTests(TestPostgres postgres) : IAsyncLifetime
{
    readonly LogDatabase database = new(postgres);
    NodeDatabase node = null!;

    ControlDb Control => LogDatabase.RolesOf(node).Control;

    public async ValueTask InitializeAsync()
    {
        await database.InitializeAsync();
        node = await LogDatabase.OpenAsync(database.ConnectionString, applySchema: false);
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await database.DisposeAsync();
    }

    /// <summary>
    /// A statement is planned once per session, and a node starts on an empty log. That plan must serve until
    /// PostgreSQL analyses the table.
    /// </summary>
    [Fact]
    public async Task Plan_made_on_an_empty_log_uses_the_index_on_a_long_one()
    {
        await database.ExecuteAsync("alter table mt_events set (autovacuum_enabled = false)");
        var log = new AccessLog(Control, new(Control, LogDatabase.RolesOf(node).Reads, TimeProvider.System), new());
        await database.ExecuteAsync(Seed(1));
        for (var i = 0; i < 10; i++)
            Assert.Equal(1, (await log.AfterAsync(0, TestContext.Current.CancellationToken)).Reached);

        await database.ExecuteAsync(Seed(50_000));
        var scans = await ScansAsync();
        var rows = await RowsAsync();
        for (var i = 0; i < 10; i++)
            Assert.Equal(50_001, (await log.AfterAsync(0, TestContext.Current.CancellationToken)).Reached);
        Assert.Empty((await log.SinceAsync(DateTimeOffset.MinValue, TestContext.Current.CancellationToken)).Events);
        await Eventually.HoldsAsync(
            async () => await ScansAsync() >= scans + 11,
            TimeSpan.FromSeconds(10),
            () => "the reads are counted at the index"
        );
        // The head itself is one row of the log.
        Assert.InRange(await RowsAsync() - rows, 0, 20);
    }

    async Task<long> ScansAsync()
    {
        await Control.ExecuteAsync("select pg_stat_force_next_flush()", []);
        return (long)
            (
                await database.ExecuteAsync(
                    "select idx_scan from pg_stat_user_indexes where indexrelname = 'mt_events_access'"
                )
            )!;
    }

    /// <summary>Rows of the log that were read without the index of access changes.</summary>
    async Task<long> RowsAsync() =>
        (long)
            (
                await database.ExecuteAsync(
                    """
                    select seq_tup_read + (select sum(idx_tup_read)::bigint from pg_stat_user_indexes where relname = 'mt_events' and indexrelname <> 'mt_events_access') from pg_stat_user_tables where relname = 'mt_events'
                    """
                )
            )!;

    static string Seed(int resources) =>
        $"""
            with made as (
                insert into mt_streams (id, version, timestamp, created) select gen_random_uuid(), 1, now(), now() from generate_series(1, {resources}) returning id
            )
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type)
            select nextval('mt_events_sequence'), gen_random_uuid(), id, 1, jsonb_build_object('name', 'seed'), 'resource.created', now(), 'Resources.Grains.ResourceCreated, Resources.Grains' from made
            """;
}
