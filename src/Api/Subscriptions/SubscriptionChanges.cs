using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What the endpoints of one subscription change.</summary>
static class SubscriptionChanges
{
    /// <summary>
    /// A repeated deletion succeeds like the first; another owner's subscription looks like a missing one.
    /// </summary>
    public static Task<Answer> DeleteAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        NamedSubscriptions named
    ) =>
        named.ManageAsync(
            context,
            id,
            async found =>
            {
                await subscriptions.DeleteAsync(found.Id, context.Intend());
                return Answer.Empty();
            },
            Ids.TryParse(id, out _) ? Answer.Empty() : null
        );

    public static Task<Answer> PauseAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        NamedSubscriptions named,
        SubscriptionQueries queries,
        TimeProvider time
    ) => ChangeAsync(context, id, named, queries, time, subscriptions.PauseAsync);

    public static Task<Answer> ResumeAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        NamedSubscriptions named,
        SubscriptionQueries queries,
        TimeProvider time
    ) => ChangeAsync(context, id, named, queries, time, subscriptions.ResumeAsync);

    static Task<Answer> ChangeAsync(
        HttpContext context,
        string id,
        NamedSubscriptions named,
        SubscriptionQueries queries,
        TimeProvider time,
        Func<Guid, Intent, Task> change
    ) => named.ManageAsync(context, id, async subscription =>
        {
            await change(subscription.Id, context.Intend());
            return await SubscriptionEndpoints.ShowAsync(context, subscription.Id, queries, time);
        });

    public static Task<Answer> RotateAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        NamedSubscriptions named,
        Deliveries deliveries,
        SubscriptionQueries queries
    ) => named.ManageAsync(context, id, async subscription =>
        {
            var ct = context.RequestAborted;
            // Who knows the secret can sign what its owner's receiver takes for ours.
            if (subscription.Owner != context.Caller().Account && deliveries.HasSecret(subscription.Kind))
                return Answer.Refused(ProblemType.Forbidden, "Only its owner may see the new secret.");
            var secret = await subscriptions.RotateAsync(subscription.Id, subscription.Kind, context.Intend(), ct);
            if (secret is null)
                return SubscriptionEndpoints.OtherKind(subscription);
            var until = (await queries.FindAsync(subscription.Id, null, ct))?.PreviousSecretUntil;
            return Answer.Of(new SecretDocument(secret, until));
        });

    public static Task<Answer> TestAsync(
        HttpContext context,
        string id,
        NamedSubscriptions named,
        IClusterClient cluster
    ) =>
        named.ManageAsync(context, id, async subscription =>
            await cluster.GetGrain<ISubscriptionGrain>(subscription.Id).Test() is { } outcome
                ? Answer.Of(TestDocument.Of(outcome))
                : SubscriptionEndpoints.OtherKind(subscription)
        );

    public static Task<Answer> ReplayAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        NamedSubscriptions named,
        SubscriptionQueries queries,
        TimeProvider time
    ) => named.ManageAsync(context, id, subscription => RequestBody.TakeAsync(
                context,
                (body, faults) => SubscriptionBodies.Replay(body, subscription.Position, faults),
                async asked =>
                {
                    if (asked.Position is { } position)
                        await subscriptions.ReplayAsync(subscription.Id, position, context.Intend());
                    else if (
                        asked.Resource is { } resource
                        && !await subscriptions.RetryAsync(
                            subscription.Id,
                            resource,
                            context.Intend(),
                            context.RequestAborted
                        )
                    )
                        return Answer.Refused(ProblemType.ResourceNotParked, "The resource is not parked.");
                    return await SubscriptionEndpoints.ShowAsync(context, subscription.Id, queries, time);
                }
            ));
}
