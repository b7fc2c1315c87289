using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The other end of a WebSocket: it takes one message after the other at its own speed.</summary>
/// <param name="aborted">Cancelled when the connection is lost.</param>
sealed class SocketClient(WebSocket socket, CancellationToken aborted) : IDisposable
{
    /// <summary>A message must be taken within this time.</summary>
    static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How long the client has for its part of a close.</summary>
    static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    readonly CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(aborted);
    Task receiving = Task.CompletedTask;

    /// <summary>Whether the client has closed its side.</summary>
    public bool HasClosed => socket.State is WebSocketState.CloseReceived;

    /// <summary>
    /// The client's next text; null when it is longer than <paramref name="most"/> bytes, no text, or a close. Never
    /// two at a time.
    /// </summary>
    /// <exception cref="WebSocketException">The client is gone.</exception>
    public Task<ReadOnlyMemory<byte>?> ReceiveAsync(int most)
    {
        var next = TextAsync(most);
        receiving = next;
        return next;
    }

    /// <summary>Sends one message and waits until it was taken.</summary>
    /// <param name="logged">The JSON of an event; empty = none.</param>
    /// <exception cref="OperationCanceledException">The client did not take it in time and was cut off.</exception>
    public async Task SendAsync(string type, long position, ReadOnlyMemory<byte> logged = default)
    {
        var head = $$"""{"type":"{{type}}","position":"{{position}}"{{(logged.IsEmpty ? "}" : ",\"event\":")}}""";
        var message = ArrayPool<byte>.Shared.Rent(head.Length + logged.Length + 1);
        var length = Encoding.ASCII.GetBytes(head, message);
        if (!logged.IsEmpty)
        {
            logged.CopyTo(message.AsMemory(length));
            length += logged.Length;
            message[length++] = (byte)'}';
        }
        patience.CancelAfter(SendTimeout);
        try
        {
            await socket.SendAsync(
                message.AsMemory(0, length),
                WebSocketMessageType.Text,
                endOfMessage: true,
                patience.Token
            );
        }
        finally
        {
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            ArrayPool<byte>.Shared.Return(message);
        }
    }

    /// <summary>Says why it is over, and waits a little until the client has heard it.</summary>
    public async Task CloseAsync(SocketClose why)
    {
        patience.CancelAfter(CloseTimeout);
        await socket.CloseOutputAsync((WebSocketCloseStatus)why.Code, why.Reason, patience.Token);
        // What came before the client heard is read and dropped: a connection that ends with something unread may lose
        // the close.
        await receiving.WaitAsync(patience.Token);
        while (socket.State is WebSocketState.CloseSent)
            await ReceiveAsync(4096).WaitAsync(patience.Token);
    }

    public void Dispose() => patience.Dispose();

    async Task<ReadOnlyMemory<byte>?> TextAsync(int most)
    {
        var buffer = new byte[most];
        for (var length = 0; ; )
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), aborted);
            length += part.Count;
            if (part.MessageType is not WebSocketMessageType.Text)
                return null;
            if (part.EndOfMessage)
                return buffer.AsMemory(0, length);
            if (length == most)
                return null;
        }
    }
}

/// <summary>Why the server closes a WebSocket: the code and the reason of its close frame.</summary>
sealed record SocketClose(int Code, string Reason)
{
    /// <summary>The answer to a close of the client.</summary>
    public static readonly SocketClose Normal = new((int)WebSocketCloseStatus.NormalClosure, "");

    /// <summary>A failure: 4000 and what would be its status.</summary>
    public static SocketClose Of(ProblemType type, string? reason = null) =>
        new(4000 + type.Status, reason ?? type.Code);

    public static SocketClose Of(StreamEnd end) =>
        end switch
        {
            StreamEnd.NodeStops => new((int)WebSocketCloseStatus.EndpointUnavailable, "NODE_STOPS"),
            StreamEnd.TokenExpired => Of(ProblemType.Unauthenticated, "TOKEN_EXPIRED"),
            StreamEnd.SessionOver => Of(ProblemType.Unauthenticated, ProblemType.SessionOver.Code),
            _ => Of(ProblemType.Forbidden),
        };
}
