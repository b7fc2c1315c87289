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
            .WithSummary("Pull events")
            .WithDescription("Leases the next events to a consumer.")
            .Carries(AnswerHeaders.Position)
            .TakesBody<PullBody>("""{"consumer":"worker-1","limit":100,"wait":20,"leaseSeconds":30}""")
            .Answers<Envelope<PulledDocument>>(200)
            .Refuses(404, 409, 413, 415);
        one.MapSettle("/ack", SettlementKind.Ack)
            .WithName("ackEvents")
            .WithSummary("Acknowledge events")
            .WithDescription("Marks leased events as processed.")
            .TakesBody<AckBody>("""{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","positions":["1042"]}""");
        one.MapSettle("/nack", SettlementKind.Nack)
            .WithName("nackEvents")
            .WithSummary("Return events")
            .WithDescription("Returns leased events, to be leased again after an optional delay.")
            .TakesBody<NackBody>("""{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","delaySeconds":5}""");
        one.MapSettle("/park", SettlementKind.Park)
            .WithName("parkEvents")
            .WithSummary("Park resources")
            .WithDescription(
                "Holds back all events of the resources to which the leased events belong, until a replay."
            )
            .TakesBody<ParkBody>(
                """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","positions":["1042"],"reason":"The price is missing."}"""
            );
    }

    static RouteHandlerBuilder MapSettle(this RouteGroupBuilder one, string path, SettlementKind kind) =>
        one.MapPost(path, (HttpContext context, string id, SubscriptionQueries queries, IClusterClient cluster) =>
                SettleAsync(context, id, queries, cluster, kind)
            )
            .Require(Permissions.SubscriptionManage)
            .Carries(AnswerHeaders.Position)
            .Answers<Envelope<SettledDocument>>(200)
            .Refuses(404, 409, 413, 415);

    static async Task<Answer> PullAsync(
        HttpContext context,
        string id,
        SubscriptionQueries queries,
        IClusterClient cluster,
        StopSignal stop,
        TimeProvider time
    )
    {
        if (await SubscriptionEndpoints.FindAsync(context, id, queries) is not { } subscription)
            return SubscriptionEndpoints.Missing;
        return await RequestBody.TakeAsync(context, SubscriptionBodies.Pull, async asked =>
        {
            if (subscription.Kind is not PullDelivery.Name)
                return SubscriptionEndpoints.OtherKind(subscription);
            if (asked.Wait > TimeSpan.Zero)
                Overload.Waits(context);
            var grain = cluster.GetGrain<ISubscriptionGrain>(subscription.Id);
            var reply = await NextBatchAsync(grain, asked, stop, time, context.RequestAborted);
            return reply.Rejection is { } rejection
                ? rejection
                : new Answer<PulledDocument>(PulledDocument.Of(reply.Value)) { Position = reply.Position };
        });
    }

    /// <summary>The next batch; a null value when there is none within the time that the consumer waits.</summary>
    static async Task<Reply<PulledBatch>> NextBatchAsync(
        ISubscriptionGrain grain,
        PullRequest asked,
        StopSignal stop,
        TimeProvider time,
        CancellationToken ct
    )
    {
        var started = time.GetTimestamp();
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var slice = asked with { Wait = SliceOf(asked.Wait - time.GetElapsedTime(started)) };
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

    static async Task<Answer> SettleAsync(
        HttpContext context,
        string id,
        SubscriptionQueries queries,
        IClusterClient cluster,
        SettlementKind kind
    )
    {
        if (await SubscriptionEndpoints.FindAsync(context, id, queries) is not { } subscription)
            return SubscriptionEndpoints.Missing;
        return await RequestBody.TakeAsync(
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
        );
    }
}
