using System.Buffers;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Operations over a WebSocket, by the protocol of graphql-ws.</summary>
sealed class GraphSocket(HttpContext context, WebSocket socket, GraphExecutor executor, ResourceDoor door)
{
    /// <summary>The subprotocol.</summary>
    public const string Protocol = "graphql-transport-ws";

    const int MaxMessage = 64 * 1024;
    const int MaxOperations = 20;

    static readonly TimeSpan TimeToInitialise = TimeSpan.FromSeconds(10);
    static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(30);
    static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    readonly TimeProvider time = context.RequestServices.GetRequiredService<TimeProvider>();
    readonly ConcurrentDictionary<string, CancellationTokenSource> operations = new();
    readonly SemaphoreSlim sending = new(1);
    readonly CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
    Task<(ReadOnlyMemory<byte>? Text, bool IsClosed)> receiving = Task.FromResult(
        default((ReadOnlyMemory<byte>?, bool))
    );
    Caller? caller;

    /// <summary>Serves a socket until either side ends it.</summary>
    /// <param name="known">The caller of the handshake; null where the first message has to say who it is.</param>
    public async Task ServeAsync(Caller? known)
    {
        try
        {
            var close = await ReadAsync(known);
            foreach (var operation in operations.Values)
                await operation.CancelAsync();
            if (close is not null)
                await CloseAsync(close);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            context.Abort();
        }
        finally
        {
            await over.CancelAsync();
        }
    }

    /// <summary>Takes messages one after the other; answers why the socket is closed, null when the client did it.</summary>
    async Task<SocketClose?> ReadAsync(Caller? known)
    {
        var leaving = context.RequestServices.GetRequiredService<StopSignal>().Token;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(over.Token, leaving);
        var tooLate = Task.Delay(TimeToInitialise, waiting.Token);
        var stopped = Task.Delay(Timeout.Infinite, waiting.Token);
        while (true)
        {
            // Waiting ends without the receiving, which could not be cancelled without losing the connection.
            receiving = ReceiveAsync(over.Token);
            await Task.WhenAny(receiving, stopped, caller is null ? tooLate : stopped);
            if (!receiving.IsCompleted)
                return leaving.IsCancellationRequested
                    ? SocketClose.Of(StreamEnd.NodeStops)
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
                    await SendAsync("connection_ack", null);
                    break;
                case "subscribe" when caller is null:
                    return new(4401, "Unauthorized");
                case "subscribe" when caller.IsOver || caller.Expires <= time.GetUtcNow():
                    return new(4403, "Forbidden");
                case "subscribe":
                    if (Subscribe(message.RootElement) is { } refused)
                        return refused;
                    break;
                case "complete" when IdOf(message.RootElement) is { } id:
                    if (operations.TryRemove(id, out var ended))
                        await ended.CancelAsync();
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
        var ending = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
        if (operations.Count >= MaxOperations)
            return new(4429, "Too many operations");
        if (!operations.TryAdd(id, ending))
            return new(4409, $"Subscriber for {id} already exists");
        _ = RunAsync(id, request, ending);
        return null;
    }

    async Task RunAsync(string id, GraphRequest request, CancellationTokenSource ending)
    {
        // The socket goes on to read.
        await Task.Yield();
        try
        {
            if (await AnswerAsync(id, request, ending.Token) && operations.TryRemove(id, out _))
                await SendAsync("complete", id);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The operation or the socket was ended.
        }
        catch (Exception e)
        {
            var (type, detail) = Problems.Tell(e, context);
            var errors = new GraphErrors(null);
            errors.Add(new RefusedError(type, detail));
            await SendErrorsAsync(id, errors);
        }
        finally
        {
            operations.TryRemove(id, out _);
            ending.Dispose();
        }
    }

    /// <summary>Answers an operation; false when its errors were told, which end it.</summary>
    async Task<bool> AnswerAsync(string id, GraphRequest request, CancellationToken ct)
    {
        var limits = context.RequestServices.GetRequiredService<RateLimits>();
        var (prepared, errors) = executor.Prepare(caller!, request);
        if (prepared is not null && !await limits.TakeAsync(RateLimits.Default, caller!.Id))
            errors.Add(new RefusedError(ProblemType.RateLimited, "The limit is used up."));
        if (prepared is null || errors.All is not [])
            return await SendErrorsAsync(id, errors);
        if (!prepared.IsSubscription)
        {
            var outcome = await executor.RunAsync(context, caller!, request, prepared, errors, null, ct);
            if (!outcome.WasRun)
                return await SendErrorsAsync(id, outcome.Errors);
            await SendAsync("next", id, outcome.ToJson());
            return true;
        }
        var subscription = new GraphSubscription(executor, door, context, caller!);
        if (await subscription.OpenAsync(prepared, errors, null) is not null)
            return await SendErrorsAsync(id, errors);
        using var lease = door.Open(caller!);
        if (lease is null)
        {
            errors.Add(
                new RefusedError(ProblemType.TooManyStreams, "The caller, or the node, has as many streams as it may.")
            );
            return await SendErrorsAsync(id, errors);
        }
        var pulse = context.RequestServices.GetRequiredService<StreamOptions>().Heartbeat;
        await foreach (var (_, outcome) in subscription.RunAsync(lease, pulse, ct))
            if (subscription.HasEnded)
                return await SendErrorsAsync(id, outcome!.Errors);
            else if (outcome is not null)
                await SendAsync("next", id, outcome.ToJson());
        if (lease.End is StreamEnd.NodeStops)
            return false;
        var lost = new GraphErrors(null);
        lost.Add(new RefusedError(ProblemType.Forbidden, "The caller has lost the right to this."));
        return await SendErrorsAsync(id, lost);
    }

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

    async Task<bool> SendErrorsAsync(string id, GraphErrors errors)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
            errors.Write(json);
        // After an error the operation is over, and its id is free.
        if (operations.TryRemove(id, out _))
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
        var buffer = new byte[MaxMessage];
        for (var length = 0; ; )
        {
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
