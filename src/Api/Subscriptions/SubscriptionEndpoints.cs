using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Durable subscriptions: made, shown, changed. What is another's is not there for those who hold only <c>:own</c>.
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
        one.MapRead(
                "",
                Of(
                    (context, subscription) =>
                        Responses.OkAsync(
                            context,
                            SubscriptionDocument.Of(subscription),
                            SubscriptionJson.Default.EnvelopeSubscriptionDocument
                        )
                )
            )
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
        one.MapRead("/attempts", Of(AttemptsAsync))
            .Require(Permissions.SubscriptionRead)
            .WithName("listAttempts")
            .WithSummary("List delivery attempts")
            .WithDescription("Newest first.")
            .TakesQuery(PageParameters.Cursor, PageParameters.Limit)
            .Answers<Envelope<IReadOnlyList<AttemptDocument>>>(200)
            .Refuses(404);
        one.MapRead("/parked", Of(ParkedAsync))
            .Require(Permissions.SubscriptionRead)
            .WithName("listParked")
            .WithSummary("List parked resources")
            .WithDescription("Events of a parked resource are held back. Sorted by id.")
            .TakesQuery(PageParameters.Cursor, PageParameters.Limit)
            .Answers<Envelope<IReadOnlyList<ParkedDocument>>>(200)
            .Refuses(404);
        one.MapPost(
                "/pause",
                Of(
                    (context, subscription) =>
                        ChangeAsync(context, subscription, (all, intent) => all.PauseAsync(subscription.Id, intent))
                )
            )
            .Require(Permissions.SubscriptionManage)
            .WithName("pauseSubscription")
            .WithSummary("Pause a subscription")
            .WithDescription("Stops delivery. Events remain in the log.")
            .Answers<Envelope<SubscriptionDocument>>(200)
            .Refuses(404);
        one.MapPost(
                "/resume",
                Of(
                    (context, subscription) =>
                        ChangeAsync(context, subscription, (all, intent) => all.ResumeAsync(subscription.Id, intent))
                )
            )
            .Require(Permissions.SubscriptionManage)
            .WithName("resumeSubscription")
            .WithSummary("Resume a subscription")
            .WithDescription("Delivery continues where it stopped.")
            .Answers<Envelope<SubscriptionDocument>>(200)
            .Refuses(404);
        one.MapPost("/secret", Of(RotateAsync))
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
        one.MapPost("/test", Of(TestAsync))
            .Require(Permissions.SubscriptionManage)
            .WithName("testSubscription")
            .WithSummary("Send a test event")
            .WithDescription("Sends it to the webhook immediately.")
            .Answers<Envelope<TestDocument>>(200)
            .Refuses(404, 409);
        one.MapPost("/replay", Of(ReplayAsync))
            .Require(Permissions.SubscriptionManage)
            .WithName("replaySubscription")
            .WithSummary("Replay events")
            .WithDescription("Delivers events again from a position, or retries a parked resource.")
            .TakesBody<ReplayRequest>("""{"position":"1042"}""")
            .Answers<Envelope<SubscriptionDocument>>(200)
            .Refuses(404, 409, 413, 415);
        one.MapPull();
    }

    /// <summary>A handler of one subscription: 404 where the caller may not see it.</summary>
    internal static Delegate Of(Func<HttpContext, Subscription, Task> handle) =>
        async (HttpContext context, string id, SubscriptionQueries queries) =>
        {
            if (await FindAsync(context, id, queries) is { } found)
                await handle(context, found);
            else
                await Problems.WriteAsync(context, ProblemType.SubscriptionNotFound, "There is no such subscription.");
        };

    static async Task<Subscription?> FindAsync(HttpContext context, string id, SubscriptionQueries queries) =>
        Ids.TryParse(id, out var subscription)
            ? await queries.FindAsync(subscription, Owner(context), context.RequestAborted)
            : null;

    /// <summary>Whose subscriptions alone the caller may reach; null = all.</summary>
    static Guid? Owner(HttpContext context) =>
        context.Visible() is { IsAll: false } visible ? Guid.Parse(visible.Account) : null;

    static async Task CreateAsync(
        HttpContext context,
        Subscriptions subscriptions,
        SubscriptionQueries queries,
        Deliveries deliveries,
        ReadIndex index
    )
    {
        var faults = new List<Fault>();
        var ct = context.RequestAborted;
        using var body = await RequestBody.ReadAsync(context, faults, Json);
        if (body is null)
        {
            await RequestBody.RefuseMediaTypeAsync(context, Json);
            return;
        }
        var asked = body.Document is { } document
            ? await SubscriptionBodies.CreationAsync(
                document.RootElement,
                Guid.Parse(context.CallerId()),
                await index.HeadAsync(ct),
                deliveries,
                faults,
                ct
            )
            : null;
        if (faults is not [])
        {
            if (faults is [{ } only] && only.Code == ProblemType.WebhookTargetForbidden.Code)
                await Problems.WriteAsync(context, ProblemType.WebhookTargetForbidden, only.Detail, faults);
            else
                await Problems.InvalidAsync(context, faults);
            return;
        }
        var (creation, secret) = await subscriptions.CreateAsync(asked!, context.Intend(), ct);
        switch (creation)
        {
            case Creation.NameTaken:
                await Problems.WriteAsync(context, ProblemType.AlreadyExists, "You have a subscription of this name.");
                return;
            case Creation.TooMany:
                await Problems.WriteAsync(
                    context,
                    ProblemType.TooManySubscriptions,
                    "Delete subscriptions that you do not need."
                );
                return;
        }
        context.Response.Headers.Location = $"{ApiGroup.Path}/subscriptions/{asked!.Id}";
        var made = await queries.FindAsync(asked.Id, null, ct);
        await Responses.OkAsync(
            context,
            SubscriptionDocument.Of(made!, secret),
            SubscriptionJson.Default.EnvelopeSubscriptionDocument,
            status: 201
        );
    }

    static async Task ListAsync(HttpContext context, SubscriptionQueries queries)
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(20, MaxPage);
        var after = query.Id("cursor") ?? Guid.Empty;
        if (query.Faults is not [])
        {
            await Problems.InvalidAsync(context, query.Faults);
            return;
        }
        var rows = await queries.PageAsync(Owner(context), after, limit + 1, context.RequestAborted);
        await Responses.OkAsync<IReadOnlyList<SubscriptionDocument>>(
            context,
            [.. rows.Take(limit).Select(row => SubscriptionDocument.Of(row))],
            SubscriptionJson.Default.EnvelopeIReadOnlyListSubscriptionDocument,
            page: new(limit, rows.Count > limit ? rows[limit - 1].Id.ToString() : null)
        );
    }

    static async Task DeleteAsync(
        HttpContext context,
        string id,
        Subscriptions subscriptions,
        SubscriptionQueries queries
    )
    {
        // A second deletion finds nothing and is as good as the first; another's is not told from one that never was.
        if (await FindAsync(context, id, queries) is { } found)
            await subscriptions.DeleteAsync(found.Id, context.Intend());
        else if (!Ids.TryParse(id, out _))
        {
            await Problems.WriteAsync(context, ProblemType.SubscriptionNotFound, "There is no such subscription.");
            return;
        }
        context.Response.StatusCode = 204;
    }

    static async Task AttemptsAsync(HttpContext context, Subscription subscription)
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(20, MaxPage);
        var before = query.Number("cursor", 1) ?? long.MaxValue;
        if (query.Faults is not [])
        {
            await Problems.InvalidAsync(context, query.Faults);
            return;
        }
        var rows = await Queries(context).AttemptsAsync(subscription.Id, before, limit + 1, context.RequestAborted);
        await Responses.OkAsync<IReadOnlyList<AttemptDocument>>(
            context,
            [.. rows.Take(limit).Select(AttemptDocument.Of)],
            SubscriptionJson.Default.EnvelopeIReadOnlyListAttemptDocument,
            page: new(limit, rows.Count > limit ? Positions.Text(rows[limit - 1].Id) : null)
        );
    }

    static async Task ParkedAsync(HttpContext context, Subscription subscription)
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(20, MaxPage);
        var after = query.Id("cursor") ?? Guid.Empty;
        if (query.Faults is not [])
        {
            await Problems.InvalidAsync(context, query.Faults);
            return;
        }
        var rows = await Queries(context).ParkedAsync(subscription.Id, after, limit + 1, context.RequestAborted);
        await Responses.OkAsync<IReadOnlyList<ParkedDocument>>(
            context,
            [.. rows.Take(limit).Select(ParkedDocument.Of)],
            SubscriptionJson.Default.EnvelopeIReadOnlyListParkedDocument,
            page: new(limit, rows.Count > limit ? rows[limit - 1].Resource.ToString() : null)
        );
    }

    static async Task ChangeAsync(
        HttpContext context,
        Subscription subscription,
        Func<Subscriptions, Intent, Task> change
    )
    {
        await change(All(context), context.Intend());
        await ShowAsync(context, subscription.Id);
    }

    static async Task RotateAsync(HttpContext context, Subscription subscription)
    {
        if (
            await All(context).RotateAsync(subscription.Id, subscription.Kind, context.Intend(), context.RequestAborted)
            is not { } secret
        )
        {
            await RefuseKindAsync(context, subscription);
            return;
        }
        var until = (
            await Queries(context).FindAsync(subscription.Id, null, context.RequestAborted)
        )?.PreviousSecretUntil;
        await Responses.OkAsync(
            context,
            new SecretDocument(secret, until),
            SubscriptionJson.Default.EnvelopeSecretDocument
        );
    }

    static async Task TestAsync(HttpContext context, Subscription subscription)
    {
        if (
            await context
                .RequestServices.GetRequiredService<IClusterClient>()
                .GetGrain<ISubscriptionGrain>(subscription.Id)
                .Test()
            is not { } outcome
        )
            await RefuseKindAsync(context, subscription);
        else
            await Responses.OkAsync(context, TestDocument.Of(outcome), SubscriptionJson.Default.EnvelopeTestDocument);
    }

    static Task ReplayAsync(HttpContext context, Subscription subscription) =>
        RequestBody.TakeAsync(
            context,
            (body, faults) => SubscriptionBodies.Replay(body, subscription.Position, faults),
            async asked =>
            {
                if (asked.Position is { } position)
                    await All(context).ReplayAsync(subscription.Id, position, context.Intend());
                else if (
                    !await All(context)
                        .RetryAsync(subscription.Id, asked.Resource!.Value, context.Intend(), context.RequestAborted)
                )
                {
                    await Problems.WriteAsync(context, ProblemType.ResourceNotParked, "The resource is not parked.");
                    return;
                }
                await ShowAsync(context, subscription.Id);
            }
        );

    static async Task ShowAsync(HttpContext context, Guid id)
    {
        if (await Queries(context).FindAsync(id, null, context.RequestAborted) is { } now)
            await Responses.OkAsync(
                context,
                SubscriptionDocument.Of(now),
                SubscriptionJson.Default.EnvelopeSubscriptionDocument
            );
        else
            await Problems.WriteAsync(context, ProblemType.SubscriptionNotFound, "It was deleted meanwhile.");
    }

    /// <summary>Answers that the subscription delivers in another way.</summary>
    internal static Task RefuseKindAsync(HttpContext context, Subscription subscription) =>
        Problems.WriteAsync(context, ProblemType.OtherDelivery, $"The subscription's delivery is {subscription.Kind}.");

    static Subscriptions All(HttpContext context) => context.RequestServices.GetRequiredService<Subscriptions>();

    static SubscriptionQueries Queries(HttpContext context) =>
        context.RequestServices.GetRequiredService<SubscriptionQueries>();
}
