using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;

namespace Resources.Cluster.Tests;

/// <summary>An event as a reader got it.</summary>
internal sealed record Read(long Position, Guid Id, Guid Resource, long Version)
{
    public static Read Of(JsonElement cloudEvent) =>
        new(
            long.Parse(cloudEvent.GetProperty("position").GetString()!, CultureInfo.InvariantCulture),
            cloudEvent.GetProperty("id").GetGuid(),
            cloudEvent.GetProperty("subject").GetGuid(),
            cloudEvent.GetProperty("resourceversion").GetInt64()
        );
}

/// <summary>A client that follows the log on any node that answers, and keeps every event.</summary>
/// <param name="got">Where it keeps it, if it is to share that with others.</param>
internal abstract class LogReader(string token, Uri[] nodes, List<Read>? got = null)
{
    readonly List<Read> got = got ?? [];

    /// <summary>Why it had to reconnect last.</summary>
    string? lastEnd;

    public string Name => GetType().Name;

    /// <summary>The kind of the events that it asks for; null = all.</summary>
    public virtual string? Kind => null;

    /// <summary>How often it had to reconnect.</summary>
    public int Connections { get; private set; }

    public Read[] Got
    {
        get
        {
            lock (got)
                return [.. got];
        }
    }

    public override string ToString() => $"{Name} {Got.LastOrDefault()?.Position} ({lastEnd})";

    protected string Token => token;

    protected HttpClient Http { get; } =
        new()
        {
            Timeout = TimeSpan.FromSeconds(30),
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };

    /// <summary>The position from which to go on.</summary>
    protected string After { get; set; } = "0";

    /// <summary>Reads until it is stopped, whatever happens to nodes.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        for (; !ct.IsCancellationRequested; Connections++)
            try
            {
                await ReadAsync(nodes[Connections % nodes.Length], ct);
            }
            catch (Exception e)
                when (e
                        is HttpRequestException
                            or IOException
                            or OperationCanceledException
                            or WebSocketException
                            or SocketException
                )
            {
                lastEnd = e.Message;
                await Task.Delay(50, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
    }

    protected abstract Task ReadAsync(Uri node, CancellationToken ct);

    protected void Keep(Read read)
    {
        lock (got)
            got.Add(read);
    }
}

/// <summary>Server-sent events, with reconnects from the last event's id.</summary>
internal sealed class StreamReader(string token, Uri[] nodes) : LogReader(token, nodes)
{
    protected override async Task ReadAsync(Uri node, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node, "/api/v1/events"));
        request.Headers.Accept.ParseAdd("text/event-stream");
        request.Headers.TryAddWithoutValidation("Last-Event-ID", After);
        using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        answer.EnsureSuccessStatusCode();
        await foreach (var item in SseParser.Create(await answer.Content.ReadAsStreamAsync(ct)).EnumerateAsync(ct))
        {
            if (item.EventType.StartsWith("resource.", StringComparison.Ordinal))
                Keep(Cluster.Tests.Read.Of(JsonElement.Parse(item.Data)));
            After = item.EventId!;
        }
    }
}

/// <summary>Pages that wait for the next event.</summary>
internal sealed class PollReader(string token, Uri[] nodes) : LogReader(token, nodes)
{
    protected override async Task ReadAsync(Uri node, CancellationToken ct)
    {
        while (true)
        {
            using var answer = await Http.GetAsync(new Uri(node, $"/api/v1/events?after={After}&limit=100&wait=5"), ct);
            answer.EnsureSuccessStatusCode();
            var page = JsonElement.Parse(await answer.Content.ReadAsByteArrayAsync(ct));
            foreach (var cloudEvent in page.GetProperty("data").EnumerateArray())
                Keep(Cluster.Tests.Read.Of(cloudEvent));
            After = page.GetProperty("meta").GetProperty("page").GetProperty("next").GetString()
                ?? page.GetProperty("meta").GetProperty("position").GetString()!;
        }
    }
}

/// <summary>A WebSocket, with the token in its first message.</summary>
internal sealed class SocketReader(string token, Uri[] nodes) : LogReader(token, nodes)
{
    protected override async Task ReadAsync(Uri node, CancellationToken ct)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(
            new UriBuilder(node)
            {
                Scheme = "ws",
                Path = "/api/v1/events/ws",
                Query = $"after={After}",
            }.Uri,
            ct
        );
        await socket.SendAsync(
            JsonSerializer.SerializeToUtf8Bytes(new { type = "authenticate", token = Token }),
            WebSocketMessageType.Text,
            true,
            ct
        );
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(length), ct);
                length += part.Count;
            } while (!part.EndOfMessage);
            if (part.MessageType is WebSocketMessageType.Close)
                throw new WebSocketException($"{socket.CloseStatus} {socket.CloseStatusDescription}");
            var message = JsonElement.Parse(buffer.AsSpan(0, length));
            if (message.TryGetProperty("event", out var cloudEvent))
                Keep(Cluster.Tests.Read.Of(cloudEvent));
            After = message.GetProperty("position").GetString()!;
        }
    }
}

