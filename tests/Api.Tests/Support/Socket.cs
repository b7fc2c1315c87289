using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>A client of the WebSocket of events.</summary>
sealed class Socket : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    readonly ClientWebSocket socket = new();
    readonly CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken
    );
    readonly byte[] buffer = new byte[2 << 20];

    Socket() => enough.CancelAfter(TimeSpan.FromMinutes(2));

    /// <summary>The status of the handshake: 101, or that of a refusal.</summary>
    public int Status => (int)socket.HttpStatusCode;

    public string? SubProtocol => socket.SubProtocol;

    /// <summary>Code and reason of the server's close.</summary>
    public (int Code, string? Reason) Closed => ((int?)socket.CloseStatus ?? 0, socket.CloseStatusDescription);

    /// <summary>Opens a WebSocket; one that is refused has only its status.</summary>
    /// <param name="token">Sent in the header; null = no header.</param>
    public static async Task<Socket> OpenAsync(
        Uri address,
        string? token,
        string parameters,
        Action<ClientWebSocketOptions>? options = null
    )
    {
        var opened = new Socket();
        opened.socket.Options.CollectHttpResponseDetails = true;
        if (token is not null)
            opened.socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
        options?.Invoke(opened.socket.Options);
        try
        {
            await opened.socket.ConnectAsync(
                new UriBuilder(address)
                {
                    Scheme = "ws",
                    Path = "/api/v1/events/ws",
                    Query = parameters,
                }.Uri,
                opened.enough.Token
            );
        }
        catch (WebSocketException) when (opened.Status is not 101)
        {
            // Refused.
        }
        return opened;
    }

    public Task AuthenticateAsync(string token) => SendAsync($$"""{"type":"authenticate","token":"{{token}}"}""");

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public Task SendAsync(byte[] message, WebSocketMessageType type) =>
        socket.SendAsync(message, type, endOfMessage: true, enough.Token);

    /// <summary>The next message; null after a close, which is then answered.</summary>
    public async Task<JsonElement?> NextAsync()
    {
        for (var length = 0; ; )
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), enough.Token).AsTask().WaitAsync(Patience);
            if (part.MessageType is WebSocketMessageType.Close)
            {
                if (socket.State is WebSocketState.CloseReceived)
                    await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, enough.Token);
                return null;
            }
            length += part.Count;
            if (part.EndOfMessage)
                return JsonElement.Parse(buffer.AsSpan(0, length));
        }
    }

    /// <summary>The next event; other messages are skipped.</summary>
    public async Task<JsonElement> EventAsync()
    {
        while (await NextAsync() is { } message)
            if (message.GetProperty("type").GetString() is "event")
                return message;
        throw new EndOfStreamException($"The server has closed: {Closed}");
    }

    /// <summary>All events up to the end of the log.</summary>
    public async Task<List<JsonElement>> CatchUpAsync()
    {
        var events = new List<JsonElement>();
        while (await NextAsync() is { } message)
        {
            if (message.GetProperty("type").GetString() is "caught-up")
                return events;
            events.Add(message);
        }
        throw new EndOfStreamException($"The server has closed: {Closed}");
    }

    /// <summary>Closes in order.</summary>
    public Task CloseAsync() => socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, enough.Token);

    public static long Position(JsonElement message) =>
        long.Parse(message.GetProperty("position").GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The resource of an event.</summary>
    public static Guid Subject(JsonElement message) => message.GetProperty("event").GetProperty("subject").GetGuid();

    public async ValueTask DisposeAsync()
    {
        await enough.CancelAsync();
        socket.Dispose();
        enough.Dispose();
    }
}
