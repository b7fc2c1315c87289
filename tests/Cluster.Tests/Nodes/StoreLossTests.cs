using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>A database outage under load: prompt refusals, prompt recovery, and no lost acknowledged write.</summary>
[Collection(Processes.Alone)]
public sealed class StoreLossTests : IAsyncLifetime
{
    readonly TestDirectory directory = new();
    StoppablePostgres postgres = null!;
    ServerProcess node = null!;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        postgres = await StoppablePostgres.StartAsync(directory.Path, Cancelled);
        node = await ServerProcess.StartReadyAsync(postgres.ConnectionString, "store-loss");
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await postgres.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Writes_are_refused_promptly_during_a_store_outage_and_resume_after_it()
    {
        var token = await node.SignInAsync();
        await LoseAsync(
            token,
            "stop -m fast",
            () => postgres.StopAsync("fast"),
            postgres.StartAgainAsync,
            TimeSpan.FromSeconds(1)
        );
        await LoseAsync(
            token,
            "stop -m immediate",
            () => postgres.StopAsync("immediate"),
            postgres.StartAgainAsync,
            TimeSpan.FromSeconds(1)
        );
        await LoseAsync(token, "SIGSTOP", postgres.PauseAsync, postgres.ResumeAsync, TimeSpan.FromSeconds(1.5));
    }

