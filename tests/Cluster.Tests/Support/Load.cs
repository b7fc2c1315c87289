using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Resources.Cluster.Tests;

/// <summary>
/// Clients that create, patch and read until they are stopped, and record every request. After a 503 or a lost
/// response, a client repeats the request with the same key, at the next node if it may move.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    public static readonly MediaTypeHeaderValue MergePatch = new("application/merge-patch+json");

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    readonly CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken
    );
    readonly ConcurrentQueue<Operation> operations = new();
    readonly ConcurrentBag<Guid> known = [];
    readonly Guid run = Guid.NewGuid();
    readonly HttpClient http;
    readonly Uri[] nodes;
    readonly bool moves;
    readonly Task[] clients;

    Load(string token, Uri[] nodes, int clients, bool moves)
    {
        // Keys make a request safe to repeat, but the repetition is ours: the handler sends each request once.
        http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) })
        {
            Timeout = Patience,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };
        this.nodes = nodes;
        this.moves = moves;
        this.clients = [.. Enumerable.Range(0, clients).Select(client => Task.Run(() => RunAsync(client)))];
    }

    /// <summary>Every request that has ended.</summary>
    public IReadOnlyCollection<Operation> Operations => operations;

    /// <summary>
    /// The slowest recent success: the time that this machine, which may be busy, needs without a fault. Limits during
    /// a fault are added to it.
    /// </summary>
    public TimeSpan Ordinary =>
        operations.Where(operation => operation.Succeeded).TakeLast(200).Max(operation => operation.Took);

    /// <summary>
    /// Starts clients, spread evenly over the nodes. Those that may move take the next node after a lost response or a
    /// closed connection.
    /// </summary>
    public static Load Start(string token, IEnumerable<ServerProcess> nodes, int clients = 9, bool moves = true) =>
        new(token, [.. nodes.Select(node => node.Address)], clients, moves);

    /// <summary>Waits until so many more requests have succeeded.</summary>
    public async Task SucceedsAsync(int requests, TimeSpan within)
    {
        var target = operations.Count(operation => operation.Succeeded) + requests;
        await Eventually.HoldsAsync(
            () => operations.Count(operation => operation.Succeeded) >= target,
            within,
            () => $"{requests} more requests succeed"
        );
    }

    /// <summary>Stops the clients. Each finishes its current request.</summary>
    public async Task<History> StopAsync()
    {
        await enough.CancelAsync();
        await Task.WhenAll(clients);
        return new(operations);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        http.Dispose();
        enough.Dispose();
    }

    async Task RunAsync(int client)
    {
        var random = new Random(client);
        for (var (i, at) = (0, client); !enough.IsCancellationRequested; i++)
        {
            var kind = Kind.Create;
            var resource = Guid.Empty;
            if (i % 4 is not 0)
            {
                kind = random.Next(2) is 0 ? Kind.Patch : Kind.Get;
                resource = known.ElementAt(random.Next(Math.Min(known.Count, 30)));
            }
            var name = kind is Kind.Get ? null : $"{run:n} client {client} request {i}";
            var key = $"{client}-{i}-{Guid.NewGuid()}";
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < Patience && !enough.IsCancellationRequested; )
            {
                var operation = await SendAsync(kind, resource, name, key, nodes[at % nodes.Length]);
                operations.Enqueue(operation);
                if (operation is { Kind: Kind.Create, Succeeded: true })
                    known.Add(operation.Resource);
                if (moves && (operation.Status is null || operation.Leave))
                    at++;
                if (operation.Status is not (null or HttpStatusCode.ServiceUnavailable))
                    break;
                await Task.Delay(20);
            }
        }
    }

    async Task<Operation> SendAsync(Kind kind, Guid resource, string? name, string key, Uri node)
    {
        using var request = kind switch
        {
            Kind.Create => new HttpRequestMessage(HttpMethod.Post, new Uri(node, "/api/v1/resources"))
            {
                Content = JsonContent.Create(new { name }),
            },
            Kind.Patch => new HttpRequestMessage(HttpMethod.Patch, new Uri(node, $"/api/v1/resources/{resource}"))
            {
                Content = JsonContent.Create(new { name }, MergePatch),
            },
            _ => new HttpRequestMessage(HttpMethod.Get, new Uri(node, $"/api/v1/resources/{resource}")),
        };
        if (kind is not Kind.Get)
            request.Headers.Add("Idempotency-Key", key);
        var invoked = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await http.SendAsync(request);
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
            var returned = Stopwatch.GetTimestamp();
            if (!answer.IsSuccessStatusCode)
                return new(
                    kind,
                    resource,
                    name,
                    node,
                    invoked,
                    returned,
                    answer.StatusCode,
                    body.GetProperty("code").GetString(),
                    0,
                    null
                );
            var data = body.GetProperty("data");
            return new(
                kind,
                data.GetProperty("id").GetGuid(),
                name,
                node,
                invoked,
                returned,
                answer.StatusCode,
                null,
                data.GetProperty("version").GetInt64(),
                data.GetProperty("name").GetString(),
                answer.Headers.ConnectionClose is true
            );
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException or SocketException)
        {
            return new(kind, resource, name, node, invoked, Stopwatch.GetTimestamp(), null, e.Message, 0, null);
        }
    }
}
