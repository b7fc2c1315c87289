using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Resources below their type, for generated clients: the handlers of <c>/resources</c> with the type fixed. What is of
/// another type is not found here.
/// </summary>
public static class TypedRoutes
{
    static readonly Rejection Missing = new(Refusal.NotFound, "There is no such resource.");

    public static void MapTypedRoutes(this RouteGroupBuilder api)
    {
        var typed = api.MapGroup("/types/{type}/resources").WithTags("types").TakesPath(TypeParameters.Type);
        typed
            .MapRead("", ResourceLists.ListAsync)
            .Require(Permissions.ResourceRead)
            .WithName("listResourcesOfType")
            .WithSummary("List the resources of a type")
            .WithDescription("As `GET /resources` with this type.")
            .TakesQuery([.. ResourceParameters.OfLists.Where(parameter => parameter.Name is not "type")])
            .WithMetadata(ResourceParameters.Follows)
            .TakesHeaders(RequestHeaders.IfNoneMatch, ResourceParameters.MinPosition)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .Answers<Envelope<IReadOnlyList<Partial<ListedResource>>>>(200)
            .Produces(304);
        typed
            .MapPost("", ResourceEndpoints.CreateAsync)
            .Require(Permissions.ResourceCreate)
            .WithName("createResourceOfType")
            .Audits("resource.created")
            .WithSummary("Create a resource of a type")
            .WithDescription("As `POST /resources` with this type.")
            .TakesHeaders(RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position, AnswerHeaders.Location)
            .TakesBody<ResourceCreation>("""{"name":"Blue bicycle","metadata":{"frame":"WBK-1234","gears":7}}""")
            .Answers<Envelope<ResourceDocument>>(201)
            .Refuses(409, 413, 415, 422);

        var one = typed.MapGroup("/{id}").TakesPath(ResourceParameters.Id).AddEndpointFilter(RefuseOthersAsync);
        one.MapRead("", ResourceEndpoints.GetAsync)
            .Require(Permissions.ResourceRead)
            .WithName("getResourceOfType")
            .WithSummary("Get a resource of a type")
            .WithDescription("As `GET /resources/{id}`.")
            .TakesQuery(ResourceParameters.Version, ResourceParameters.At, ResourceParameters.Fields)
            .ChecksTypeFirst(ResourceEndpoints.CheckReadAsync)
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch)
            .Carries(AnswerHeaders.ETag)
            .Answers<Envelope<Partial<ResourceDocument>>>(200)
            .Produces(304)
            .Refuses(404, 410, 412);
        one.MapPut("", ResourceEndpoints.ReplaceAsync)
            .Require(Permissions.ResourceUpdate)
            .WithName("replaceResourceOfType")
            .Audits("resource.replaced")
            .WithSummary("Replace a resource of a type")
            .WithDescription("As `PUT /resources/{id}`.")
            .ChecksTypeFirst(context => ResourceEndpoints.CheckAsync(context, Permissions.ResourceUpdate))
            .TakesHeaders(
                RequestHeaders.IfMatch with
                {
                    IsRequired = true,
                },
                RequestHeaders.IfNoneMatch,
                RequestHeaders.IdempotencyKey
            )
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .TakesBody<ResourceReplacement>("""{"name":"Red bicycle","metadata":{"frame":"WBK-1234","gears":7}}""")
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 409, 410, 412, 413, 415, 422, 428);
        one.MapPatch("", ResourceEndpoints.PatchAsync)
            .Require(Permissions.ResourceUpdate)
            .WithName("patchResourceOfType")
            .Audits("resource.changed")
            .WithSummary("Patch a resource of a type")
            .WithDescription("As `PATCH /resources/{id}`.")
            .ChecksTypeFirst(context => ResourceEndpoints.CheckAsync(context, Permissions.ResourceUpdate))
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .TakesPatches()
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 409, 410, 412, 413, 415, 422);
        one.MapDelete("", ResourceEndpoints.DeleteAsync)
            .Require(Permissions.ResourceDelete)
            .WithName("deleteResourceOfType")
            .Audits("resource.deleted")
            .WithSummary("Delete a resource of a type")
            .WithDescription("As `DELETE /resources/{id}`.")
            .ChecksTypeFirst(context =>
                ResourceEndpoints.CheckAsync(context, Permissions.ResourceDelete, deletedToo: true)
            )
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.Position)
            .Produces(204)
            .Refuses(404, 409, 412, 422);
        one.MapPost("/restore", ResourceEndpoints.RestoreAsync)
            .Require(Permissions.ResourceDelete)
            .WithName("restoreResourceOfType")
            .Audits("resource.restored")
            .WithSummary("Restore a deleted resource of a type")
            .WithDescription("As `POST /resources/{id}/restore`.")
            .ChecksTypeFirst(context =>
                ResourceEndpoints.CheckAsync(context, Permissions.ResourceDelete, deletedToo: true)
            )
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .MayTakeBody<ResourceReplacement>("""{"name":"Red bicycle","metadata":{"frame":"WBK-1234","gears":7}}""")
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 409, 412, 413, 415, 422);
        one.MapRead("/events", EventEndpoints.HistoryAsync)
            .Require(Permissions.ResourceRead)
            .WithName("listEventsOfResourceOfType")
            .WithSummary("List or stream the history of a resource of a type")
            .WithDescription("As `GET /resources/{id}/events`.")
            .TakesQuery(EventParameters.OfPages)
            .ChecksTypeFirst(EventEndpoints.CheckHistoryAsync)
            .Streams()
            .Refuses(404);
    }

    static async ValueTask<object?> RefuseOthersAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    ) => await CheckAsync(invocation.HttpContext) is { } rejection ? Answer.Refused(rejection) : await next(invocation);

    /// <summary>Says what comes before bad input: that there is no such resource of the type, and then the same as by id.</summary>
    static RouteHandlerBuilder ChecksTypeFirst(
        this RouteHandlerBuilder endpoint,
        Func<HttpContext, Task<Rejection?>> check
    ) => endpoint.ChecksFirst(async context => await CheckAsync(context) ?? await check(context));

    /// <summary>Why there is no resource of the type that the caller may reach; null when there is, deleted or not.</summary>
    static async Task<Rejection?> CheckAsync(HttpContext context) =>
        Ids.TryParse((string)context.Request.RouteValues["id"]!, out var id)
        && await context
            .RequestServices.GetRequiredService<ResourceDoor>()
            .ReachesAsync(
                context.Caller(),
                context.RequiredPermission(),
                id,
                (string)context.Request.RouteValues["type"]!
            )
            ? null
            : Missing;
}
