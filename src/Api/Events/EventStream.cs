using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Resources.Projections;

namespace Resources.Api;

/// <summary>
/// Events as server-sent events, for as long as the client stays and may see them. The client's own speed is the
/// stream's: what it does not take stays in the log.
/// </summary>
static class EventStream
{
    /// <summary>What is written before the client must have taken it.</summary>
    public const int FlushAfter = 64 * 1024;

    /// <summary>A stream outlives an outage of the store; it asks again this often.</summary>
    public static readonly TimeSpan StoreRest = TimeSpan.FromMilliseconds(500);

    /// <summary>Opens the stream and sends until it ends.</summary>
    public static async Task SendAsync(HttpContext context, EventQuery asked)
    {
        using var lease = await OpenAsync(context);
        if (lease is null)
            return;
        await BeginAsync(context);
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        var feed = context.RequestServices.GetRequiredService<EventFeed>();
        var heartbeat = context.RequestServices.GetRequiredService<StreamOptions>().Heartbeat;
        var writer = context.Response.BodyWriter;
        var caughtUp = false;
        var reached = asked.After;
        while (true)
        {
            using var until = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lease.Changed);
            if (lease.End is not null)
                break;
            try
            {
                await foreach (
                    var page in feed.FollowAsync(
                        reached,
                        asked.Filter with
                        {
                            Visible = lease.Visible,
                        },
                        heartbeat,
                        until.Token
                    )
                )
                {
                    foreach (var logged in page.Events)
                    {
                        Write(writer, logged.Position, logged.Type, logged.Json.Span);
                        reached = logged.Position;
                        if (writer.UnflushedBytes > FlushAfter)
                            await writer.FlushAsync(until.Token);
                    }
                    reached = page.Reached;
                    if (page.IsLive && !caughtUp)
                        WritePosition(writer, reached, caughtUp = true);
                    else if (page.Events is [])
                        WritePosition(writer, reached, isCaughtUp: false);
                    await writer.FlushAsync(until.Token);
                }
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                // What the caller may see has changed, or the stream is over.
            }
            catch (Grains.StoreUnavailableException)
            {
                await Task.Delay(StoreRest, context.RequestAborted);
            }
        }
        await EndAsync(context, lease.End.Value);
    }

    /// <summary>Admits a stream for the caller; null when the refusal was answered already.</summary>
    /// <param name="permissions">What it needs beside reading resources.</param>
    public static async Task<StreamLease?> OpenAsync(HttpContext context, params string[] permissions)
    {
        if (
            !await context
                .RequestServices.GetRequiredService<RateLimits>()
                .TryAsync(context, RateLimits.Streams, context.CallerId())
        )
            return null;
        var lease = context
            .RequestServices.GetRequiredService<StreamAccess>()
            .Open(context.Caller(), [Permissions.ResourceRead, .. permissions]);
        if (lease is null)
        {
            context.Response.Headers.RetryAfter = "10";
            await Problems.WriteAsync(
                context,
                ProblemType.TooManyStreams,
                "Close streams that you do not need, or open this one at another node."
            );
        }
        else if (lease.End is StreamEnd.PermissionLost or StreamEnd.SessionOver or StreamEnd.TokenExpired)
        {
            lease.Dispose();
            await Problems.WriteAsync(
                context,
                lease.End is StreamEnd.PermissionLost ? ProblemType.Forbidden : ProblemType.SessionOver,
                "The caller has lost the right to this."
            );
            return null;
        }
        else
            Overload.Waits(context);
        return lease;
    }

    /// <summary>Sends the headers, and how soon a client that loses the connection is to come back.</summary>
    public static async Task BeginAsync(HttpContext context)
    {
        var response = context.Response;
        response.ContentType = StreamsEvents.MediaType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        response.BodyWriter.Write("retry: 1000\n\n"u8);
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>Writes one event with a position, from which a client may go on.</summary>
    public static void Write(PipeWriter writer, long position, string type, ReadOnlySpan<byte> data)
    {
        Span<byte> digits = stackalloc byte[20];
        position.TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
        writer.Write("id: "u8);
        writer.Write(digits[..length]);
        writer.Write("\nevent: "u8);
        writer.Write(Encoding.ASCII.GetBytes(type));
        writer.Write("\ndata: "u8);
        writer.Write(data);
        writer.Write("\n\n"u8);
    }

    /// <summary>
    /// Says how far the log was read: as an event when that is its end for the first time, else as a comment with a
    /// bare id.
    /// </summary>
    public static void WritePosition(PipeWriter writer, long position, bool isCaughtUp)
    {
        var text = position.ToString(CultureInfo.InvariantCulture);
        if (isCaughtUp)
            Write(writer, position, "caught-up", Encoding.ASCII.GetBytes($"{{\"position\":\"{text}\"}}"));
        else
            writer.Write(Encoding.ASCII.GetBytes($": position {text}\nid: {text}\n\n"));
    }

    /// <summary>Says why the stream ends, where the client should know.</summary>
    public static async Task EndAsync(HttpContext context, StreamEnd end)
    {
        if (end is StreamEnd.NodeStops || context.RequestAborted.IsCancellationRequested)
            return;
        var code = end switch
        {
            StreamEnd.TokenExpired => "TOKEN_EXPIRED",
            StreamEnd.SessionOver => ProblemType.SessionOver.Code,
            _ => ProblemType.Forbidden.Code,
        };
        context.Response.BodyWriter.Write(Encoding.ASCII.GetBytes($"event: end\ndata: {{\"code\":\"{code}\"}}\n\n"));
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
