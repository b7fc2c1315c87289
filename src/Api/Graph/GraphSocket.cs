using System.Buffers;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Operations over a WebSocket, by the protocol of graphql-ws.</summary>
/// <param name="place">The place of a guest who has not said who it is; null for others.</param>
sealed class GraphSocket(
    HttpContext context,
    WebSocket socket,
    GraphExecutor executor,
    ResourceDoor door,
    IDisposable? place
)
{
    /// <summary>The subprotocol.</summary>
    public const string Protocol = "graphql-transport-ws";

    const int MaxMessage = 64 * 1024;
    const int FirstBuffer = 4 * 1024;
    const int MaxOperations = 20;

    static readonly TimeSpan TimeToInitialise = TimeSpan.FromSeconds(10);
    static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(30);
    static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    readonly TimeProvider time = context.RequestServices.GetRequiredService<TimeProvider>();
    readonly ConcurrentDictionary<string, Operation> operations = new();

    /// <summary>Those that have not come to their end, though the client may have given up their ids.</summary>
    readonly ConcurrentDictionary<Operation, bool> running = new();

    /// <summary>Completed when the whole socket is to be closed, not an operation of it.</summary>
    readonly TaskCompletionSource<StreamEnd> leaves = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly SemaphoreSlim sending = new(1);
    readonly CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
    Task<(ReadOnlyMemory<byte>? Text, bool IsClosed)> receiving = Task.FromResult(
        default((ReadOnlyMemory<byte>?, bool))
    );
    Caller? caller;

    /// <summary>One operation, and how it is ended.</summary>
    sealed class Operation(CancellationToken over) : IDisposable
    {
        readonly CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(over);

        public Task Running { get; private set; } = Task.CompletedTask;

        public void Start(Func<CancellationToken, Task> run)
        {
            var token = ending.Token;
            Running = Task.Run(() => run(token));
        }

        public async Task EndAsync()
        {
            try
            {
                await ending.CancelAsync();
            }
            catch (ObjectDisposedException)
            {
                // It has come to its end meanwhile.
            }
        }

        public void Dispose() => ending.Dispose();
    }

    /// <summary>Serves a socket until either side ends it.</summary>
    /// <param name="known">The caller of the handshake; null where the first message has to say who it is.</param>
    public async Task ServeAsync(Caller? known)
    {
        try
        {
            var close = await ReadAsync(known);
            // One that still sends to a client that does not read is ended with the socket.
            await EndOperationsAsync().WaitAsync(CloseTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await CloseAsync(close);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            context.Abort();
        }
        finally
        {
            await over.CancelAsync();
            // They use the request.
            await EndOperationsAsync();
        }
    }

    async Task EndOperationsAsync()
    {
        foreach (var operation in running.Keys)
        {
            await operation.EndAsync();
            await operation.Running;
        }
    }

    /// <summary>Takes messages one after the other; answers why the socket is closed.</summary>
    async Task<SocketClose> ReadAsync(Caller? known)
    {
        var leaving = context.RequestServices.GetRequiredService<StopSignal>().Token;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(over.Token, leaving);
        var tooLate = Task.Delay(TimeToInitialise, waiting.Token);
        var stopped = Task.Delay(Timeout.Infinite, waiting.Token);
        while (true)
        {
            // Waiting ends without the receiving, which could not be cancelled without losing the connection.
            receiving = ReceiveAsync(over.Token);
            await Task.WhenAny(receiving, stopped, leaves.Task, caller is null ? tooLate : stopped);
            if (!receiving.IsCompleted)
                return leaves.Task.IsCompletedSuccessfully ? SocketClose.Of(await leaves.Task)
                    : leaving.IsCancellationRequested ? SocketClose.Of(StreamEnd.NodeStops)
                    : new(4408, "Connection initialisation timeout");
            var (text, isClosed) = await receiving;
            if (isClosed)
                return SocketClose.Normal;
            var faults = new List<Fault>();
            using var message = text is { } bytes ? StrictJson.Read(bytes, faults) : null;
            if (message is null || TypeOf(message.RootElement) is not { } type)
                return new(4400, "Invalid message");
            switch (type)
            {
                case "ping":
                    await SendAsync("pong", null);
                    break;
                case "pong":
                    break;
                case "connection_init" when caller is not null:
                    return new(4429, "Too many initialisation requests");
                case "connection_init":
                    if ((caller = known ?? await CallerOfAsync(message.RootElement)) is null)
                        return new(4403, "Forbidden");
                    place?.Dispose();
                    await SendAsync("connection_ack", null);
                    break;
                case "subscribe" when caller is null:
                    return new(4401, "Unauthorized");
                case "subscribe" when caller.IsUncertain:
                    return SocketClose.Of(StreamEnd.NodeStops);
                case "subscribe" when caller.IsOver || caller.Expires <= time.GetUtcNow():
                    return new(4403, "Forbidden");
                case "subscribe":
                    if (Subscribe(message.RootElement) is { } refused)
                        return refused;
                    break;
                case "complete" when IdOf(message.RootElement) is { } id:
                    if (operations.TryRemove(id, out var ended))
                        await ended.EndAsync();
                    break;
                default:
                    return new(4400, "Invalid message");
            }
        }
    }

    SocketClose? Subscribe(JsonElement message)
    {
        var faults = new List<Fault>();
        if (
            IdOf(message) is not { } id
            || !message.TryGetProperty("payload", out var payload)
            || GraphRequest.Read(payload, faults) is not { } request
        )
            return new(4400, "Invalid message");
        var operation = new Operation(over.Token);
        if (running.Count >= MaxOperations)
            return new(4429, "Too many operations");
        if (!operations.TryAdd(id, operation))
            return new(4409, $"Subscriber for {id} already exists");
        running.TryAdd(operation, true);
        // The socket goes on to read.
        operation.Start(ending => RunAsync(id, request, operation, ending));
        return null;
    }

    async Task RunAsync(string id, GraphRequest request, Operation operation, CancellationToken ending)
    {
        // Whose id may be another one's by now.
        bool Remove() => operations.TryRemove(new(id, operation));
        try
        {
            try
            {
                if (await AnswerAsync(id, request, Remove, ending) && Remove())
                    await SendAsync("complete", id);
            }
            catch (Exception e) when (e is not (WebSocketException or OperationCanceledException))
            {
                var (type, detail) = Problems.Tell(e, context);
                var errors = new GraphErrors(null);
                errors.Add(new RefusedError(type, detail));
                await SendErrorsAsync(id, errors, Remove);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The operation or the socket was ended.
        }
        finally
        {
            Remove();
            running.TryRemove(operation, out _);
            operation.Dispose();
        }
    }

    /// <summary>Answers an operation; false when its errors were told, which end it.</summary>
    async Task<bool> AnswerAsync(string id, GraphRequest request, Func<bool> remove, CancellationToken ct)
    {
        var limits = context.RequestServices.GetRequiredService<RateLimits>();
        if (!await limits.TakeAsync(RateLimits.Default, caller!.Id))
            return await SendErrorsAsync(id, UsedUp(), remove);
        var (prepared, errors) = await executor.PrepareAsync(caller, request, ct);
        if (prepared is null)
            return await SendErrorsAsync(id, errors, remove);
        if (prepared.IsSubscription && !await limits.TakeAsync(RateLimits.Streams, caller.Id))
            return await SendErrorsAsync(id, UsedUp(), remove);
        if (!prepared.IsSubscription)
        {
            var outcome = await GraphEndpoint.ExecuteAsync(context, caller!, executor, request, prepared, errors, ct);
            if (!outcome.HasBegun)
                return await SendErrorsAsync(id, outcome.Errors, remove);
            await NextAsync(id, outcome, ct);
            return true;
        }
        var subscription = new GraphSubscription(executor, door, context, caller!);
        if (await subscription.OpenAsync(request, prepared, errors, null) is { } refused)
            return await SendErrorsAsync(id, refused.Errors, remove);
        using var lease = door.Open(caller!);
        if (lease is null)
        {
            errors.Add(
                new RefusedError(ProblemType.TooManyStreams, "The caller, or the node, has as many streams as it may.")
            );
            return await SendErrorsAsync(id, errors, remove);
        }
        var pulse = context.RequestServices.GetRequiredService<StreamOptions>().Heartbeat;
        await foreach (var (_, outcome) in subscription.RunAsync(lease, pulse, ct))
            if (subscription.HasEnded)
                return await SendErrorsAsync(id, outcome!.Errors, remove);
            else if (outcome is not null)
                await NextAsync(id, outcome, ct);
        if (lease.End is StreamEnd.PermissionLost)
            return await SendErrorsAsync(id, GraphSubscription.Lost().Errors, remove);
        // The client comes back, with another token or to another node.
        leaves.TrySetResult(lease.End ?? StreamEnd.NodeStops);
        return false;
    }

    static GraphErrors UsedUp()
    {
        var errors = new GraphErrors(null);
        errors.Add(new RefusedError(ProblemType.RateLimited, "The limit is used up."));
        return errors;
    }

    Task NextAsync(string id, GraphOutcome outcome, CancellationToken ct) =>
        outcome.SendAsync(context, caller!.Id, json => SendAsync("next", id, json), ct);

    async Task<Caller?> CallerOfAsync(JsonElement message)
    {
        if (
            !message.TryGetProperty("payload", out var payload)
            || payload.ValueKind is not JsonValueKind.Object
            || !payload.TryGetProperty("authorization", out var value)
                && !payload.TryGetProperty("Authorization", out value)
            || value.ValueKind is not JsonValueKind.String
            || value.GetString() is not { } text
        )
            return null;
        const string Bearer = "Bearer ";
        return await context
            .RequestServices.GetRequiredService<Credentials>()
            .FindAsync(text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? text[Bearer.Length..] : text);
    }

    static string? TypeOf(JsonElement message) => Text(message, "type");

    static string? IdOf(JsonElement message) => Text(message, "id") is { Length: > 0 and <= 255 } id ? id : null;

    static string? Text(JsonElement message, string name) =>
        message.ValueKind is JsonValueKind.Object
        && message.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;

    async Task<bool> SendErrorsAsync(string id, GraphErrors errors, Func<bool> remove)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
            errors.Write(json);
        // After an error the operation is over, and its id is free.
        if (remove())
            await SendAsync("error", id, output.WrittenMemory);
        return false;
    }

    async Task SendAsync(string type, string? id, ReadOnlyMemory<byte> payload = default)
    {
        var output = new ArrayBufferWriter<byte>(payload.Length + 128);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            if (id is not null)
                json.WriteString("id", id);
            if (!payload.IsEmpty)
            {
                json.WritePropertyName("payload");
                json.WriteRawValue(payload.Span, skipInputValidation: true);
            }
            json.WriteEndObject();
        }
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
        patience.CancelAfter(SendTimeout);
        await sending.WaitAsync(patience.Token);
        try
        {
            await socket.SendAsync(output.WrittenMemory, WebSocketMessageType.Text, true, patience.Token);
        }
        finally
        {
            sending.Release();
        }
    }

    async Task<(ReadOnlyMemory<byte>? Text, bool IsClosed)> ReceiveAsync(CancellationToken ct)
    {
        // Most messages are short, and most sockets wait.
        var buffer = new byte[FirstBuffer];
        for (var length = 0; ; )
        {
            if (length == buffer.Length)
                Array.Resize(ref buffer, MaxMessage);
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), ct);
            length += part.Count;
            if (part.MessageType is WebSocketMessageType.Close)
                return (null, true);
            if (part.MessageType is not WebSocketMessageType.Text)
                return (null, false);
            if (part.EndOfMessage)
                return (buffer.AsMemory(0, length), false);
            if (length == MaxMessage)
                return (null, false);
        }
    }

    async Task CloseAsync(SocketClose why)
    {
        using var patience = new CancellationTokenSource(CloseTimeout);
        await socket.CloseOutputAsync((WebSocketCloseStatus)why.Code, why.Reason, patience.Token);
        // To cancel the receiving resets the connection, and with it what the client has not read.
        await Task.WhenAny(receiving, Task.Delay(Timeout.Infinite, patience.Token));
    }
}
