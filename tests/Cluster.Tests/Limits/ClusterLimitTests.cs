using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Resources.Cluster.Tests;

/// <summary>Limits of a whole cluster: never more than the limit, and hardly less.</summary>
[Collection(Processes.Alone)]
[Trait("Conformance", "F10")]
public sealed class ClusterLimitTests(TestPostgres postgres) : IAsyncDisposable
{
    const int Permits = 1_000;
    const int Lease = Permits / 128;
    const int Windows = 5;

    /// <summary>At each node.</summary>
    const int Clients = 10;

    readonly List<ServerProcess> nodes = [];
    string token = "";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    async Task StartAsync(int windowSeconds)
    {
        var database = await postgres.CreateDatabaseAsync();
        var cluster = $"limits-{Guid.NewGuid():n}";
        (string, string)[] options =
        [
            ("RateLimits:Default:Permits", $"{Permits}"),
            ("RateLimits:Default:WindowSeconds", $"{windowSeconds}"),
            ("RateLimits:Login:Permits", "20"),
            ("RateLimits:Login:WindowSeconds", "3600"),
            ("RateLimits:LoginAccount:Permits", "10"),
            ("RateLimits:LoginAccount:WindowSeconds", "3600"),
        ];
        // The first one is alone when it is asked: it counts for the caller, and goes on to.
        nodes.Add(ServerProcess.Start(database, cluster, options: options));
        await nodes[0].ReadyAsync();
        token = await nodes[0].SignInAsync();
        using (var first = nodes[0].Client(token))
            Assert.Equal(HttpStatusCode.OK, await AskAsync(first));
        for (var i = 1; i < 4; i++)
            nodes.Add(ServerProcess.Start(database, cluster, options: options));
        foreach (var node in nodes)
            await node.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    /// <summary>In the longer window, the node that counts is replaced.</summary>
    [Theory, InlineData("a node", 3, 5), InlineData("the node that counts", 0, 10)]
    public async Task Four_overloaded_nodes_accept_exactly_the_limit_per_window_though_one_is_killed(
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
            $"{what} killed: of {Permits} in windows of {windowSeconds} s "
                + $"{string.Join(", ", load.Windows().Select(Describe))}; {string.Join(", ", load.Others)}"
        );
        Assert.True(
            load.Others.Keys.All(status => status is HttpStatusCode.ServiceUnavailable),
            "Other answers than 200, 429 and 503."
        );
        Assert.True(whole.Count >= Windows, $"Only {whole.Count} whole windows.");
        Assert.All(load.Windows(), window => Assert.InRange(window.Accepted, 0, Permits + Lease));
        foreach (var window in whole)
        {
            var hit = killed is 0 && IsHit(window);
            // A node that is killed takes its lease along, and the one that counts those that are under way to the
            // others.
            Assert.InRange(
                window.Accepted,
                hit ? Permits - nodes.Count * Lease : 0.98 * Permits,
                hit ? Permits + Lease : Permits
            );
        }

        bool IsHit(Window window) => at > window.Ends - windowSeconds && at < window.Ends;

        string Describe(Window window) =>
            $"{window.Accepted} were accepted and {window.Refused} refused{(IsHit(window) ? " (killed)" : "")}";
    }

    [Fact]
    public async Task Unused_permits_of_other_nodes_can_be_used_at_one_node()
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
    [Trait("Conformance", "A8")]
    public async Task Logins_and_wrong_passwords_are_counted_across_all_nodes()
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

    /// <summary>A window of the cluster, as responses report it.</summary>
    sealed record Window(double Ends, int Accepted, int Refused);

    /// <summary>Load of ten times the limit, on all nodes.</summary>
    sealed class Demand : IAsyncDisposable
    {
        readonly CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        readonly double started = Now;
        readonly Task[] clients;
        readonly int windowSeconds;

        public Demand(List<ServerProcess> nodes, string token, int windowSeconds)
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
        /// For each accepted request, the end of its window as the response reports it, rounded up to a second.
        /// </summary>
        public ConcurrentQueue<double> Accepted { get; } = new();

        /// <summary>The same for each refused request, less exactly.</summary>
        public ConcurrentQueue<double> Refused { get; } = new();

        public ConcurrentDictionary<HttpStatusCode, int> Others { get; } = new();

        /// <summary>Seconds since 1970.</summary>
        public static double Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;

        /// <summary>The windows. A slow response reports an end that is wrong by its duration.</summary>
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
        /// Windows that began and ended under this load, if the machine was fast enough to reach the limit.
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

        async Task RunAsync(ServerProcess node, string token, int count)
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
                catch (Exception e) when (e is HttpRequestException or OperationCanceledException or SocketException)
                {
                    // The node was killed, or it is enough.
                }
        }
    }
}
