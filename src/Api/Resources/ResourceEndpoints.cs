using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>REST for resources: reads what is asked, goes through the door, and turns its reply into an answer.</summary>
public static class ResourceEndpoints
{
    const string Json = "application/json";
    const string JsonPatch = "application/json-patch+json";
    const string ExtendedPatch = "application/vnd.resources.patch+json";

    /// <summary>What PATCH takes. A plain JSON document is a merge patch.</summary>
    internal static readonly string[] Patches = [.. RequestBody.MergePatches, JsonPatch, ExtendedPatch];

    public static void MapResources(this RouteGroupBuilder api)
    {
        var resources = api.MapGroup("/resources").WithTags("resources");
        resources
            .MapPost("", CreateAsync)
            .Require(Permissions.ResourceCreate)
            .WithName("createResource")
            .Audits("resource.created")
            .WithSummary("Create a resource")
            .TakesHeaders(RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position, AnswerHeaders.Location)
            .TakesBody<ResourceCreation>(
                """{"name":"Blue bicycle","type":"bicycle","status":"active","metadata":{"color":"blue","gears":7}}"""
            )
            .Answers<Envelope<ResourceDocument>>(201)
            .Refuses(409, 413, 415, 422);
        resources
            .MapRead("", ResourceLists.ListAsync)
            .Require(Permissions.ResourceRead)
            .WithName("listResources")
            .WithSummary("List resources")
            .WithDescription("Filters, searches and sorts. Newest first, unless `sort` is given.")
            .TakesQuery(ResourceParameters.OfLists)
            .WithMetadata(ResourceParameters.Follows)
            .TakesHeaders(RequestHeaders.IfNoneMatch, ResourceParameters.MinPosition)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .Answers<Envelope<IReadOnlyList<Partial<ListedResource>>>>(200)
            .Produces(304);
        api.MapRead("/statistics", StatisticsEndpoint.CountAsync)
            .Require(Permissions.ResourceRead)
            .WithTags("resources")
            .WithName("getStatistics")
            .WithSummary("Get resource statistics")
            .WithDescription(
                "Counts live resources by type, by status and by creation day. "
                    + "With `groupBy`, `sum`, `avg`, `min` and `max`, also in groups with figures of their members."
            )
            .TakesQuery([
                ResourceParameters.Type,
                ResourceParameters.Status,
                ResourceParameters.From,
                ResourceParameters.To,
                ResourceParameters.GroupBy,
                .. ResourceParameters.Aggregates,
                ResourceParameters.Consistency,
            ])
            .TakesHeaders(RequestHeaders.IfNoneMatch, ResourceParameters.MinPosition)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .Answers<Envelope<StatisticsDocument>>(200)
            .Produces(304);

        var one = resources.MapGroup("/{id}").TakesPath(ResourceParameters.Id);
        one.MapRead("", GetAsync)
            .Require(Permissions.ResourceRead)
            .WithName("getResource")
            .WithSummary("Get a resource")
            .WithDescription("Returns the current state, or an earlier one with `version` or `at`.")
            .TakesQuery(ResourceParameters.Version, ResourceParameters.At, ResourceParameters.Fields)
            .ChecksFirst(CheckReadAsync)
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch)
            .Carries(AnswerHeaders.ETag)
            .Answers<Envelope<Partial<ResourceDocument>>>(200)
            .Produces(304)
            .Refuses(404, 410, 412);
        one.MapPut("", ReplaceAsync)
            .Require(Permissions.ResourceUpdate)
            .WithName("replaceResource")
            .Audits("resource.replaced")
            .WithSummary("Replace a resource")
            .WithDescription(
                "Takes back the document that a GET returned: members that the server keeps may be sent unchanged. "
                    + "A changed one is 400 with its pointer."
            )
            .ChecksFirst(context => CheckAsync(context, Permissions.ResourceUpdate))
            .TakesHeaders(
                RequestHeaders.IfMatch with
                {
                    IsRequired = true,
                },
                RequestHeaders.IfNoneMatch,
                RequestHeaders.IdempotencyKey
            )
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .TakesBody<ResourceReplacement>(
                """{"name":"Red bicycle","status":"active","metadata":{"color":"red","gears":7}}"""
            )
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 409, 410, 412, 413, 415, 422, 428);
        one.MapPatch("", PatchAsync)
            .Require(Permissions.ResourceUpdate)
            .WithName("patchResource")
            .Audits("resource.renamed", "resource.status_changed", "resource.metadata_changed", "resource.changed")
            .WithSummary("Patch a resource")
            .WithDescription(
                "Takes a JSON Merge Patch (RFC 7396), also as `application/json`, or a JSON Patch (RFC 6902). "
                    + "`application/vnd.resources.patch+json` is a JSON Patch that also has `increment`, `addToSet` and "
                    + "`removeFromSet`, for changes that need no reading first. "
                    + "An increment beyond its `minimum` or `maximum` is 409 `BOUND_EXCEEDED`."
            )
            .ChecksFirst(context => CheckAsync(context, Permissions.ResourceUpdate))
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .TakesPatches()
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 409, 410, 412, 413, 415, 422);
        one.MapDelete("", DeleteAsync)
            .Require(Permissions.ResourceDelete)
            .WithName("deleteResource")
            .Audits("resource.deleted")
            .WithSummary("Delete a resource")
            .WithDescription("The history remains, and the resource can be restored.")
            .ChecksFirst(context => CheckAsync(context, Permissions.ResourceDelete, deletedToo: true))
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.Position)
            .Produces(204)
            .Refuses(404, 409, 412, 422);
        one.MapPost("/restore", RestoreAsync)
            .Require(Permissions.ResourceDelete)
            .WithName("restoreResource")
            .Audits("resource.restored")
            .WithSummary("Restore a deleted resource")
            .WithDescription("With a body it is replaced at the same time, which needs `resource:update`, too.")
            .ChecksFirst(context => CheckAsync(context, Permissions.ResourceDelete, deletedToo: true))
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .MayTakeBody<ResourceReplacement>("""{"name":"Red bicycle","metadata":{"colour":"red","gears":21}}""")
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 409, 412, 413, 415, 422);
    }

    /// <summary>Describes the patches that a resource takes.</summary>
    internal static RouteHandlerBuilder TakesPatches(this RouteHandlerBuilder endpoint) =>
        endpoint
            .TakesBody<ResourceChange>(
                """{"name":"Green bicycle","metadata":{"color":"green","gears":null}}""",
                RequestBody.MergePatches
            )
            .TakesBody<ResourcePatchOperation[]>(
                """[{"op":"test","path":"/status","value":"active"},{"op":"replace","path":"/metadata/color","value":"green"}]""",
                JsonPatch
            )
            .TakesBody<ResourceOperation[]>(
                """[{"op":"increment","path":"/metadata/stock","value":-1,"minimum":0},{"op":"addToSet","path":"/metadata/tags","value":"sold"}]""",
                ExtendedPatch
            );

    internal static async Task<Answer> CreateAsync(HttpContext context, ResourceDoor door)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, Json);
        if (body is null)
            return Answer.UnsupportedMediaType(context.Request.Method, Json);
        var create = body.Document is { } document
            ? ResourceBodies.Creation(document.RootElement, faults, (string?)context.Request.RouteValues["type"])
            : null;
        if (IdempotencyKey.ReadAttempt(context, body.Bytes, faults) is not { } attempt || create is null)
            return Answer.Invalid(faults);
        var caller = context.Caller();
        var id = attempt.NewId(caller);
        await ResponseMemory.ReserveAsync(context, create.Metadata.Utf8.Length);
        return Written(id, await door.ExecuteAsync(caller, id, create, attempt), StatusCodes.Status201Created);
    }

    internal static async Task<Answer> GetAsync(HttpContext context, string id, ResourceDoor door)
    {
        if (!Ids.TryParse(id, out var resource))
            return Missing;
        var query = context.Request.QueryString.HasValue ? new QueryReader(context.Request) : null;
        var moment = query is null ? null : await PointInTime.ReadAsync(context, query, door);
        if (query is not null)
            Fields.Check(query);
        var faults = query?.Faults ?? [];
        var conditions = EntityTags.Read(context.Request, faults);
        if (faults is not [])
            return await ApiGroup.RefusalAsync(context, faults);

        var reply = await door.GetAsync(context.Caller(), resource, moment);
        if (reply.Rejection is { } rejection)
            return rejection;
        if (!conditions.IfMatchHolds(reply.Version))
            return Resource.Mismatch(reply.Version);
        if (EntityTags.Held(context.Request, reply.Version) is { } held)
            return Answer.NotModified(held);
        var document = ResourceDocument.Of(resource, reply.Version, reply.Value!);
        return query?.Text("fields") is { } fields
            ? Found(Fields.Pick(document, fields), reply.Version)
            : Found(document, reply.Version);
    }

    internal static async Task<Answer> ReplaceAsync(HttpContext context, string id, ResourceDoor door)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, Json);
        if (body is null)
            return await UnsupportedAsync(context, Json);
        var replace = body.Document is { } document
            ? ResourceBodies.Replacement(document.RootElement, Ids.TryParse(id, out var named) ? named : null, faults)
            : null;
        var attempt = IdempotencyKey.ReadAttempt(context, body.Bytes, faults);
        if (faults is [] && context.Request.Headers.IfMatch.Count is 0)
            return await CheckAsync(context, Permissions.ResourceUpdate) is { } rejection
                ? rejection
                : Answer.Refused(
                    ProblemType.PreconditionRequired,
                    "Send If-Match with the version you have read, or * for any."
                );
        return await ChangeAsync(context, id, door, replace, attempt, faults);
    }

    internal static async Task<Answer> PatchAsync(HttpContext context, string id, ResourceDoor door)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, Patches);
        if (body is null)
            return await UnsupportedAsync(context, Patches);
        var attempt = IdempotencyKey.ReadAttempt(context, body.Bytes, faults);
        return await ChangeAsync(context, id, door, PatchOf(body), attempt, faults);
    }

    internal static PatchResource PatchOf(RequestBody body) =>
        new(
            body.MediaType switch
            {
                JsonPatch => PatchFormat.Json,
                ExtendedPatch => PatchFormat.Extended,
                _ => PatchFormat.Merge,
            },
            body.Bytes
        );

    internal static async Task<Answer> DeleteAsync(HttpContext context, string id, ResourceDoor door)
    {
        var faults = new List<Fault>();
        if (IdempotencyKey.ReadAttempt(context, [], faults) is not { } attempt)
            return await ApiGroup.RefusalAsync(context, faults);
        if (!Ids.TryParse(id, out var resource))
            return Missing;
        var reply = await door.ExecuteAsync(context.Caller(), resource, new DeleteResource(), attempt);
        return Deleted(reply);
    }

    internal static async Task<Answer> RestoreAsync(HttpContext context, string id, ResourceDoor door)
    {
        var faults = new List<Fault>();
        if (!RequestBody.IsIn(context))
        {
            var bare = IdempotencyKey.ReadAttempt(context, [], faults);
            return await ChangeAsync(context, id, door, new RestoreResource(), bare, faults);
        }
        using var body = await RequestBody.ReadAsync(context, faults, Json);
        if (body is null)
            return await CheckAsync(context, Permissions.ResourceDelete, deletedToo: true) is { } rejection
                ? rejection
                : Answer.UnsupportedMediaType(context.Request.Method, Json);
        var replace = body.Document is { } document
            ? ResourceBodies.Replacement(document.RootElement, Ids.TryParse(id, out var named) ? named : null, faults)
            : null;
        var attempt = IdempotencyKey.ReadAttempt(context, body.Bytes, faults);
        return await ChangeAsync(context, id, door, new RestoreResource(replace), attempt, faults);
    }

    static async Task<Answer> ChangeAsync(
        HttpContext context,
        string id,
        ResourceDoor door,
        ResourceCommand? command,
        Attempt? attempt,
        List<Fault> faults
    )
    {
        if (faults is not [])
            return await ApiGroup.RefusalAsync(context, faults);
        if (!Ids.TryParse(id, out var resource))
            return Missing;
        if ((command as ReplaceResource ?? (command as RestoreResource)?.Replacement) is { } replace)
            await ResponseMemory.ReserveAsync(context, replace.Metadata.Utf8.Length);
        return Written(resource, await door.ExecuteAsync(context.Caller(), resource, command!, attempt!));
    }

    static async Task<Answer> UnsupportedAsync(HttpContext context, params string[] mediaTypes) =>
        await CheckAsync(context, Permissions.ResourceUpdate) is { } rejection
            ? rejection
            : Answer.UnsupportedMediaType(context.Request.Method, mediaTypes);

    /// <summary>The answer to a write: the resource as it is after it.</summary>
    public static Answer Written(Guid id, Reply<Resource> reply, int status = StatusCodes.Status200OK) =>
        reply.Rejection is { } rejection
            ? rejection
            : new Answer<ResourceDocument>(ResourceDocument.Of(id, reply.Version, reply.Value!))
            {
                Status = status,
                EntityTag = EntityTags.Of(reply.Version),
                Position = reply.Position,
                Replayed = reply.Replayed,
                IsCacheable = true,
                Location = status is StatusCodes.Status201Created ? $"{ApiGroup.Path}/resources/{id}" : null,
            };

    /// <summary>The answer to a deletion.</summary>
    internal static Answer Deleted(Reply<Resource> reply) =>
        reply.Rejection is { } rejection
            ? rejection
            : new EmptyAnswer
            {
                Status = StatusCodes.Status204NoContent,
                Position = reply.Position,
                Replayed = reply.Replayed,
            };

    static Answer<T> Found<T>(T document, long version)
        where T : notnull => new(document) { EntityTag = EntityTags.Of(version), IsCacheable = true };

    static readonly Rejection Missing = new(Refusal.NotFound, "There is no such resource.");

    /// <summary>Why the resource that the address names is not there for the caller; null when it is.</summary>
    internal static Task<Rejection?> CheckAsync(HttpContext context, string permission, bool deletedToo = false) =>
        context
            .RequestServices.GetRequiredService<ResourceDoor>()
            .CheckAsync(
                context.Caller(),
                permission,
                Ids.TryParse((string)context.Request.RouteValues["id"]!, out var id) ? id : null,
                deletedToo
            );

    /// <summary>For reads: a version of a resource that is deleted today may be live.</summary>
    internal static Task<Rejection?> CheckReadAsync(HttpContext context) =>
        CheckAsync(
            context,
            Permissions.ResourceRead,
            deletedToo: context.Request.Query.ContainsKey("version") || context.Request.Query.ContainsKey("at")
        );
}
