using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Consumers that share a subscription's events: they lease events and settle them.</summary>
static class PullEndpoints
{
    /// <summary>
    /// The longest wait of one call to the grain. Bounds how many events are leased to a consumer that has left.
    /// </summary>
    static readonly TimeSpan PollSlice = TimeSpan.FromSeconds(2);

    public static void MapPull(this RouteGroupBuilder one)
    {
        one.MapPost("/pull", PullAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("pullEvents")
            .AuditsNothing()
            .WithSummary("Pull events")
            .WithDescription("Leases the next events that the caller may read to a consumer.")
            .Carries(AnswerHeaders.Position)
            .TakesBody<PullBody>("""{"consumer":"worker-1","limit":100,"wait":20,"leaseSeconds":30}""")
            .Answers<Envelope<PulledDocument>>(200)
            .Refuses(404, 409, 413, 415);
        one.MapSettle("/ack", SettlementKind.Ack)
            .WithName("ackEvents")
            .AuditsNothing()
            .WithSummary("Acknowledge events")
            .WithDescription("Marks leased events as processed.")
            .TakesBody<AckBody>("""{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","positions":["1042"]}""");
        one.MapSettle("/nack", SettlementKind.Nack)
            .WithName("nackEvents")
            .AuditsNothing()
            .WithSummary("Return events")
            .WithDescription("Returns leased events, to be leased again after an optional delay.")
            .TakesBody<NackBody>("""{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","delaySeconds":5}""");
        one.MapSettle("/park", SettlementKind.Park)
            .WithName("parkEvents")
            .AuditsNothing()
            .WithSummary("Park resources")
            .WithDescription(
                "Holds back all events of the resources to which the leased events belong, until a replay."
            )
            .TakesBody<ParkBody>(
                """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","positions":["1042"],"reason":"The price is missing."}"""
            );
    }

    static RouteHandlerBuilder MapSettle(this RouteGroupBuilder one, string path, SettlementKind kind) =>
        one.MapPost(path, (HttpContext context, string id, NamedSubscriptions named, IClusterClient cluster) =>
                SettleAsync(context, id, named, cluster, kind)
            )
            .Require(Permissions.SubscriptionManage)
            .Carries(AnswerHeaders.Position)
            .Answers<Envelope<SettledDocument>>(200)
            .Refuses(404, 409, 413, 415);

    static Task<Answer> PullAsync(
        HttpContext context,
        string id,
        NamedSubscriptions named,
        IClusterClient cluster,
        StreamAccess streams,
        StopSignal stop,
        TimeProvider time
    ) =>
        named.ManageAsync(context, id, subscription =>
            RequestBody.TakeAsync(context, SubscriptionBodies.Pull, async asked =>
            {
                if (subscription.Kind is not PullDelivery.Name)
                    return SubscriptionEndpoints.OtherKind(subscription);
                // Who waits holds what a stream holds, and is limited as streams are.
                using var waiting =
                    asked.Wait > TimeSpan.Zero ? streams.Open(context.Caller(), Permissions.SubscriptionManage) : null;
                if (asked.Wait > TimeSpan.Zero)
                {
                    if (waiting is null)
                        return Answer.Refused(
                            ProblemType.TooManyStreams,
                            "You have too many streams and waiting pulls on this node. Pull with fewer, or without waiting.",
                            retryAfter: 10
                        );
                    Overload.Waits(context);
                }
                var grain = cluster.GetGrain<ISubscriptionGrain>(subscription.Id);
                var reply = await NextBatchAsync(grain, asked, context, stop, time);
                if (reply.Value is { } batch)
                    await ReserveAsync(context, grain, batch);
                return reply.Rejection is { } rejection
                    ? rejection
                    : new Answer<PulledDocument>(PulledDocument.Of(reply.Value)) { Position = reply.Position };
            })
        );

    /// <summary>Takes memory for a batch; not before it is leased, because that may wait for long.</summary>
    /// <exception cref="StoreOverloadedException">There is none: others may have the batch.</exception>
    static async Task ReserveAsync(HttpContext context, ISubscriptionGrain grain, PulledBatch batch)
    {
        try
        {
            await ResponseMemory.ReserveAsync(context, batch.Events.Sum(each => (long)each.Event.Utf8.Length));
        }
        catch (StoreOverloadedException)
        {
            await ClusterCalls.SendAsync(_ =>
                grain.Settle(new(batch.Lease, SettlementKind.Nack, null, TimeSpan.Zero, null))
            );
            throw;
        }
    }

    /// <summary>The next batch; a null value when there is none within the time that the consumer waits.</summary>
    static async Task<Reply<PulledBatch>> NextBatchAsync(
        ISubscriptionGrain grain,
        PullRequest asked,
        HttpContext context,
        StopSignal stop,
        TimeProvider time
    )
    {
        var started = time.GetTimestamp();
        while (true)
        {
            context.RequestAborted.ThrowIfCancellationRequested();
            var slice = asked with
            {
                Wait = SliceOf(asked.Wait - time.GetElapsedTime(started)),
                // As it is now: it may change while the consumer waits.
                Sight = SightOf(context.Visible(Permissions.ResourceRead), context.Caller()),
            };
            var reply = await ClusterCalls.SendAsync(_ => grain.Pull(slice));
            if (
                reply is not { Value: null, Rejection: null }
                || time.GetElapsedTime(started) >= asked.Wait
                || stop.IsBegun
            )
                return reply;
        }
    }

    static TimeSpan SliceOf(TimeSpan left) =>
        left <= TimeSpan.Zero ? TimeSpan.Zero
        : left < PollSlice ? left
        : PollSlice;

    static PullSight SightOf(Reach reach, Caller caller) =>
        new(caller.Id, reach.IsAll, reach.Scope.Types, reach.Scope.Own, reach.Scope.OwnTypes);

    static Task<Answer> SettleAsync(
        HttpContext context,
        string id,
        NamedSubscriptions named,
        IClusterClient cluster,
        SettlementKind kind
    ) => named.ManageAsync(context, id, subscription => RequestBody.TakeAsync(
                context,
                (body, faults) => SubscriptionBodies.Settlement(body, kind, faults),
                async asked =>
                {
                    if (subscription.Kind is not PullDelivery.Name)
                        return SubscriptionEndpoints.OtherKind(subscription);
                    var grain = cluster.GetGrain<ISubscriptionGrain>(subscription.Id);
                    var reply = await ClusterCalls.SendAsync(_ => grain.Settle(asked));
                    return reply.Rejection is { } rejection
                        ? rejection
                        : new Answer<SettledDocument>(new(reply.Value)) { Position = reply.Position };
                }
            ));
}
