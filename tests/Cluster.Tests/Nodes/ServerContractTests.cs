using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>What the promises of the log ask of PostgreSQL, while a node runs and when it starts.</summary>
[Collection(Processes.Alone)]
public sealed class ServerContractTests : IAsyncLifetime
{
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(30);

    readonly TestDirectory directory = new();
    StoppablePostgres postgres = null!;
    ServerProcess node = null!;
    HttpClient client = null!;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        postgres = await StoppablePostgres.StartAsync(directory.Path, Cancelled);
        node = await ServerProcess.StartReadyAsync(postgres.ConnectionString, "contract");
        client = node.Client(await node.SignInAsync());
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await node.DisposeAsync();
        await postgres.DisposeAsync();
        directory.Dispose();
    }

    /// <summary>
    /// PostgreSQL answers a commit whose wait for a standby is cancelled as if it were done. The node does not.
    /// </summary>
    [Fact]
    public async Task Write_that_no_standby_has_is_never_acknowledged()
    {
        await ExecuteAsync("alter system set synchronous_standby_names = 'nobody'");
        await ExecuteAsync("select pg_reload_conf()");
        var waited = Stopwatch.StartNew();
        var first = CreateAsync("first");
        await Eventually.HoldsAsync(
            async () => await ExecuteAsync(Waiting) is not null,
            Plenty,
            () => "the commit waits for a standby"
        );

        await ExecuteAsync($"select pg_cancel_backend(({Waiting}))");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await first);
        Assert.True(waited.Elapsed < TimeSpan.FromSeconds(10), $"The caller waited for {waited.Elapsed}.");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await CreateAsync("first"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await CreateAsync("second"));
        // While a commit waits without an end, nothing is queued behind it.
        var refused = Stopwatch.StartNew();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await CreateAsync("third"));
        Assert.True(refused.Elapsed < TimeSpan.FromSeconds(2), $"The refusal took {refused.Elapsed}.");

        await ExecuteAsync("alter system reset synchronous_standby_names");
        await ExecuteAsync("select pg_reload_conf()");
        foreach (var key in new[] { "first", "second" })
            await Eventually.HoldsAsync(
                async () => await CreateAsync(key) is HttpStatusCode.Created,
                Plenty,
                () => $"a repetition of the {key} write is acknowledged. {node.Log}"
            );
        Assert.Equal(2L, await ExecuteAsync("select count(*) from mt_events where type = 'resource.created'"));
    }

    [Fact]
    public async Task Sequence_that_breaks_the_order_of_positions_is_refused()
    {
        await ExecuteAsync("alter sequence mt_events_sequence cache 50");
        await Eventually.HoldsAsync(
            async () => await CreateAsync("while cached") is HttpStatusCode.ServiceUnavailable,
            Plenty,
            () => "the node refuses to write"
        );
        Assert.Contains("alter sequence mt_events_sequence cache 1", node.Log, StringComparison.Ordinal);
        var (exitCode, output) = await ServerProcess.RunAsync(
            new()
            {
                ["ConnectionStrings:Resources"] = postgres.ConnectionString,
                ["Secrets:MasterKey"] = Convert.ToBase64String(new byte[32]),
            }
        );
        Assert.Equal(1, exitCode);
        Assert.Contains("alter sequence mt_events_sequence cache 1", output, StringComparison.Ordinal);

        await ExecuteAsync("alter sequence mt_events_sequence cache 1");
        await Eventually.HoldsAsync(
            async () => await CreateAsync("afterwards") is HttpStatusCode.Created,
            Plenty,
            () => $"the node writes again. {node.Log}"
        );
    }

    [Fact]
    public async Task Positions_never_go_back_with_the_sequence()
    {
        Assert.Equal(HttpStatusCode.Created, await CreateAsync("before"));
        await ExecuteAsync("select setval('mt_events_sequence', 1)");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await CreateAsync("behind"));

        Assert.Equal(0L, await ExecuteAsync("select count(*) from mt_events where data ->> 'name' = 'behind'"));
    }

    /// <summary>Else a crash of the server loses acknowledged writes.</summary>
    [Fact]
    public async Task Appends_are_flushed_whatever_the_session_says()
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString);
        await connection.OpenAsync(Cancelled);
        await using var off = new NpgsqlCommand("set synchronous_commit = off", connection);
        await off.ExecuteNonQueryAsync(Cancelled);
        await using var transaction = await connection.BeginTransactionAsync(Cancelled);
        await new AppendCall((Guid.CreateVersion7(), 0, [Guid.CreateVersion7()])).RunAsync(connection);

        await using var show = new NpgsqlCommand("show synchronous_commit", connection);

        Assert.Equal("on", await show.ExecuteScalarAsync(Cancelled));
    }

    const string Waiting =
        "select pid from pg_stat_activity where wait_event = 'SyncRep' and query like '%append_events%' limit 1";

    /// <summary>Creates a resource with the name as key. Returns the status.</summary>
    async Task<HttpStatusCode> CreateAsync(string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/resources");
        request.Headers.Add("Idempotency-Key", name);
        request.Content = JsonContent.Create(new { name });
        using var answer = await client.SendAsync(request, Cancelled);
        return answer.StatusCode;
    }

    async Task<object?> ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancelled);
    }
}
