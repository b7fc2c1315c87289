using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Resources.Cluster.Tests;

/// <summary>Limits of the whole cluster (F10): never more than the limit, and hardly less.</summary>
[Collection(Processes.Alone)]
public sealed class LimitTests(TestPostgres postgres) : IAsyncDisposable
{
    const int Permits = 1_000;
    const int Lease = Permits / 128;
    const int Windows = 5;

    /// <summary>At each node.</summary>
    const int Clients = 10;

    readonly List<ApiNode> nodes = [];
    string token = "";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    async Task StartAsync(int windowSeconds)
    {
        var database = await postgres.CreateDatabaseAsync();
        var cluster = $"limits-{Guid.NewGuid():n}";
        (string, string)[] options =
        [
            ("RateLimits__Default__Permits", $"{Permits}"),
            ("RateLimits__Default__WindowSeconds", $"{windowSeconds}"),
            ("RateLimits__Login__Permits", "20"),
            ("RateLimits__Login__WindowSeconds", "3600"),
            ("RateLimits__LoginAccount__Permits", "10"),
            ("RateLimits__LoginAccount__WindowSeconds", "3600"),
        ];
        // The first one is alone when it is asked: it counts for the caller, and goes on to.
        nodes.Add(ApiNode.Start(database, cluster, options: options));
        await nodes[0].ReadyAsync(TimeSpan.FromSeconds(60));
        token = await nodes[0].SignInAsync();
        using (var first = nodes[0].Client(token))
            Assert.Equal(HttpStatusCode.OK, await AskAsync(first));
        for (var i = 1; i < 4; i++)
            nodes.Add(ApiNode.Start(database, cluster, options: options));
        foreach (var node in nodes)
            await node.ReadyAsync(TimeSpan.FromSeconds(60));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    /// <summary>The longer window is one in which the node that counts is missed and replaced.</summary>
    [Theory, InlineData("a node", 3, 5), InlineData("the node that counts", 0, 10)]
    public async Task Four_nodes_at_ten_times_the_limit_accept_the_limit_in_each_window_though_one_is_killed(
        string what,
        int killed,
        int windowSeconds
    )
    {
        await StartAsync(windowSeconds);
        await using var load = new Demand(nodes, token, windowSeconds);
        await Eventually.HoldsAsync(
            () => load.Whole().Count > Windows / 2,
            TimeSpan.FromSeconds(10 * Windows * windowSeconds),
            () => "half of the windows are over"
        );
        // Within a window's permits, when every node holds some.
        var before = load.Accepted.Count;
        await Eventually.HoldsAsync(
            () => load.Accepted.Count >= before + Permits / 4,
            TimeSpan.FromSeconds(3 * windowSeconds),
            () => "a window has begun"
        );
        await nodes[killed].KillAsync();
        var at = Demand.Now;
        await Eventually.HoldsAsync(
            () => load.Whole().Count(window => window.Ends > at) > Windows / 2,
            TimeSpan.FromSeconds(10 * Windows * windowSeconds),
            () => "the other half is over"
        );
        await load.StopAsync();

        var whole = load.Whole();
        TestContext.Current.SendDiagnosticMessage(
            $"{what} killed: of {Permits} in windows of {windowSeconds} s {string.Join(", ", load.Windows().Select(window => $"{window.Accepted} were accepted and {window.Refused} refused{(at > window.Ends - windowSeconds && at < window.Ends ? " (killed)" : "")}"))}; {string.Join(", ", load.Others)}"
        );
        Assert.True(
            load.Others.Keys.All(status => status is HttpStatusCode.ServiceUnavailable),
            "Other answers than 200, 429 and 503."
        );
        Assert.True(whole.Count >= Windows, $"Only {whole.Count} whole windows.");
        Assert.All(load.Windows(), window => Assert.InRange(window.Accepted, 0, Permits + Lease));
        foreach (var window in whole)
        {
            var hit = killed is 0 && at > window.Ends - windowSeconds && at < window.Ends;
            // A node that is killed takes its lease along, and the one that counts those that are under way to the
            // others.
            Assert.InRange(
                window.Accepted,
                hit ? Permits - nodes.Count * Lease : 0.98 * Permits,
                hit ? Permits + Lease : Permits
            );
        }
    }

    [Fact]
    public async Task A_limit_is_all_to_be_had_at_one_node_after_others_have_taken_a_part()
    {
        // The window lasts as long as the test, and what was asked before counts too.
        await StartAsync(3600);
        var clients = nodes.ConvertAll(node => node.Client(token));
        var count = 1;
        foreach (var client in clients[1..])
            for (var i = 0; i < 20; i++)
                if (await AskAsync(client) is HttpStatusCode.OK)
                    count++;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(
            Enumerable
                .Range(0, Clients)
                .Select(async _ =>
                {
                    // Two seconds of nothing but refusals: nothing comes back any more.
                    while (watch.Elapsed < TimeSpan.FromSeconds(2))
                        if (await AskAsync(clients[0]) is not HttpStatusCode.OK)
                            await Task.Delay(20, Cancelled);
                        else
                        {
                            Interlocked.Increment(ref count);
                            watch.Restart();
                        }
                })
        );
        TestContext.Current.SendDiagnosticMessage($"{count} of {Permits} were to be had");
        Assert.InRange(count, 0.98 * Permits, Permits);
    }

    [Fact]
    public async Task A8_F10_Logins_and_wrong_passwords_are_counted_over_all_nodes_together()
    {
        await StartAsync(3600);
        var answers = new List<(HttpStatusCode, string)>();
        // One login was there before; thirteen tries are for the first account, ten for the second.
        for (var i = 0; i < 23; i++)
        {
            using var http = new HttpClient { BaseAddress = nodes[i % nodes.Count].Address };
            using var answer = await http.PostAsJsonAsync(
                "/api/v1/auth/login",
                new { email = i < 13 ? "somebody@example.org" : "another@example.org", password = "not the password" },
                Cancelled
            );
            answers.Add(
                (answer.StatusCode, answer.Headers.GetValues("RateLimit-Policy").Single().Split(';')[0].Trim('"'))
            );
        }
        Assert.Equal(
            (16, 3, 4),
            (
                answers.Count(answer => answer.Item1 is HttpStatusCode.Unauthorized),
                answers.Count(answer => answer is (HttpStatusCode.TooManyRequests, "login_account")),
                answers.Count(answer => answer is (HttpStatusCode.TooManyRequests, "login"))
            )
        );
    }

    static async Task<HttpStatusCode> AskAsync(HttpClient client)
    {
        using var answer = await client.GetAsync("/api/v1/me", Cancelled);
        return answer.StatusCode;
    }

    /// <summary>A window of the cluster, as answers tell of it.</summary>
    sealed record Window(double Ends, int Accepted, int Refused);

    /// <summary>Ten times what the limit allows, from clients at all nodes.</summary>
    sealed class Demand : IAsyncDisposable
    {
        readonly CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        readonly double started = Now;
        readonly Task[] clients;
        readonly int windowSeconds;

        public Demand(List<ApiNode> nodes, string token, int windowSeconds)
        {
            this.windowSeconds = windowSeconds;
            clients =
            [
                .. nodes.SelectMany(node =>
                    Enumerable.Range(0, Clients).Select(_ => RunAsync(node, token, nodes.Count))
                ),
            ];
        }

        /// <summary>
        /// For each request that was accepted, when its window ends by its own answer, to the second above.
        /// </summary>
        public ConcurrentQueue<double> Accepted { get; } = new();

        /// <summary>For each request that was refused the same, less exactly.</summary>
        public ConcurrentQueue<double> Refused { get; } = new();

        public ConcurrentDictionary<HttpStatusCode, int> Others { get; } = new();

        /// <summary>Seconds since 1970.</summary>
        public static double Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;

        /// <summary>An answer that took long tells of an end that is too late, or too early, by as much.</summary>
        public List<Window> Windows()
        {
            var windows = new List<Window>();
            foreach (var ends in Accepted.Order())
                if (windows is [.., var last] && ends < last.Ends + windowSeconds / 2.0)
                    windows[^1] = last with { Accepted = last.Accepted + 1 };
                else
                    windows.Add(new(ends, 1, 0));
            foreach (var ends in Refused)
                if (windows.FindIndex(window => Math.Abs(window.Ends - ends) < windowSeconds / 2.0) is >= 0 and var at)
                    windows[at] = windows[at] with { Refused = windows[at].Refused + 1 };
            return windows;
        }

        /// <summary>
        /// Windows that have begun and ended under this load, as far as the machine could make it so much that the
        /// limit was reached.
        /// </summary>
        public List<Window> Whole() =>
            [
                .. Windows()
                    .Where(window =>
                        window.Ends > started + windowSeconds + 1 && window.Ends < Now && window.Refused > Permits / 4
                    ),
            ];

        public async Task StopAsync()
        {
            await enough.CancelAsync();
            await Task.WhenAll(clients);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            enough.Dispose();
        }

        async Task RunAsync(ApiNode node, string token, int count)
        {
            using var client = node.Client(token);
            using var pace = new PeriodicTimer(
                TimeSpan.FromSeconds((double)count * Clients * windowSeconds / (10 * Permits))
            );
            while (!enough.IsCancellationRequested && !node.HasExited)
                try
                {
                    await pace.WaitForNextTickAsync(enough.Token);
                    using var answer = await client.GetAsync("/api/v1/me", enough.Token);
                    var left = answer.Headers.TryGetValues("RateLimit", out var said)
                        ? double.Parse(said.Single().Split(";t=")[1], CultureInfo.InvariantCulture)
                        : 0;
                    if (answer.StatusCode is HttpStatusCode.OK)
                        Accepted.Enqueue(
                            (await answer.Content.ReadFromJsonAsync<JsonElement>(enough.Token))
                                .GetProperty("meta")
                                .GetProperty("timestamp")
                                .GetDateTimeOffset()
                                .ToUnixTimeMilliseconds() / 1000.0
                                + left
                        );
                    else if (answer.StatusCode is HttpStatusCode.TooManyRequests)
                        Refused.Enqueue(answer.Headers.Date!.Value.ToUnixTimeSeconds() + left);
                    else
                        Others.AddOrUpdate(answer.StatusCode, 1, (_, seen) => seen + 1);
                }
                catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
                {
                    // The node was killed, or it is enough.
                }
        }
    }
}
