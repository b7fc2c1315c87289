using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A response of server-sent events: admitted, begun, written and ended alike wherever there is one.</summary>
public static class StreamResponse
{
    /// <summary>What is written before the client must have taken it.</summary>
    public const int FlushAfter = 64 * 1024;

    /// <summary>A stream outlives an outage of the store; it asks again this often.</summary>
    public static readonly TimeSpan StoreRest = TimeSpan.FromMilliseconds(500);

    /// <summary>Admits a stream for the caller, or says why not.</summary>
    /// <param name="permissions">What it needs beside reading resources.</param>
    public static async Task<(StreamLease? Lease, Answer? Refused)> OpenAsync(
        HttpContext context,
        params string[] permissions
    )
    {
        var services = context.RequestServices;
        var caller = context.Caller();
        if (
            await services.GetRequiredService<RateLimits>().RefusalAsync(context, RateLimits.Streams, caller.Id) is
            { } refused
        )
            return (null, refused);
        var lease = services.GetRequiredService<ResourceDoor>().Open(caller, permissions);
        if (lease is null)
        {
            var options = services.GetRequiredService<StreamOptions>();
            return (
                null,
                Answer.Refused(
                    ProblemType.TooManyStreams,
                    $"A caller may have {options.MaxPerCaller} streams on a node, and a node {options.MaxPerNode} in all. "
                        + "Close those that you do not need, or open this one at another node.",
                    retryAfter: 10
                )
            );
        }
        if (lease.End is StreamEnd.PermissionLost or StreamEnd.SessionOver or StreamEnd.TokenExpired)
        {
            lease.Dispose();
            return (
                null,
                Answer.Refused(
                    lease.End is StreamEnd.PermissionLost ? ProblemType.Forbidden : ProblemType.SessionOver,
                    "The caller has lost the right to this."
                )
            );
        }
        Overload.Waits(context);
        return (lease, null);
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