    /// <summary>
    /// The driver asks a server to give up a statement, and waits for that: on a server that hangs, for seconds each.
    /// </summary>
    [Fact]
    public async Task Requests_that_wait_for_the_store_are_refused_together_when_it_is_lost()
    {
        using var client = node.Client(await node.SignInAsync());
        var created = await client.PostAsJsonAsync("/api/v1/resources", new { name = "read by all" }, Cancelled);
        var history = $"{created.Headers.Location}/events";
        await using var locker = new NpgsqlConnection(postgres.ConnectionString);
        await locker.OpenAsync(Cancelled);
        await using var hold = await locker.BeginTransactionAsync(Cancelled);
        await using var take = new NpgsqlCommand("lock table mt_events in access exclusive mode", locker, hold);
        await take.ExecuteNonQueryAsync(Cancelled);
        var waiting = Enumerable.Range(0, 4).Select(_ => client.GetAsync(history, Cancelled)).ToArray();
        await using var watcher = new NpgsqlConnection(postgres.ConnectionString);
        await watcher.OpenAsync(Cancelled);
        await Eventually.HoldsAsync(
            async () =>
            {
                await using var count = new NpgsqlCommand(
                    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%mt_events%'",
                    watcher
                );
                return (long)(await count.ExecuteScalarAsync(Cancelled))! >= waiting.Length;
            },
            TimeSpan.FromSeconds(20),
            () => $"the requests wait for the lock. {node.Log}"
        );

        var paused = Stopwatch.StartNew();
        await postgres.PauseAsync();
        try
        {
            var answers = await Task.WhenAll(waiting);
            TestContext.Current.SendDiagnosticMessage($"the last answer took {paused.Elapsed}");
            Assert.True(paused.Elapsed < TimeSpan.FromSeconds(3), $"The last answer took {paused.Elapsed}. {node.Log}");
            Assert.All(answers, answer => Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode));
        }
        finally
        {
            await postgres.ResumeAsync();
        }
    }

    async Task LoseAsync(string token, string how, Func<Task> lose, Func<Task> giveBack, TimeSpan prompt)
    {
        await using var load = Load.Start(token, [node], clients: 6, moves: false);
        await load.SucceedsAsync(300, TimeSpan.FromSeconds(60));
        using var client = node.Client(token);
        var existing = load.Operations.First(operation => operation is { Kind: Kind.Create, Succeeded: true }).Resource;

        var ordinary = load.Ordinary;
        prompt += ordinary;
        var lost = Stopwatch.GetTimestamp();
        await lose();
        var gone = Stopwatch.GetTimestamp();
        await Eventually.HoldsAsync(
            async () =>
                (await client.GetAsync("/health/ready", Cancelled)).StatusCode is HttpStatusCode.ServiceUnavailable,
            TimeSpan.FromSeconds(3),
            () => $"the node says that it is not ready. {node.Log}"
        );
        for (var i = 0; i < 5; i++)
        {
            await RefusedAsync(
                how,
                client.PostAsJsonAsync("/api/v1/resources", new { name = "while away" }, Cancelled),
                prompt
            );
            await RefusedAsync(
                how,
                client.PatchAsync(
                    $"/api/v1/resources/{existing}",
                    JsonContent.Create(new { name = $"while away {i}" }, Load.MergePatch),
                    Cancelled
                ),
                prompt
            );
            await RefusedAsync(
                how,
                client.PutAsJsonAsync(
                    $"/api/v1/resources/{Guid.CreateVersion7()}",
                    new { name = "unknown" },
                    Cancelled
                ),
                prompt
            );
            await RefusedAsync(how, client.GetAsync($"/api/v1/resources/{Guid.CreateVersion7()}", Cancelled), prompt);
            await RefusedAsync(how, client.GetAsync("/api/v1/resources", Cancelled), prompt);
            await RefusedAsync(how, client.GetAsync($"/api/v1/resources/{existing}/events", Cancelled), prompt);
        }

        await giveBack();
        var returned = Stopwatch.GetTimestamp();
        await load.SucceedsAsync(100, TimeSpan.FromSeconds(20));
        await node.ReadyAsync(TimeSpan.FromSeconds(20));
        await Eventually.HoldsAsync(
            async () => (await client.GetAsync("/api/v1/resources", Cancelled)).IsSuccessStatusCode,
            TimeSpan.FromSeconds(20),
            () => $"lists are answered. {node.Log}"
        );
        var back = Stopwatch.GetElapsedTime(returned);

        var history = await load.StopAsync();
        var during = history
            .Operations.Where(operation => operation.Returned > lost && operation.Invoked < returned)
            .ToArray();
        var writes = during.Where(operation => operation.Kind is not Kind.Get).ToArray();
        var slowest = writes.MaxBy(operation => operation.Took)!;
        var reads = during.Where(operation => operation.Kind is Kind.Get);
        var slowestRead = reads.Select(operation => operation.Took).DefaultIfEmpty().Max();
        TestContext.Current.SendDiagnosticMessage(
            $"{how}: ordinarily up to {ordinary.TotalMilliseconds:F0} ms, away "
                + $"{Stopwatch.GetElapsedTime(gone, returned).TotalSeconds:F1} s, {during.Length} requests, slowest "
                + $"write {slowest.Took.TotalMilliseconds:F0} ms, "
                + $"slowest read {slowestRead.TotalMilliseconds:F0} ms, back after {back.TotalSeconds:F1} s"
        );
        await history.CheckAsync(postgres.ConnectionString, () => node.Log);
        Assert.All(during.Where(operation => !operation.Succeeded), operation =>
            Assert.True(operation.Code is "STORE_UNAVAILABLE", $"{how}: {operation}. {node.Log}")
        );
        Assert.True(slowest.Took < prompt, $"{how}: {slowest}. {node.Log}");
        Assert.True(back < TimeSpan.FromSeconds(5) + ordinary, $"{how}: back after {back}. {node.Log}");
    }

    async Task RefusedAsync(string how, Task<HttpResponseMessage> request, TimeSpan prompt)
    {
        var watch = Stopwatch.StartNew();
        using var answer = await request;
        var body = await answer.Content.ReadAsStringAsync(Cancelled);
        Assert.True(
            answer.StatusCode is HttpStatusCode.ServiceUnavailable,
            $"{how}: {answer.RequestMessage} was answered {answer.StatusCode} {body}. {node.Log}"
        );
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("STORE_UNAVAILABLE", JsonElement.Parse(body).GetProperty("code").GetString());
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.True(watch.Elapsed < prompt, $"{how}: {answer.RequestMessage} took {watch.Elapsed}. {node.Log}");
    }
}