/// <summary>A subscription of GraphQL by server-sent events, with reconnects from the last event's id.</summary>
internal sealed class GraphStreamReader(string token, Uri[] nodes, string? kind = null) : LogReader(token, nodes)
{
    internal const string Query =
        "subscription($after: Position, $kinds: [String!]) { events(after: $after, event: $kinds) { position id resource version } }";

    public override string? Kind => kind;

    protected override async Task ReadAsync(Uri node, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(node, "/api/v1/graphql"))
        {
            Content = JsonContent.Create(new { query = Query, variables = VariablesOf(null, kind) }),
        };
        request.Headers.Accept.ParseAdd("text/event-stream");
        request.Headers.TryAddWithoutValidation("Last-Event-ID", After);
        using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        answer.EnsureSuccessStatusCode();
        await foreach (var item in SseParser.Create(await answer.Content.ReadAsStreamAsync(ct)).EnumerateAsync(ct))
        {
            if (item.EventType is "next")
                Keep(Of(JsonElement.Parse(item.Data)));
            After = item.EventId ?? After;
        }
    }

    /// <summary>The variables of <see cref="Query"/>.</summary>
    internal static object VariablesOf(string? after, string? kind) =>
        new { after, kinds = kind is null ? null : new[] { kind } };

    /// <summary>The event of a message.</summary>
    internal static Read Of(JsonElement message)
    {
        var shown = message.GetProperty("data").GetProperty("events");
        return new(
            long.Parse(shown.GetProperty("position").GetString()!, CultureInfo.InvariantCulture),
            shown.GetProperty("id").GetGuid(),
            shown.GetProperty("resource").GetGuid(),
            shown.GetProperty("version").GetInt64()
        );
    }
}

/// <summary>A subscription of GraphQL over a WebSocket, which goes on behind the last position.</summary>
internal sealed class GraphSocketReader(string token, Uri[] nodes, string? kind = null) : LogReader(token, nodes)
{
    public override string? Kind => kind;

    protected override async Task ReadAsync(Uri node, CancellationToken ct)
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("graphql-transport-ws");
        await socket.ConnectAsync(new UriBuilder(node) { Scheme = "ws", Path = "/api/v1/graphql" }.Uri, ct);
        await SendAsync(
            socket,
            new { type = "connection_init", payload = new { authorization = "Bearer " + Token } },
            ct
        );
        await SendAsync(
            socket,
            new
            {
                type = "subscribe",
                id = "1",
                payload = new
                {
                    query = GraphStreamReader.Query,
                    variables = GraphStreamReader.VariablesOf(After, kind),
                },
            },
            ct
        );
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, ct);
            if (part.MessageType is WebSocketMessageType.Close || !part.EndOfMessage)
                throw new WebSocketException($"{socket.CloseStatus} {socket.CloseStatusDescription}");
            var message = JsonElement.Parse(buffer.AsSpan(0, part.Count));
            var type = message.GetProperty("type").GetString();
            if (type is "connection_ack")
                continue;
            // An operation that has ended leaves the socket open.
            if (type is not "next")
                throw new WebSocketException($"{message}");
            var read = GraphStreamReader.Of(message.GetProperty("payload"));
            Keep(read);
            After = read.Position.ToString(CultureInfo.InvariantCulture);
        }
    }

    static Task SendAsync(ClientWebSocket socket, object message, CancellationToken ct) =>
        socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, ct);
}

/// <summary>
/// A consumer of a group. Sometimes it dies with a lease or returns one, so that the events are delivered again.
/// </summary>
internal sealed class GroupReader(string token, Uri[] nodes, string subscription, int seed, List<Read> got)
    : LogReader(token, nodes, got)
{
    readonly Random random = new(seed);

    protected override async Task ReadAsync(Uri node, CancellationToken ct)
    {
        for (var consumer = Guid.NewGuid().ToString("n"); ; )
        {
            var batch = await PostAsync(
                node,
                "pull",
                new
                {
                    consumer,
                    limit = 50,
                    wait = 5,
                    leaseSeconds = 5,
                },
                ct
            );
            if (batch.GetProperty("lease").GetString() is not { } lease)
                continue;
            var fate = random.Next(20);
            if (fate is 0)
                return;
            if (fate is not 1)
                foreach (var one in batch.GetProperty("events").EnumerateArray())
                    Keep(Cluster.Tests.Read.Of(one.GetProperty("event")));
            await PostAsync(node, fate is 1 ? "nack" : "ack", new { lease }, ct);
        }
    }

    async Task<JsonElement> PostAsync(Uri node, string what, object body, CancellationToken ct)
    {
        using var answer = await Http.PostAsJsonAsync(
            new Uri(node, $"/api/v1/subscriptions/{subscription}/{what}"),
            body,
            ct
        );
        answer.EnsureSuccessStatusCode();
        return JsonElement.Parse(await answer.Content.ReadAsByteArrayAsync(ct)).GetProperty("data");
    }
}
