using System.Buffers;
using System.Globalization;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Operations over server-sent events, as graphql-sse has them with a connection for each: <c>next</c> for each outcome,
/// and <c>complete</c>. The id is the position, so a client that comes back goes on from there.
/// </summary>
static class GraphStream
{
    public static async Task<Answer> RunAsync(
        HttpContext context,
        GraphExecutor executor,
        ResourceDoor door,
        GraphRequest request,
        GraphPrepared prepared,
        GraphErrors errors
    )
    {
        if (!prepared.IsSubscription)
            return new StreamedAnswer(async _ =>
            {
                var outcome = await GraphEndpoint.ExecuteAsync(
                    context,
                    context.Caller(),
                    executor,
                    request,
                    prepared,
                    errors,
                    context.RequestAborted
                );
                // The client may be gone before anything is sent.
                foreach (var memory in outcome.Memory)
                    context.Response.RegisterForDispose(memory);
                await StreamResponse.BeginAsync(context);
                await SendAsync(context, null, outcome);
                await CompleteAsync(context);
            });
        if (HttpMethods.IsHead(context.Request.Method))
            return new StreamedAnswer(StreamResponse.BeginAsync);
        var faults = new List<Fault>();
        var after = await AfterOfAsync(context, door, faults);
        if (faults is not [])
            return Answer.Invalid(faults);
        var subscription = new GraphSubscription(executor, door, context, context.Caller());
        if (await subscription.OpenAsync(request, prepared, errors, after) is { } refused)
            return new StreamedAnswer(async _ =>
            {
                await StreamResponse.BeginAsync(context);
                await SendAsync(context, null, refused);
                await CompleteAsync(context);
            });
        var (lease, limited) = await StreamResponse.OpenAsync(context);
        return lease is null
            ? limited!
            : new StreamedAnswer(async _ =>
            {
                using (lease)
                    await FollowAsync(context, subscription, lease);
            });
    }

    static async Task FollowAsync(HttpContext context, GraphSubscription subscription, StreamLease lease)
    {
        await StreamResponse.BeginAsync(context);
        var pulse = context.RequestServices.GetRequiredService<StreamOptions>().Heartbeat;
        await foreach (var (position, outcome) in subscription.RunAsync(lease, pulse, context.RequestAborted))
            if (outcome is not null)
                await SendAsync(context, position, outcome);
            else
            {
                StreamResponse.WritePosition(context.Response.BodyWriter, position, isCaughtUp: false);
                await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            }
        // Without a completion the client comes back, with another token or to another node.
        if (!subscription.HasEnded && lease.End is not StreamEnd.PermissionLost)
            return;
        if (!subscription.HasEnded)
            await SendAsync(context, null, GraphSubscription.Lost());
        await CompleteAsync(context);
    }

    /// <summary>The position that a client has that comes back; null where it says nothing.</summary>
    static async Task<long?> AfterOfAsync(HttpContext context, ResourceDoor door, List<Fault> faults)
    {
        if (context.Request.Headers[EventQuery.LastEventId] is not [{ Length: > 0 } text])
            return null;
        if (
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            && position <= await door.HeadAsync(context.RequestAborted)
        )
            return position;
        faults.Add(
            new("header:" + EventQuery.LastEventId, "INVALID_POSITION", "This is no position that the log has reached.")
        );
        return null;
    }

    static Task SendAsync(HttpContext context, long? position, GraphOutcome outcome) =>
        outcome.SendAsync(
            context,
            context.Caller().Id,
            async json =>
            {
                var writer = context.Response.BodyWriter;
                if (position is { } at)
                    StreamResponse.Write(writer, at, "next", json.Span);
                else
                {
                    writer.Write("event: next\ndata: "u8);
                    writer.Write(json.Span);
                    writer.Write("\n\n"u8);
                }
                await writer.FlushAsync(context.RequestAborted);
            },
            context.RequestAborted
        );

    static async Task CompleteAsync(HttpContext context)
    {
        context.Response.BodyWriter.Write("event: complete\ndata:\n\n"u8);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
