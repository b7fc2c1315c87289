using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The log and the history of a resource: as pages, and as streams that go on.</summary>
public static class EventEndpoints
{
    public static void MapEvents(this RouteGroupBuilder api)
    {
        api.MapRead("/events", (HttpContext context, ResourceDoor door) => ReadAsync(context, null, door))
            .Require(Permissions.ResourceRead)
            .WithTags("events")
            .WithName("listEvents")
            .WithSummary("List or stream events")
            .WithDescription("Returns a page of the event log.")
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
            .Require(Permissions.ResourceRead)
            .WithTags("events")
            .WithName("listResourceEvents")
            .WithSummary("List or stream a resource's history")
            .WithDescription("Returns a page of the events of one resource.")
            .TakesPath(ResourceParameters.Id)
            .TakesQuery(EventParameters.OfPages)
            .ChecksFirst(CheckHistoryAsync)
            .Streams()
            .Refuses(404);
    }

    internal static RouteHandlerBuilder Streams(this RouteHandlerBuilder endpoint) =>
        endpoint
            .WithMetadata(
                new StreamsEvents(
                    "With `Accept: text/event-stream`, streams past and future events. "
                        + "Each message has the position as `id`, the type as `event`, and the CloudEvent as `data`."
                )
            )
            .TakesHeaders(EventParameters.LastEventId)
            .Carries(AnswerHeaders.Position)
            .Answers<Envelope<IReadOnlyList<CloudEvent>>>(200);

    internal static async Task<Answer> HistoryAsync(HttpContext context, string id, ResourceDoor door) =>
        await CheckHistoryAsync(context) is { } rejection ? rejection : await ReadAsync(context, Guid.Parse(id), door);

    /// <summary>Why the history that the address names is not there for the caller; null when it is.</summary>
    internal static Task<Rejection?> CheckHistoryAsync(HttpContext context) =>
        context
            .RequestServices.GetRequiredService<ResourceDoor>()
            .CheckHistoryAsync(
                context.Caller(),
                Ids.TryParse((string)context.Request.RouteValues["id"]!, out var id) ? id : null,
                context.RequestAborted
            );

    static async Task<Answer> ReadAsync(HttpContext context, Guid? resource, ResourceDoor door)
    {
        var head = await door.HeadAsync(context.RequestAborted);
        var query = new QueryReader(context.Request);
        var asked = EventQuery.Read(context, query, resource, head);
        if (query.Faults is not [])
            return await ApiGroup.RefusalAsync(context, query.Faults);
        return EventQuery.WantsStream(context)
            ? await EventStream.FollowAsync(context, door, asked)
            : await PageAsync(context, door, asked, head);
    }

    static async Task<Answer> PageAsync(HttpContext context, ResourceDoor door, EventQuery asked, long head)
    {
        var page = await door.ReadAsync(
            context.Caller(),
            asked.Filter,
            asked.After,
            asked.Limit,
            head,
            context.RequestAborted
        );
        if (page.Events is [] && page.Reached >= head && asked.Wait > TimeSpan.Zero)
        {
            // A long poll holds what a stream holds, and is limited as streams are.
            var (lease, refused) = await StreamResponse.OpenAsync(context);
            if (lease is null)
                return refused!;
            using (lease)
                page = await WaitAsync(context, door, lease, asked with { After = page.Reached });
        }
        return new Answer<IReadOnlyList<CloudEvent>>([.. page.Events.Select(CloudEvent.Of)])
        {
            Position = page.Reached,
            IsCacheable = true,
            Page = new(asked.Limit, page.Reached < head ? Responses.Text(page.Reached) : null),
        };
    }

    /// <summary>
    /// The next events, or none after the time that the client waits, or when it may see less than before.
    /// </summary>
    static async Task<LogPage> WaitAsync(HttpContext context, ResourceDoor door, StreamLease lease, EventQuery asked)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lease.Changed);
        enough.CancelAfter(asked.Wait);
        var reached = asked.After;
        try
        {
            await foreach (var page in door.FollowAsync(lease, asked.Filter, asked.After, asked.Wait, enough.Token))
            {
                reached = page.Reached;
                if (page.Events is [_, ..])
                    return page.Events.Count <= asked.Limit
                        ? new(page.Events, reached)
                        : new([.. page.Events.Take(asked.Limit)], page.Events[asked.Limit - 1].Position);
            }
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            // The time is over, or the lease has changed.
        }
        return new([], reached);
    }
}
