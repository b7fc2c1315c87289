using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

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
        one.MapPost(path, SubscriptionEndpoints.Of((context, subscription) => SettleAsync(context, subscription, kind)))
            .Require(Permissions.SubscriptionManage)
            .Carries(AnswerHeaders.Position)
            .Answers<Envelope<SettledDocument>>(200)
            .Refuses(404, 409, 413, 415);

    static Task PullAsync(HttpContext context, Subscription subscription) =>
        RequestBody.TakeAsync(context, SubscriptionBodies.Pull, async asked =>
        {
            if (subscription.Kind is not PullDelivery.Name)
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
                if (subscription.Kind is not PullDelivery.Name)
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
