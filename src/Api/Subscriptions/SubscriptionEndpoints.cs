using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Durable subscriptions. A caller who holds only <c>:own</c> does not see those of other owners.
/// </summary>
public static class SubscriptionEndpoints
{
    const string Json = "application/json";
    const int MaxPage = 200;

    public static void MapSubscriptions(this RouteGroupBuilder api)
    {
        var subscriptions = api.MapGroup("/subscriptions").WithTags("subscriptions");
        subscriptions
            .MapPost("", CreateAsync)
            .CarriesSecrets()
            .Require(Permissions.SubscriptionManage)
            .LimitCreation(CreationLimit.Subscriptions)
            .WithName("createSubscription")
            .Audits("subscription.created")
            .WithSummary("Create a subscription")
            .WithDescription(
                "Delivers events by webhook, or to a group of consumers that pull them. "
                    + "For a webhook, a session must have authenticated recently."
            )
            .Carries(AnswerHeaders.Location)
            .TakesBody<SubscriptionRequest>(
                """{"name":"warehouse","filter":{"type":"bicycle","events":["resource.created"]},"delivery":{"kind":"webhook","url":"https://example.org/hooks"}}"""
            )
            .Answers<Envelope<SubscriptionDocument>>(201)
            .Refuses(409, 413, 415);
        subscriptions
            .MapRead("", ListAsync)
            .Require(Permissions.SubscriptionRead)
            .WithName("listSubscriptions")
            .WithSummary("List subscriptions")
            .WithDescription("Sorted by id.")
            .TakesQuery(PageParameters.Cursor, PageParameters.Limit)
            .Answers<Envelope<IReadOnlyList<SubscriptionDocument>>>(200);

        var one = subscriptions.MapGroup("/{id}").TakesPath(Parameter.Id("id", "The id of the subscription."));
        one.MapRead("", GetAsync)
            .Require(Permissions.SubscriptionRead)
            .WithName("getSubscription")
            .WithSummary("Get a subscription")
            .WithDescription("Includes its position, lag, number of parked resources and last error.")
            .Answers<Envelope<SubscriptionDocument>>(200)
            .Refuses(404);
        one.MapDelete("", SubscriptionChanges.DeleteAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("deleteSubscription")
            .Audits("subscription.deleted")
            .WithSummary("Delete a subscription")
            .Produces(204)
            .Refuses(404);
        one.MapRead("/attempts", AttemptsAsync)
            .Require(Permissions.SubscriptionRead)
            .WithName("listAttempts")
            .WithSummary("List delivery attempts")
            .WithDescription("Newest first.")
            .TakesQuery(PageParameters.Cursor, PageParameters.Limit)
            .Answers<Envelope<IReadOnlyList<AttemptDocument>>>(200)
            .Refuses(404);
        one.MapRead("/parked", ParkedAsync)
            .Require(Permissions.SubscriptionRead)
            .WithName("listParked")
            .WithSummary("List parked resources")
            .WithDescription("Events of a parked resource are held back. Sorted by id.")
            .TakesQuery(PageParameters.Cursor, PageParameters.Limit)
            .Answers<Envelope<IReadOnlyList<ParkedDocument>>>(200)
            .Refuses(404);
        one.MapPost("/pause", SubscriptionChanges.PauseAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("pauseSubscription")
            .Audits("subscription.paused")
            .WithSummary("Pause a subscription")
            .WithDescription("Stops delivery. Events remain in the log.")
            .Answers<Envelope<SubscriptionDocument>>(200)
            .Refuses(404);
        one.MapPost("/resume", SubscriptionChanges.ResumeAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("resumeSubscription")
            .Audits("subscription.resumed")
            .WithSummary("Resume a subscription")
            .WithDescription("Delivery continues where it stopped.")
            .Answers<Envelope<SubscriptionDocument>>(200)
            .Refuses(404);
        one.MapPost("/secret", SubscriptionChanges.RotateAsync)
            .CarriesSecrets()
            .Require(Permissions.SubscriptionManage)
            .RequireRecent()
            .WithName("rotateSecret")
            .Audits("subscription.secret_rotated")
            .WithSummary("Rotate the webhook secret")
            .WithDescription(
                "Deliveries are signed with both secrets until the old one expires, after 24 hours by default."
            )
            .Answers<Envelope<SecretDocument>>(200)
            .Refuses(404, 409);
        one.MapPost("/test", SubscriptionChanges.TestAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("testSubscription")
            .AuditsNothing()
            .WithSummary("Send a test event")
            .WithDescription("Sends it to the webhook immediately.")
            .Answers<Envelope<TestDocument>>(200)
            .Refuses(404, 409);
        one.MapPost("/replay", SubscriptionChanges.ReplayAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("replaySubscription")
            .Audits("subscription.replayed")
            .WithSummary("Replay events")
            .WithDescription("Delivers events again from a position, or retries a parked resource.")
            .TakesBody<ReplayRequest>("""{"position":"1042"}""")
            .Answers<Envelope<SubscriptionDocument>>(200)
            .Refuses(404, 409, 413, 415);
        one.MapPull();
    }

    /// <summary>Refuses what the subscription's kind of delivery does not support.</summary>
    internal static Answer OtherKind(Subscription subscription) =>
        Answer.Refused(ProblemType.OtherDelivery, $"The subscription's delivery is {subscription.Kind}.");

    static async Task<Answer> CreateAsync(
        HttpContext context,
        Subscriptions subscriptions,
        SubscriptionQueries queries,
        Deliveries deliveries,
        ResourceDoor door,
        TimeProvider time
    )
    {
        var faults = new List<Fault>();
        var ct = context.RequestAborted;
        using var body = await RequestBody.ReadAsync(context, faults, Json);
        if (body is null)
            return Answer.UnsupportedMediaType(context.Request.Method, Json);
        if (body.Document is not { } document)
            return Answer.Invalid(faults);
        var asked = await SubscriptionBodies.CreationAsync(
            document.RootElement,
            context.Caller().Account,
            await door.HeadAsync(ct),
            deliveries,
            faults,
            ct
        );
        if (faults is [var only] && only.Code == ProblemType.WebhookTargetForbidden.Code)
            return Answer.Refused(ProblemType.WebhookTargetForbidden, only.Detail, faults);
        if (faults is not [])
            return Answer.Invalid(faults);
        if (deliveries.HasSecret(KindOf(asked)) && context.RefuseUnlessRecent() is { } refused)
            return refused;
        // Others are asked about a target only for what would be created otherwise.
        if (await subscriptions.PreviewAsync(asked.Owner, asked.Name, ct) is not Creation.Done and var full)
            return NotCreated(full, subscriptions);
        if (await RefuseTargetAsync(context, deliveries, asked) is { } refusal)
            return refusal;
        var caller = context.Caller();
        asked = asked with { ApiKey = caller.Kind is CredentialKind.ApiKey ? caller.Credential : null };
        var (creation, secret) = await subscriptions.CreateAsync(asked, context.Intend(), ct);
        return creation is Creation.Done
            ? await ShowAsync(context, asked.Id, queries, time, secret, StatusCodes.Status201Created)
            : NotCreated(creation, subscriptions);
    }

    static Answer NotCreated(Creation why, Subscriptions subscriptions) =>
        why is Creation.NameTaken
            ? Answer.Refused(ProblemType.AlreadyExists, "You already have a subscription with this name.")
            : Answer.Refused(
                ProblemType.TooManySubscriptions,
                $"An account may have {subscriptions.MaxPerOwner} subscriptions. Delete those that you do not need."
            );

    /// <summary>Why nothing could be delivered to the target, as far as others have to be asked for that.</summary>
    static async Task<Answer?> RefuseTargetAsync(HttpContext context, Deliveries deliveries, NewSubscription asked)
    {
        var delivery = deliveries.Find(KindOf(asked))!;
        if (!delivery.AsksOthers(asked.Delivery))
            return null;
        var caller = context.CallerId();
        var limits = context.RequestServices.GetRequiredService<RateLimits>();
        if (await limits.RefusalAsync(context, RateLimits.Lookups, caller) is { } limited)
            return limited;
        return await delivery.RefuseAsync(asked.Delivery, caller, context.RequestAborted) is { } fault
            ? Answer.Refused(ProblemType.WebhookTargetForbidden, fault.Detail, [fault])
            : null;
    }

    static string KindOf(NewSubscription asked) => asked.Delivery.ToElement().GetProperty("kind").GetString()!;

    static async Task<Answer> ListAsync(HttpContext context, SubscriptionQueries queries, TimeProvider time)
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(20, MaxPage);
        var after = query.Id("cursor") ?? Guid.Empty;
        if (query.Faults is not [])
            return Answer.Invalid(query.Faults);
        var rows = await queries.PageAsync(
            NamedSubscriptions.OwnerFor(context),
            after,
            limit + 1,
            context.RequestAborted
        );
        var now = time.GetUtcNow();
        return new Answer<IReadOnlyList<SubscriptionDocument>>([
            .. rows.Take(limit).Select(row => SubscriptionDocument.Of(row, now)),
        ])
        {
            Page = new(limit, rows.Count > limit ? rows[limit - 1].Id.ToString() : null),
        };
    }

    static Task<Answer> GetAsync(HttpContext context, string id, NamedSubscriptions named, TimeProvider time) =>
        named.ReadAsync(context, id, subscription =>
            Task.FromResult<Answer>(Answer.Of(SubscriptionDocument.Of(subscription, time.GetUtcNow())))
        );

    static Task<Answer> AttemptsAsync(
        HttpContext context,
        string id,
        NamedSubscriptions named,
        SubscriptionQueries queries
    ) => named.ReadAsync(context, id, async subscription =>
        {
            var query = new QueryReader(context.Request);
            var limit = query.Limit(20, MaxPage);
            var before = query.Number("cursor", 1) ?? long.MaxValue;
            if (query.Faults is not [])
                return Answer.Invalid(query.Faults);
            var rows = await queries.AttemptsAsync(subscription.Id, before, limit + 1, context.RequestAborted);
            return new Answer<IReadOnlyList<AttemptDocument>>([.. rows.Take(limit).Select(AttemptDocument.Of)])
            {
                Page = new(limit, rows.Count > limit ? Positions.Text(rows[limit - 1].Id) : null),
            };
        });

    static Task<Answer> ParkedAsync(
        HttpContext context,
        string id,
        NamedSubscriptions named,
        SubscriptionQueries queries
    ) => named.ReadAsync(context, id, async subscription =>
        {
            var query = new QueryReader(context.Request);
            var limit = query.Limit(20, MaxPage);
            var after = query.Id("cursor") ?? Guid.Empty;
            if (query.Faults is not [])
                return Answer.Invalid(query.Faults);
            var rows = await queries.ParkedAsync(subscription.Id, after, limit + 1, context.RequestAborted);
            return new Answer<IReadOnlyList<ParkedDocument>>([.. rows.Take(limit).Select(ParkedDocument.Of)])
            {
                Page = new(limit, rows.Count > limit ? rows[limit - 1].Resource.ToString() : null),
            };
        });

    /// <summary>A subscription as it is after a change.</summary>
    internal static async Task<Answer> ShowAsync(
        HttpContext context,
        Guid id,
        SubscriptionQueries queries,
        TimeProvider time,
        string? secret = null,
        int status = StatusCodes.Status200OK
    ) =>
        await queries.FindAsync(id, null, context.RequestAborted) is { } subscription
            ? new Answer<SubscriptionDocument>(SubscriptionDocument.Of(subscription, time.GetUtcNow(), secret))
            {
                Status = status,
                Location = status is StatusCodes.Status201Created ? $"{ApiGroup.Path}/subscriptions/{id}" : null,
            }
            : Answer.Refused(ProblemType.SubscriptionNotFound, "The subscription was deleted in the meantime.");
}
