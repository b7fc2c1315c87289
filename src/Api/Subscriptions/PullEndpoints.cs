using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A group of consumers that share a subscription's events: lease some, and say what became of them.</summary>
static class PullEndpoints
{
    /// <summary>
    /// A call to the grain waits no longer, so that few events are leased to consumers that have gone.
    /// </summary>
    static readonly TimeSpan Turn = TimeSpan.FromSeconds(2);

    public static void MapPull(this RouteGroupBuilder one)
    {
        one.MapPost("/pull", SubscriptionEndpoints.Of(PullAsync))
            .Require(Permissions.SubscriptionManage)
            .WithName("pullEvents")
            .WithSummary("Lease the next events to a consumer")
            .Carries("Position")
            .TakesBody<PullBody>()
            .Answers<Envelope<PulledDocument>>(200)
            .Refuses(404, 409, 413, 415);
        one.MapSettle<AckBody>("/ack", SettlementKind.Ack, "ackEvents", "Leased events are done");
        one.MapSettle<NackBody>(
            "/nack",
            SettlementKind.Nack,
            "nackEvents",
            "Give leased events back, to be leased again"
        );
        one.MapSettle<ParkBody>(
            "/park",
            SettlementKind.Park,
            "parkEvents",
            "Hold the resources of leased events back until a replay"
        );
    }

    static void MapSettle<TBody>(
        this RouteGroupBuilder one,
        string path,
        SettlementKind kind,
        string name,
        string summary
    )
        where TBody : notnull =>
        one.MapPost(path, SubscriptionEndpoints.Of((context, subscription) => SettleAsync(context, subscription, kind)))
            .Require(Permissions.SubscriptionManage)
            .WithName(name)
            .WithSummary(summary)
            .Carries("Position")
            .TakesBody<TBody>()
            .Answers<Envelope<SettledDocument>>(200)
            .Refuses(404, 409, 413, 415);

    static Task PullAsync(HttpContext context, Subscription subscription) =>
        RequestBody.TakeAsync(context, SubscriptionBodies.Pull, async asked =>
        {
            if (subscription.Url is not null)
            {
                await SubscriptionEndpoints.RefuseKindAsync(context, subscription);
                return;
            }
            var grain = Grain(context, subscription);
            var draining = context.RequestServices.GetRequiredService<Draining>();
            var time = TimeProvider.System;
            Reply<PulledBatch> reply;
            if (asked.Wait > TimeSpan.Zero)
                Overload.Waits(context);
            var started = time.GetTimestamp();
            do
            {
                context.RequestAborted.ThrowIfCancellationRequested();
                var left = asked.Wait - time.GetElapsedTime(started);
                var turn = asked with
                {
                    Wait =
                        left <= TimeSpan.Zero ? TimeSpan.Zero
                        : left < Turn ? left
                        : Turn,
                };
                reply = await ClusterCalls.SendAsync(_ => grain.Pull(turn));
            } while (
                reply is { Value: null, Rejection: null }
                && time.GetElapsedTime(started) < asked.Wait
                && !draining.IsDraining
            );
            if (reply.Rejection is { } rejection)
                await Problems.RefuseAsync(context, rejection);
            else
                await Responses.OkAsync(
                    context,
                    PulledDocument.Of(reply.Value),
                    SubscriptionJson.Default.EnvelopePulledDocument,
                    reply.Position
                );
        });

    static Task SettleAsync(HttpContext context, Subscription subscription, SettlementKind kind) =>
        RequestBody.TakeAsync(
            context,
            (body, faults) => SubscriptionBodies.Settlement(body, kind, faults),
            async asked =>
            {
                if (subscription.Url is not null)
                {
                    await SubscriptionEndpoints.RefuseKindAsync(context, subscription);
                    return;
                }
                var reply = await ClusterCalls.SendAsync(_ => Grain(context, subscription).Settle(asked));
                if (reply.Rejection is { } rejection)
                    await Problems.RefuseAsync(context, rejection);
                else
                    await Responses.OkAsync(
                        context,
                        new SettledDocument(reply.Value),
                        SubscriptionJson.Default.EnvelopeSettledDocument,
                        reply.Position
                    );
            }
        );

    static ISubscriptionGrain Grain(HttpContext context, Subscription subscription) =>
        context.RequestServices.GetRequiredService<IClusterClient>().GetGrain<ISubscriptionGrain>(subscription.Id);
}
