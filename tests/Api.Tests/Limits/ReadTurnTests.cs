using System.Diagnostics;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>What one account reads leaves room for the reads of others.</summary>
[Collection(BoundedServers.Name)]
public sealed class ReadTurnTests(Backend backend)
{
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(20);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Searches hang on a locked table, so that it is seen who has how many.</summary>
    [Theory]
    [InlineData("filter=name%20%3D%20%22*a*%22")]
    [InlineData("q=sample")]
    [InlineData("includeDeleted=true")]
    [InlineData("owner=*&count=exact")]
    public async Task Account_that_searches_much_has_two_searches_at_a_time(string query)
    {
        await using var server = await backend.StartServerAsync(("Database:MaxSearchPoolSize", "4"));
        var admin = await server.AdminAsync();
        var other = (await (await Person.CreateAsync(admin, server.Address, "admin")).LoginAsync()).Caller;
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
        await using var connection = await database.OpenConnectionAsync(Cancelled);
        await using var transaction = await connection.BeginTransactionAsync(Cancelled);
        await using (
            var block = new NpgsqlCommand("lock table resource_views in access exclusive mode", connection, transaction)
        )
            await block.ExecuteNonQueryAsync(Cancelled);

        var many = Enumerable.Range(0, 8).Select(_ => SearchAsync(admin)).ToArray();
        await Eventually.HoldsAsync(async () => await BlockedAsync() is 2, Plenty);
        var one = SearchAsync(other);
        await Eventually.HoldsAsync(async () => await BlockedAsync() is 3, Plenty);

        await transaction.RollbackAsync(Cancelled);
        Assert.Equal(200, (await one).Status);
        Assert.All(await Task.WhenAll(many), answer => Assert.Equal(200, answer.Status));

        Task<Answer> SearchAsync(ApiClient caller) =>
            caller.GetAsync($"/api/v1/resources?consistency=eventual&{query}");

        async Task<long> BlockedAsync()
        {
            await using var command = database.CreateCommand(
                """
                select count(distinct pid) from pg_locks where not granted and mode = 'AccessShareLock'
                    and database = (select oid from pg_database where datname = current_database())
                """
            );
            return (long)(await command.ExecuteScalarAsync(Cancelled))!;
        }
    }

    /// <summary>Reads of the log are made slow, so that it is seen who has how many.</summary>
    [Fact]
    [Trait("Conformance", "H4")]
    public async Task Account_that_reads_a_long_log_by_many_streams_reads_two_pages_at_a_time()
    {
        const int Streams = 30;
        await using var server = await backend.StartServerAsync();
        var admin = await server.AdminAsync();
        var other = (await (await Person.CreateAsync(admin, server.Address, "user")).LoginAsync()).Caller;
        for (var i = 0; i < 3; i++)
            await SubscriptionBackend.CreateAsync(admin, "sample");
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
        await using (var slow = database.CreateCommand(SlowReads))
            await slow.ExecuteNonQueryAsync(Cancelled);

        var watch = Stopwatch.StartNew();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var most = MostAsync(over.Token);
        var streams = Enumerable.Range(0, Streams).Select(_ => CatchUpAsync()).ToArray();
        await Task.Delay(50, Cancelled);
        var page = await other.GetAsync("/api/v1/events?limit=3");
        var took = watch.Elapsed;
        var events = await Task.WhenAll(streams);
        await over.CancelAsync();

        Assert.Equal(200, page.Status);
        Assert.All(events, count => Assert.Equal(3, count));
        // Two of the one account, one of the other, and one of the node's tail.
        Assert.InRange(await most, 1, 4);
        Assert.True(took < watch.Elapsed / 2, $"The page took {took}, the streams {watch.Elapsed}.");

        async Task<int> CatchUpAsync()
        {
            await using var stream = await Subscriber.OpenAsync(server.Address, admin.Token, "/api/v1/events");
            return (await stream.CatchUpAsync()).Count;
        }

        async Task<long> MostAsync(CancellationToken ct)
        {
            var most = 0L;
            while (!ct.IsCancellationRequested)
            {
                await using var command = database.CreateCommand(
                    """
                    select count(*) from pg_stat_activity where datname = current_database() and state = 'active'
                        and query like '%from read_log_page(%' and pid <> pg_backend_pid()
                    """
                );
                most = Math.Max(most, (long)(await command.ExecuteScalarAsync(CancellationToken.None))!);
            }
            return most;
        }
    }

    const string SlowReads = """
        alter function read_log_page(bigint, int, int, bigint, uuid, text[], text, text, text, text[], boolean, text[]) rename to read_log_at_once;
        create function read_log_page(after bigint, scanned int, most int, bytes bigint, of_resource uuid, of_events text[], of_type text, of_owner text, account text, types text[], own boolean, own_types text[])
        returns table (reached bigint, seq_id bigint, id uuid, type text, stream_id uuid, version bigint, at timestamptz, actor text, correlation_id text, data text, resource_type text, owner text)
        language plpgsql as $$
        begin
            perform pg_sleep(0.1);
            return query select * from read_log_at_once(after, scanned, most, bytes, of_resource, of_events, of_type, of_owner, account, types, own, own_types);
        end $$;
        """;
}
