using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>What lists that hang do to the rest of a node: nothing.</summary>
[Collection(Processes.Alone)]
public sealed class SlowListTests(TestPostgres postgres) : IAsyncLifetime
{
    const int Lists = 200;

    /// <summary>Lists that two accounts have under way at a time.</summary>
    static readonly int Connections = 2 * ReadTurns.MaxListsPerCaller;

    /// <summary>
    /// Of the 99th percentile of appends while lists hang to that of appends alone: the medians of both, of so many
    /// rounds.
    /// </summary>
    const double MaxRatio = 1.5;

    const int Rounds = 7;

    /// <summary>How long lists hang, and how long appends are measured alone.</summary>
    static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    NpgsqlDataSource database = null!;
    ServerProcess node = null!;
    HttpClient client = null!;

    /// <summary>Another account: each has a few lists under way, and the others wait their turn.</summary>
    HttpClient other = null!;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        database = NpgsqlDataSource.Create(connectionString);
        node = await ServerProcess.StartReadyAsync(connectionString, "slow-lists");
        client = node.Client(await node.SignInAsync());
        var account = new { email = "other@example.org", password = "a password of enough length" };
        await AnswerAsync(
            client.PostAsJsonAsync(
                "/api/v1/users",
                new
                {
                    account.email,
                    account.password,
                    roles = new[] { "user" },
                },
                Cancelled
            ),
            HttpStatusCode.Created
        );
        using var login = await client.PostAsJsonAsync("/api/v1/auth/login", account, Cancelled);
        var session = await login.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        other = node.Client(session.GetProperty("data").GetProperty("accessToken").GetString()!);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        other.Dispose();
        await node.DisposeAsync();
        await database.DisposeAsync();
    }

    /// <summary>
    /// Both are measured in turn, and which of them comes first alternates: what else the machine does meets both.
    /// </summary>
    [Fact]
    public async Task Lists_that_hang_delay_no_append_and_the_node_stays_ready()
    {
        await MeasureAsync();
        var alone = new List<double>();
        var beside = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            if (round % 2 is 0)
                alone.Add(await MeasureAsync());
            beside.Add(await MeasureBesideListsAsync());
            if (round % 2 is 1)
                alone.Add(await MeasureAsync());
        }

        var figures =
            $"p99 of appends alone {Show(alone)}, beside {Lists} lists {Show(beside)}: {Median(beside) / Median(alone):F2}";
        TestContext.Current.SendDiagnosticMessage(figures);
        Assert.True(Median(beside) <= MaxRatio * Median(alone), $"{figures}. {node.Log}");
    }

    /// <summary>Measures while lists hang on a locked table, more of them than may be under way.</summary>
    async Task<double> MeasureBesideListsAsync()
    {
        // An account that has not read a list for a while reads one at a time, and fewer would hang.
        foreach (var account in new[] { client, other })
            await AnswerAsync(account.GetAsync("/api/v1/resources?limit=1", Cancelled), HttpStatusCode.OK);
        await using var connection = await database.OpenConnectionAsync(Cancelled);
        await using var transaction = await connection.BeginTransactionAsync(Cancelled);
        await using (
            var block = new NpgsqlCommand("lock table resource_views in access exclusive mode", connection, transaction)
        )
            await block.ExecuteNonQueryAsync(Cancelled);
        var lists = Enumerable
            .Range(0, Lists)
            .Select(i => (i % 2 is 0 ? client : other).GetAsync("/api/v1/resources?consistency=eventual", Cancelled))
            .ToArray();
        await Eventually.HoldsAsync(
            async () => await BlockedAsync() >= Connections,
            TimeSpan.FromSeconds(20),
            () => node.Log
        );

        var measured = await MeasureAsync();

        Assert.All(lists, list => Assert.False(list.IsCompletedSuccessfully && list.Result.IsSuccessStatusCode));
        await transaction.RollbackAsync(Cancelled);
        foreach (var list in lists)
        {
            using var answer = await list;
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
            // On a machine that is busy with others some have waited for as long as they may.
            if (!answer.IsSuccessStatusCode)
                Assert.Equal("OVERLOADED", body.GetProperty("code").GetString());
        }
        return measured;
    }

    /// <summary>
    /// Appends one after the other, and asks whether the node is ready, for the time of a window.
    /// </summary>
    /// <returns>The 99th percentile of the appends, in milliseconds.</returns>
    async Task<double> MeasureAsync()
    {
        // What was appended before is not to be caught up with meanwhile.
        if (await BlockedAsync() is 0)
            await AnswerAsync(client.GetAsync("/api/v1/resources?limit=1", Cancelled), HttpStatusCode.OK);
        using var over = new CancellationTokenSource();
        var probes = ProbeAsync(over.Token);
        var took = new List<double>();
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < Window; )
        {
            var sent = Stopwatch.GetTimestamp();
            await AnswerAsync(
                client.PostAsJsonAsync("/api/v1/resources", new { name = "beside lists" }, Cancelled),
                HttpStatusCode.Created
            );
            took.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
        }
        await over.CancelAsync();
        await probes;
        took.Sort();
        return took[took.Count * 99 / 100];
    }

    async Task ProbeAsync(CancellationToken ct)
    {
        for (; !ct.IsCancellationRequested; await Task.Delay(50, CancellationToken.None))
            await AnswerAsync(client.GetAsync("/health/ready", Cancelled), HttpStatusCode.OK);
    }

    async Task AnswerAsync(Task<HttpResponseMessage> request, HttpStatusCode expected)
    {
        using var answer = await request;
        Assert.True(
            answer.StatusCode == expected,
            $"{answer.RequestMessage} was answered {answer.StatusCode} {await answer.Content.ReadAsStringAsync(Cancelled)}. {node.Log}"
        );
    }

    /// <summary>How many statements on the read model wait for a lock.</summary>
    async Task<long> BlockedAsync()
    {
        await using var command = database.CreateCommand(
            """
            select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())
                and relation::regclass::text like 'resource_views%' and mode = 'AccessShareLock'
            """
        );
        return (long)(await command.ExecuteScalarAsync(Cancelled))!;
    }

    static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    static string Show(List<double> values) => string.Join(" ", values.Select(value => $"{value:F1}")) + " ms";
}
