using System.Globalization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>The log and the history of a resource: as pages, and as streams that go on.</summary>
public static class EventEndpoints
{
    /// <summary>
    /// A filter that takes little is looked for no longer than this; the page then says how far it came.
    /// </summary>
    static readonly TimeSpan Search = TimeSpan.FromSeconds(2);

    public static void MapEvents(this RouteGroupBuilder api)
    {
        api.MapRead("/events", (HttpContext context) => ReadAsync(context, null))
            .Require(Permissions.ResourceRead)
            .WithTags("events")
            .WithName("listEvents")
            .WithSummary("Read the event log")
            .WithDescription("Returns a page of events, or a live stream with `Accept: text/event-stream`.")
            .TakesQuery([.. EventParameters.OfPages, EventParameters.Resource])
            .Streams();
        // Who calls the endpoint finds out by itself, as the first message may say it.
        api.MapSocket("/events/ws", EventSocket.AcceptAsync)
            .AllowAnonymous()
            .WithMetadata(new RequiredPermission(Permissions.ResourceRead))
            .WithTags("events")
            .WithName("openEventSocket")
            .WithSummary("Stream events over a WebSocket")
            .WithDescription(
                "Clients that cannot send headers send the token in the first message: `{\"type\":\"authenticate\",\"token\":\"…\"}`."
            )
            .TakesQuery(
                EventParameters.After,
                EventParameters.Type,
                EventParameters.Resource,
                EventParameters.Owner,
                EventParameters.Event
            )
            .TakesHeaders(EventParameters.LastEventId)
            .Refuses(426)
            .Produces(StatusCodes.Status101SwitchingProtocols);
        api.MapRead("/resources/{id}/events", HistoryAsync)
            .AddEndpointFilter(ResourceEndpoints.HideOthersAsync)
            .Require(Permissions.ResourceRead)
            .WithTags("events")
            .WithName("listResourceEvents")
            .WithSummary("Read the history of a resource")
            .WithDescription("Returns a page of events, or a live stream with `Accept: text/event-stream`.")
            .TakesPath(ResourceParameters.Id)
            .TakesQuery(EventParameters.OfPages)
            .ChecksFirst(ResourceEndpoints.ExistsAsync)
            .Streams()
            .Refuses(404);
    }

    static RouteHandlerBuilder Streams(this RouteHandlerBuilder endpoint) =>
        endpoint
            .WithMetadata(
                new StreamsEvents(
                    "With `Accept: text/event-stream`: one message for each event. "
                        + "Its `id` is the position, its `event` the type of the event, and its `data` the CloudEvent."
                )
            )
            .TakesHeaders(EventParameters.LastEventId)
            .Carries(AnswerHeaders.Position)
            .Answers<Envelope<IReadOnlyList<CloudEvent>>>(200);

    static async Task HistoryAsync(HttpContext context, string id)
    {
        var log = context.RequestServices.GetRequiredService<LogQueries>();
        if (Ids.TryParse(id, out var resource) && await log.OwnerAsync(resource, context.RequestAborted) is not null)
            await ReadAsync(context, resource);
        else
            await Problems.WriteAsync(context, ProblemType.ResourceNotFound, "There is no such resource.");
    }

    static async Task ReadAsync(HttpContext context, Guid? resource)
    {
        var services = context.RequestServices;
        var head = await services.GetRequiredService<ReadIndex>().HeadAsync(context.RequestAborted);
        var query = new QueryReader(context.Request);
        var asked = EventQuery.Read(context, query, resource, head);
        if (query.Faults is not [])
            await ApiGroup.RefuseAsync(context, query.Faults);
        else if (EventQuery.WantsStream(context))
            await EventStream.SendAsync(context, asked);
        else
            await PageAsync(
                context,
                asked,
                head,
                services.GetRequiredService<LogQueries>(),
                services.GetRequiredService<EventFeed>()
            );
    }

    static async Task PageAsync(HttpContext context, EventQuery asked, long head, LogQueries log, EventFeed feed)
    {
        var filter = asked.Filter with { Visible = context.Visible(Permissions.ResourceRead) };
        var events = new List<LogEvent>();
        var reached = asked.After;
        for (
            var started = TimeProvider.System.GetTimestamp();
            events.Count < asked.Limit && reached < head && TimeProvider.System.GetElapsedTime(started) < Search;

        )
        {
            var page = await log.PageAsync(reached, filter, asked.Limit - events.Count, context.RequestAborted);
            events.AddRange(page.Events);
            if (page.Reached == reached)
                break;
            reached = page.Reached;
        }
        if (events is [] && reached >= head && asked.Wait > TimeSpan.Zero)
        {
            // Who waits holds what a stream holds, and is bound as streams are.
            using var lease = await EventStream.OpenAsync(context);
            if (lease is null)
                return;
            (events, reached) = await WaitAsync(context, feed, lease, asked with { After = reached });
        }
        context.Response.Headers.CacheControl = "private, no-cache";
        await Answers.OkAsync<IReadOnlyList<CloudEvent>>(
            context,
            [.. events.Select(CloudEvent.Of)],
            WireJson.Default.EnvelopeIReadOnlyListCloudEvent,
            reached,
            new(asked.Limit, reached < head ? reached.ToString(CultureInfo.InvariantCulture) : null)
        );
    }

    /// <summary>
    /// The next events, or none after the time that the client waits, or when it may see less than before.
    /// </summary>
    static async Task<(List<LogEvent> Events, long Reached)> WaitAsync(
        HttpContext context,
        EventFeed feed,
        StreamLease lease,
        EventQuery asked
    )
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lease.Changed);
        enough.CancelAfter(asked.Wait);
        var reached = asked.After;
        try
        {
            await foreach (
                var page in feed.FollowAsync(
                    asked.After,
                    asked.Filter with
                    {
                        Visible = lease.Visible,
                    },
                    asked.Wait,
                    enough.Token
                )
            )
            {
                reached = page.Reached;
                if (page.Events is [_, ..])
                    return page.Events.Count <= asked.Limit
                        ? ([.. page.Events], reached)
                        : ([.. page.Events.Take(asked.Limit)], page.Events[asked.Limit - 1].Position);
            }
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            // It is over.
        }
        return ([], reached);
    }
}
