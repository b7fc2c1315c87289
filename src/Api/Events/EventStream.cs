using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Events as server-sent events, for as long as the client stays and may see them. The client's own speed is the
/// stream's: what it does not take stays in the log.
/// </summary>
static class EventStream
{
    /// <summary>Opens a stream of events.</summary>
    public static async Task<Answer> FollowAsync(HttpContext context, ResourceDoor door, EventQuery asked)
    {
        var (lease, refused) = await StreamResponse.OpenAsync(context);
        if (lease is null)
            return refused!;
        return new StreamedAnswer(async _ =>
        {
            using (lease)
                await SendAsync(context, door, lease, asked);
        });
    }

    static async Task SendAsync(HttpContext context, ResourceDoor door, StreamLease lease, EventQuery asked)
    {
        await StreamResponse.BeginAsync(context);
        if (HttpMethods.IsHead(context.Request.Method))
            return;
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
                await foreach (var page in door.FollowAsync(lease, asked.Filter, reached, heartbeat, until.Token))
                {
                    foreach (var logged in page.Events)
                    {
                        StreamResponse.Write(writer, logged.Position, logged.Type, logged.Json.Span);
                        reached = logged.Position;
                        if (writer.UnflushedBytes > StreamResponse.FlushAfter)
                            await writer.FlushAsync(until.Token);
                    }
                    reached = page.Reached;
                    if (page.IsLive && !caughtUp)
                        StreamResponse.WritePosition(writer, reached, caughtUp = true);
                    else if (page.Events is [])
                        StreamResponse.WritePosition(writer, reached, isCaughtUp: false);
                    await writer.FlushAsync(until.Token);
                }
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                // What the caller may see has changed, or the stream is over.
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(StreamResponse.StoreRest, context.RequestAborted);
            }
        }
        await StreamResponse.EndAsync(context, lease.End.Value);
    }
}
