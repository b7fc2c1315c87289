using System.Net.WebSockets;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Events over a WebSocket, for clients that cannot send headers with a stream. Messages are JSON texts: <c>event</c>,
/// <c>caught-up</c> and <c>position</c>, each with the position from which a client may go on. The client says nothing
/// but its token, in its first message, where the handshake had none.
/// </summary>
static class EventSocket
{
    /// <summary>The subprotocol that is selected where the client offers any.</summary>
    public const string Protocol = "resources.events.v1";

    const int MaxMessage = 64 * 1024;
    const int MaxToken = 16 * 1024;

    static readonly TimeSpan TimeToAuthenticate = TimeSpan.FromSeconds(10);

    /// <summary>Refuses the handshake, or accepts it and sends until the stream ends.</summary>
    public static async Task<Answer> AcceptAsync(HttpContext context, ResourceDoor door)
    {
        var isGuest = context.User.Identity is not { IsAuthenticated: true };
        if (RefusalOf(context, isGuest) is { } refused)
            return refused;
        // A guest is told what is wrong with the parameters, but not how far the log has come.
        var (asked, faults) = await ReadQueryAsync(context, door, isGuest);
        if (faults is not [])
            return await ApiGroup.RefusalAsync(context, faults);
        if (isGuest)
            return context.RequestServices.GetRequiredService<WaitingSockets>().Enter(context) is { } place
                ? new StreamedAnswer(async _ =>
                {
                    using (place)
                        await ServeAsync(context, client => AuthenticateAsync(context, door, client, place));
                })
                : Answer.Refused(
                    ProblemType.TooManyStreams,
                    "Too many sockets of your address or of this node have not sent their token yet. "
                        + "Send it with the handshake, or try again in a moment.",
                    retryAfter: 10
                );
        var (lease, limited) = await StreamResponse.OpenAsync(context);
        return lease is null
            ? limited!
            : new StreamedAnswer(async _ =>
            {
                using (lease)
                    await ServeAsync(context, client => SendAsync(context, door, client, lease, asked));
            });
    }

