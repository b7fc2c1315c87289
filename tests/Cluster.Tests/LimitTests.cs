using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;

namespace Resources.Cluster.Tests;

/// <summary>Limits of the whole cluster (F10): never more than the limit, and hardly less.</summary>
[Collection(Processes.Alone)]
public sealed class LimitTests(TestPostgres postgres) : IAsyncLifetime
{
    const int Permits = 1_000;
    const int WindowSeconds = 4;
    const int Windows = 5;

    /// <summary>At each node.</summary>
    const int Clients = 10;

    readonly List<ApiNode> nodes = [];
    string database = "";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        (database, var cluster) = (await postgres.CreateDatabaseAsync(), $"limits-{Guid.NewGuid():n}");
        (string, string)[] options = [("RateLimits__Default__Permits", $"{Permits}"), ("RateLimits__Default__WindowSeconds", $"{WindowSeconds}"), ("RateLimits__LoginAccount__Permits", "10"), ("RateLimits__LoginAccount__WindowSeconds", "60")];
        for (var i = 0; i < 4; i++) nodes.Add(ApiNode.Start(database, cluster, options: options));
        foreach (var node in nodes) await node.ReadyAsync(TimeSpan.FromSeconds(60));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes) await node.DisposeAsync();
    }

    [Fact]
    public async Task Four_nodes_at_ten_times_the_limit_accept_the_limit_in_each_window_though_one_is_killed()
    {
        var token = await nodes[0].SignInAsync();
        var accepted = new ConcurrentQueue<double>();
        var refused = 0;
        using var enough = new CancellationTokenSource();
        var started = Stopwatch.GetTimestamp();
        var load = nodes.SelectMany(node => Enumerable.Range(0, Clients).Select(_ => LoadAsync(node))).ToArray();

        await Task.Delay(TimeSpan.FromSeconds(WindowSeconds * (Windows / 2.0)), Cancelled);
        // In the middle of a window's permits, when every node holds some.
        for (var before = accepted.Count; accepted.Count < before + Permits / 4;) await Task.Delay(1, Cancelled);
        await nodes[3].KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(WindowSeconds * (Windows / 2.0) + 2), Cancelled);
        await enough.CancelAsync();
        await Task.WhenAll(load);

        // The windows of the whole cluster: what was accepted between two times at which nothing was to be had.
        var windows = Split([.. accepted.Order()]);
        TestContext.Current.SendDiagnosticMessage($"accepted {string.Join(", ", windows)} of {Permits}; refused {refused}");
        Assert.True(windows.Count >= 3, $"Only {windows.Count} windows can be told apart.");
        var whole = windows[1..^1];
        Assert.True(refused > accepted.Count * 5, $"Only {refused} were refused: that is no load.");
        Assert.True(whole.Count >= Windows - 2, $"Only {whole.Count} whole windows.");
        // A node that dies may take a lease with it, and what it counted last be counted again: one lease each.
        Assert.All(whole, window => Assert.InRange(window, 0.98 * Permits, Permits + Permits / 128));
        Assert.True(whole.Count(window => window > Permits) <= 1, "More than one window was too large.");

        async Task LoadAsync(ApiNode node)
        {
            using var client = node.Client(token);
            using var pace = new PeriodicTimer(TimeSpan.FromSeconds(4.0 * Clients * WindowSeconds / (10 * Permits)));
            while (!enough.IsCancellationRequested)
                try
                {
                    await pace.WaitForNextTickAsync(enough.Token);
                    using var answer = await client.GetAsync("/api/v1/me", enough.Token);
                    if (answer.StatusCode is HttpStatusCode.OK) accepted.Enqueue(Stopwatch.GetElapsedTime(started).TotalSeconds);
                    else if (answer.StatusCode is HttpStatusCode.TooManyRequests) Interlocked.Increment(ref refused);
                    else await Task.Delay(50, enough.Token);
                }
                catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
                {
                    if (node.HasExited) return;
                }
        }
    }

    [Fact]
    public async Task A_limit_is_all_to_be_had_at_one_node_after_others_have_taken_a_part()
    {
        var token = await nodes[0].SignInAsync();
        var clients = nodes.ConvertAll(node => node.Client(token));
        // Into a new window.
        while ((await clients[0].GetAsync("/api/v1/me", Cancelled)).StatusCode is HttpStatusCode.OK) Cancelled.ThrowIfCancellationRequested();
        var count = 0;
        while (count is 0)
        {
            using var first = await clients[0].GetAsync("/api/v1/me", Cancelled);
            if (first.StatusCode is HttpStatusCode.OK) count++;
            else await Task.Delay(10, Cancelled);
        }
        foreach (var client in clients[1..])
            for (var i = 0; i < 20; i++)
                if ((await client.GetAsync("/api/v1/me", Cancelled)).StatusCode is HttpStatusCode.OK) count++;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(WindowSeconds - 1))
            if ((await clients[0].GetAsync("/api/v1/me", Cancelled)).StatusCode is HttpStatusCode.OK) count++;
        TestContext.Current.SendDiagnosticMessage($"{count} of {Permits} were to be had");
        Assert.InRange(count, 0.98 * Permits, Permits);
    }

    [Fact]
    public async Task A8_Wrong_passwords_are_counted_over_all_nodes_together()
    {
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 16; i++)
        {
            using var http = new HttpClient { BaseAddress = nodes[i % nodes.Count].Address };
            using var answer = await http.PostAsJsonAsync("/api/v1/auth/login", new { email = "somebody@example.org", password = "not the password" }, Cancelled);
            answers.Add(answer.StatusCode);
        }
        Assert.Equal((10, 6), (answers.Count(status => status is HttpStatusCode.Unauthorized), answers.Count(status => status is HttpStatusCode.TooManyRequests)));
    }

    /// <summary>How much was accepted in each window. Under this load one is used up long before its end, and the next begins with a wait.</summary>
    static List<int> Split(double[] accepted)
    {
        var windows = new List<int>();
        for (var i = 0; i < accepted.Length; i++)
        {
            if (i is 0 || accepted[i] - accepted[i - 1] > WindowSeconds / 4.0) windows.Add(0);
            windows[^1]++;
        }
        return windows;
    }
}
