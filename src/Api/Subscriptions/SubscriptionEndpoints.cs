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
            .WithName("createSubscription")
            .WithSummary("Create a subscription")
            .WithDescription("Delivers events by webhook, or to a group of consumers that pull them.")
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
        one.MapDelete("", DeleteAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("deleteSubscription")
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
        one.MapPost("/pause", PauseAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("pauseSubscription")
            .WithSummary("Pause a subscription")
            .WithDescription("Stops delivery. Events remain in the log.")
            .Answers<Envelope<SubscriptionDocument>>(200)
            .Refuses(404);
        one.MapPost("/resume", ResumeAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("resumeSubscription")
            .WithSummary("Resume a subscription")
            .WithDescription("Delivery continues where it stopped.")
            .Answers<Envelope<SubscriptionDocument>>(200)
            .Refuses(404);
        one.MapPost("/secret", RotateAsync)
            .CarriesSecrets()
            .Require(Permissions.SubscriptionManage)
            .RequireRecent()
            .WithName("rotateSecret")
            .WithSummary("Rotate the webhook secret")
            .WithDescription(
                "Deliveries are signed with both secrets until the old one expires, after 24 hours by default."
            )
            .Answers<Envelope<SecretDocument>>(200)
            .Refuses(404, 409);
        one.MapPost("/test", TestAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("testSubscription")
            .WithSummary("Send a test event")
            .WithDescription("Sends it to the webhook immediately.")
            .Answers<Envelope<TestDocument>>(200)
            .Refuses(404, 409);
        one.MapPost("/replay", ReplayAsync)
            .Require(Permissions.SubscriptionManage)
            .WithName("replaySubscription")
            .WithSummary("Replay events")
            .WithDescription("Delivers events again from a position, or retries a parked resource.")
            .TakesBody<ReplayRequest>("""{"position":"1042"}""")
            .Answers<Envelope<SubscriptionDocument>>(200)
            .Refuses(404, 409, 413, 415);
        one.MapPull();
    }

    /// <summary>The subscription that an address names; null where there is none that the caller may see.</summary>
    internal static async Task<Subscription?> FindAsync(HttpContext context, string id, SubscriptionQueries queries) =>
        Ids.TryParse(id, out var subscription)
            ? await queries.FindAsync(subscription, Owner(context), context.RequestAborted)
            : null;

    internal static readonly Answer Missing = Answer.Refused(
        ProblemType.SubscriptionNotFound,
        "There is no such subscription."
    );

    /// <summary>Refuses what the subscription's kind of delivery does not support.</summary>
    internal static Answer OtherKind(Subscription subscription) =>
        Answer.Refused(ProblemType.OtherDelivery, $"The subscription's delivery is {subscription.Kind}.");

    /// <summary>The owner whose subscriptions the caller may reach; null = all owners.</summary>
    static Guid? Owner(HttpContext context) =>
        context.Visible() is { IsAll: false } visible ? Guid.Parse(visible.Account) : null;

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
        var (creation, secret) = await subscriptions.CreateAsync(asked, context.Intend(), ct);
        return creation switch
        {
            Creation.NameTaken => Answer.Refused(
                ProblemType.AlreadyExists,
                "You already have a subscription with this name."
            ),
            Creation.TooMany => Answer.Refused(
                ProblemType.TooManySubscriptions,
                $"An account may have {subscriptions.MaxPerOwner} subscriptions. Delete those that you do not need."
            ),
            _ => await ShowAsync(context, asked.Id, queries, time, secret, StatusCodes.Status201Created),
        };
    }

    static async Task<Answer> ListAsync(HttpContext context, SubscriptionQueries queries, TimeProvider time)
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(20, MaxPage);
        var after = query.Id("cursor") ?? Guid.Empty;
        if (query.Faults is not [])
            return Answer.Invalid(query.Faults);
        var rows = await queries.PageAsync(Owner(context), after, limit + 1, context.RequestAborted);
        var now = time.GetUtcNow();
        return new Answer<IReadOnlyList<SubscriptionDocument>>([
            .. rows.Take(limit).Select(row => SubscriptionDocument.Of(row, now)),
        ])
        {
            Page = new(limit, rows.Count > limit ? rows[limit - 1].Id.ToString() : null),
        };
    }

    static async Task<Answer> GetAsync(
        HttpContext context,
        string id,
        SubscriptionQueries queries,
        TimeProvider time
    ) =>
        await FindAsync(context, id, queries) is { } subscription
            ? Answer.Of(SubscriptionDocument.Of(subscription, time.GetUtcNow()))
            : Missing;

    static async Task<Answer> DeleteAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        SubscriptionQueries queries
    )
    {
        if (!Ids.TryParse(id, out _))
            return Missing;
        // A repeated deletion succeeds like the first; another owner's subscription looks like a missing one.
        if (await FindAsync(context, id, queries) is { } found)
            await subscriptions.DeleteAsync(found.Id, context.Intend());
        return Answer.Empty();
    }

    static async Task<Answer> AttemptsAsync(HttpContext context, string id, SubscriptionQueries queries)
    {
        if (await FindAsync(context, id, queries) is not { } subscription)
            return Missing;
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
    }

    static async Task<Answer> ParkedAsync(HttpContext context, string id, SubscriptionQueries queries)
    {
        if (await FindAsync(context, id, queries) is not { } subscription)
            return Missing;
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
    }

    static async Task<Answer> PauseAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        SubscriptionQueries queries,
        TimeProvider time
    )
    {
        if (await FindAsync(context, id, queries) is not { } subscription)
            return Missing;
        await subscriptions.PauseAsync(subscription.Id, context.Intend());
        return await ShowAsync(context, subscription.Id, queries, time);
    }

    static async Task<Answer> ResumeAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        SubscriptionQueries queries,
        TimeProvider time
    )
    {
        if (await FindAsync(context, id, queries) is not { } subscription)
            return Missing;
        await subscriptions.ResumeAsync(subscription.Id, context.Intend());
        return await ShowAsync(context, subscription.Id, queries, time);
    }

    static async Task<Answer> RotateAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        SubscriptionQueries queries
    )
    {
        var ct = context.RequestAborted;
        if (await FindAsync(context, id, queries) is not { } subscription)
            return Missing;
        if (await subscriptions.RotateAsync(subscription.Id, subscription.Kind, context.Intend(), ct) is not { } secret)
            return OtherKind(subscription);
        var until = (await queries.FindAsync(subscription.Id, null, ct))?.PreviousSecretUntil;
        return Answer.Of(new SecretDocument(secret, until));
    }

    static async Task<Answer> TestAsync(
        HttpContext context,
        string id,
        SubscriptionQueries queries,
        IClusterClient cluster
    )
    {
        if (await FindAsync(context, id, queries) is not { } subscription)
            return Missing;
        return await cluster.GetGrain<ISubscriptionGrain>(subscription.Id).Test() is { } outcome
            ? Answer.Of(TestDocument.Of(outcome))
            : OtherKind(subscription);
    }

    static async Task<Answer> ReplayAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        SubscriptionQueries queries,
        TimeProvider time
    )
    {
        if (await FindAsync(context, id, queries) is not { } subscription)
            return Missing;
        return await RequestBody.TakeAsync(
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
                return await ShowAsync(context, subscription.Id, queries, time);
            }
        );
    }

    /// <summary>A subscription as it is after a change.</summary>
    static async Task<Answer> ShowAsync(
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