    static async Task ServeAsync(HttpContext context, Func<SocketClient, Task<SocketClose>> serve)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync(
            context.WebSockets.WebSocketRequestedProtocols is [] ? null : Protocol
        );
        using var client = new SocketClient(socket, context.RequestAborted);
        try
        {
            await client.CloseAsync(await serve(client));
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The client is gone, or has taken nothing for too long.
            context.Abort();
        }
    }

    /// <summary>Why the handshake is refused; null when it is not.</summary>
    static Answer? RefusalOf(HttpContext context, bool isGuest)
    {
        var sockets = context.WebSockets;
        var request = context.Request;
        if (isGuest && (request.Headers.Authorization.Count > 0 || !sockets.IsWebSocketRequest))
            return Answer.Refused(
                ProblemType.Unauthenticated,
                "Send a valid access token: with the handshake, as Authorization: Bearer <token>, or in the first message."
            );
        if (!isGuest && context.Caller().Permissions.ScopeOf(Permissions.ResourceRead).IsNothing)
            return Answer.Refused(ProblemType.Forbidden, "The caller lacks the permission for this.");
        if (!sockets.IsWebSocketRequest)
            return Answer.Refused(
                ProblemType.UpgradeRequired,
                "Open a WebSocket here, or read /events.",
                headers: [("Connection", "Upgrade"), ("Upgrade", "websocket")]
            );
        if (!IsKnownOrigin(request, context.RequestServices.GetRequiredService<OriginOptions>()))
            return Answer.Refused(ProblemType.Forbidden, "Pages of this origin may not open WebSockets here.");
        if (sockets.WebSocketRequestedProtocols is not [] && !sockets.WebSocketRequestedProtocols.Contains(Protocol))
            return Answer.Invalid([
                new(
                    "header:Sec-WebSocket-Protocol",
                    "UNKNOWN_SUBPROTOCOL",
                    $"The subprotocol here is {Protocol}; none need be offered."
                ),
            ]);
        return null;
    }

    /// <summary>
    /// Browsers say which page opens a WebSocket, and let any page do it: those of others are turned away here.
    /// </summary>
    internal static bool IsKnownOrigin(HttpRequest request, OriginOptions origins) =>
        request.Headers.Origin switch
        {
            [] => true,
            [{ } origin] => origins.Knows(origin, request),
            _ => false,
        };

    /// <summary>Reads the parameters; for guests every position counts as reached.</summary>
    static async Task<(EventQuery Asked, IReadOnlyList<Fault> Faults)> ReadQueryAsync(
        HttpContext context,
        ResourceDoor door,
        bool isGuest
    )
    {
        var query = new QueryReader(context.Request);
        var head = isGuest ? long.MaxValue : await door.HeadAsync(context.RequestAborted);
        return (EventQuery.Read(context, query, null, head), query.Faults);
    }

    /// <summary>Waits for the token, and sends to whom it belongs.</summary>
    static async Task<SocketClose> AuthenticateAsync(
        HttpContext context,
        ResourceDoor door,
        SocketClient client,
        NetworkPlace place
    )
    {
        Overload.Waits(context);
        var services = context.RequestServices;
        var leaving = services.GetRequiredService<StopSignal>().Token;
        var first = client.ReceiveAsync(MaxMessage);
        // Waiting ends without the receiving, which could not be cancelled without losing the connection.
        await Task.WhenAny(first, Task.Delay(TimeToAuthenticate, leaving));
        if (!first.IsCompleted)
            return leaving.IsCancellationRequested
                ? SocketClose.Of(StreamEnd.NodeStops)
                : SocketClose.Of(ProblemType.RequestTimeout);
        var message = await first;
        place.Dispose();
        if (client.HasClosed)
            return SocketClose.Normal;
        if (TokenIn(message) is not { } token)
            return SocketClose.Of(ProblemType.ValidationFailed);
        if (await services.GetRequiredService<Credentials>().FindAsync(token) is not { } caller)
            return SocketClose.Of(ProblemType.Unauthenticated);
        if (caller.Permissions.ScopeOf(Permissions.ResourceRead).IsNothing)
            return SocketClose.Of(ProblemType.Forbidden);
        try
        {
            if (!await services.GetRequiredService<RateLimits>().TakeAsync(RateLimits.Streams, caller.Id))
                return SocketClose.Of(ProblemType.RateLimited);
            var (asked, faults) = await ReadQueryAsync(context, door, isGuest: false);
            if (faults is not [])
                return SocketClose.Of(ProblemType.ValidationFailed, faults[0].Code);
            using var lease = door.Open(caller);
            return lease is null
                ? SocketClose.Of(ProblemType.TooManyStreams)
                : await SendAsync(context, door, client, lease, asked);
        }
        catch (ProblemException e)
        {
            return SocketClose.Of(e.Type);
        }
        catch (StoreOverloadedException)
        {
            return SocketClose.Of(ProblemType.Overloaded);
        }
        catch (StoreUnavailableException)
        {
            return SocketClose.Of(ProblemType.StoreUnavailable);
        }
        catch (Exception e) when (e is Orleans.Runtime.OrleansException or TimeoutException)
        {
            return SocketClose.Of(ProblemType.ClusterUnavailable);
        }
    }

    /// <summary>The token of an <c>authenticate</c> message; null when it is anything else.</summary>
    static string? TokenIn(ReadOnlyMemory<byte>? message)
    {
        var faults = new List<Fault>();
        using var document = message is { } text ? StrictJson.Read(text, faults) : null;
        if (document is null)
            return null;
        var reader = new ObjectReader(document.RootElement, faults);
        var type = reader.Text("type", 1, 32);
        var token = reader.Text("token", 1, MaxToken);
        reader.RefuseOthers();
        return faults is [] && type is "authenticate" ? token : null;
    }

    /// <summary>Sends events until the lease ends or the client says anything; answers why.</summary>
    static async Task<SocketClose> SendAsync(
        HttpContext context,
        ResourceDoor door,
        SocketClient client,
        StreamLease lease,
        EventQuery asked
    )
    {
        var heartbeat = context.RequestServices.GetRequiredService<StreamOptions>().Heartbeat;
        using var spoken = new CancellationTokenSource();
        var word = CancelAfterAsync(client.ReceiveAsync(1), spoken);
        var caughtUp = false;
        var reached = asked.After;
        while (true)
        {
            // Taken before the lease is looked at, so that no change of it falls between.
            using var until = CancellationTokenSource.CreateLinkedTokenSource(spoken.Token, lease.Changed);
            if (lease.End is { } end)
                return SocketClose.Of(end);
            if (spoken.IsCancellationRequested)
            {
                await word;
                return client.HasClosed ? SocketClose.Normal : SocketClose.Of(ProblemType.ValidationFailed);
            }
            try
            {
                await foreach (var page in door.FollowAsync(lease, asked.Filter, reached, heartbeat, until.Token))
                {
                    foreach (var logged in page.Events)
                    {
                        await client.SendAsync("event", logged.Position, logged.Json);
                        reached = logged.Position;
                        until.Token.ThrowIfCancellationRequested();
                    }
                    reached = page.Reached;
                    if (page.IsLive && !caughtUp)
                        await client.SendAsync("caught-up", reached);
                    else if (page.Events is [])
                        await client.SendAsync("position", reached);
                    caughtUp |= page.IsLive;
                }
            }
            catch (OperationCanceledException) when (until.IsCancellationRequested)
            {
                // The lease has changed, or the client has said something.
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(StreamResponse.StoreRest, until.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    static async Task CancelAfterAsync(Task task, CancellationTokenSource source)
    {
        try
        {
            await task;
        }
        finally
        {
            await source.CancelAsync();
        }
    }
}
