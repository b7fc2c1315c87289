using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>REST for resources: read what was asked, call the grain, map its reply.</summary>
public static class ResourceEndpoints
{
    const string Json = "application/json";
    const string MergePatch = "application/merge-patch+json";
    const string JsonPatch = "application/json-patch+json";

    public static void MapResources(this RouteGroupBuilder api)
    {
        var resources = api.MapGroup("/resources").WithTags("resources");
        resources
            .MapPost("", CreateAsync)
            .Require(Permissions.ResourceCreate)
            .WithName("createResource")
            .WithSummary("Create a resource")
            .Carries("Idempotency-Key", "ETag", "Position", "Location")
            .TakesBody<ResourceCreation>()
            .Answers<Envelope<ResourceDocument>>(201)
            .Refuses(413, 415, 422);
        resources
            .MapRead("", ResourceLists.ListAsync)
            .Require(Permissions.ResourceRead)
            .WithName("listResources")
            .WithSummary("List resources, newest first")
            .TakesQuery(
                "type",
                "status",
                "owner",
                "q",
                "filter",
                "sort",
                "limit",
                "cursor",
                "fields",
                "count",
                "includeDeleted",
                "consistency",
                "follow"
            )
            .WithMetadata(new StreamsEvents("follow"))
            .Carries("If-None-Match", "Min-Position", "ETag", "Position")
            .Answers<Envelope<IReadOnlyList<ResourceDocument>>>(200)
            .Produces(304);
        api.MapRead("/statistics", StatisticsEndpoint.StatisticsAsync)
            .Require(Permissions.ResourceRead)
            .WithTags("resources")
            .WithName("getStatistics")
            .WithSummary("Live resources in numbers")
            .TakesQuery("type", "status", "from", "to", "consistency")
            .Carries("If-None-Match", "Min-Position", "ETag", "Position")
            .Answers<Envelope<StatisticsDocument>>(200)
            .Produces(304);

        var one = resources.MapGroup("/{id}").AddEndpointFilter(HideOthersAsync);
        one.MapRead("", GetAsync)
            .Require(Permissions.ResourceRead)
            .WithName("getResource")
            .WithSummary("Read a resource, now or as it was")
            .TakesQuery("version", "at", "fields")
            .ChecksFirst(IsThereAsync)
            .Carries("If-Match", "If-None-Match", "ETag")
            .Answers<Envelope<ResourceDocument>>(200)
            .Produces(304)
            .Refuses(404, 410, 412);
        one.MapPut("", ReplaceAsync)
            .Require(Permissions.ResourceUpdate)
            .WithName("replaceResource")
            .WithSummary("Replace a resource as a whole")
            .ChecksFirst(IsLiveAsync)
            .Carries("If-Match", "If-None-Match", "Idempotency-Key", "ETag", "Position")
            .TakesBody<ResourceReplacement>()
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 410, 412, 413, 415, 422, 428);
        one.MapPatch("", PatchAsync)
            .Require(Permissions.ResourceUpdate)
            .WithName("patchResource")
            .WithSummary("Change parts of a resource")
            .ChecksFirst(IsLiveAsync)
            .Carries("If-Match", "If-None-Match", "Idempotency-Key", "ETag", "Position")
            .TakesBody<ResourceChange>(MergePatch, JsonPatch)
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 409, 410, 412, 413, 415, 422);
        one.MapDelete("", DeleteAsync)
            .Require(Permissions.ResourceDelete)
            .WithName("deleteResource")
            .WithSummary("Delete a resource; its history stays")
            .ChecksFirst(ExistsAsync)
            .Carries("If-Match", "If-None-Match", "Idempotency-Key", "Position")
            .Produces(204)
            .Refuses(404, 412, 422);
        one.MapPost("/restore", RestoreAsync)
            .Require(Permissions.ResourceDelete)
            .WithName("restoreResource")
            .WithSummary("Bring a deleted resource back")
            .ChecksFirst(ExistsAsync)
            .Carries("If-Match", "If-None-Match", "Idempotency-Key", "ETag", "Position")
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 412, 422);
    }

    static async Task CreateAsync(HttpContext context, IClusterClient cluster)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, Json);
        if (body is null)
        {
            await RequestBody.RefuseMediaTypeAsync(context, Json);
            return;
        }
        var create = body.Document is { } document ? ResourceBodies.Creation(document.RootElement, faults) : null;
        var key = IdempotencyKey.Read(context.Request, faults);
        var conditions = EntityTags.Read(context.Request, faults);
        if (faults is not [])
        {
            await Problems.InvalidAsync(context, faults);
            return;
        }

        var caller = context.CallerId();
        if (!context.Visible().Allows(create!.Type, caller))
        {
            await Problems.WriteAsync(
                context,
                ProblemType.Forbidden,
                "The caller may not create resources of this type."
            );
            return;
        }
        var id = IdempotencyKey.ResourceId(caller, key);
        var reply = await ExecuteAsync(
            cluster,
            id,
            create!,
            IdempotencyKey.Intend(context, caller, key, conditions, body.Bytes)
        );
        if (reply.Rejection is null)
            context.Response.Headers.Location = $"{ApiGroup.Path}/resources/{id}";
        await AnswerAsync(context, id, reply, status: 201);
    }

    static async Task GetAsync(HttpContext context, string id, IClusterClient cluster, ReadIndex index)
    {
        if (!Ids.TryParse(id, out var resource))
        {
            await Problems.RefuseAsync(context, Missing);
            return;
        }
        var grain = cluster.GetGrain<IResourceGrain>(resource);
        var query = context.Request.QueryString.HasValue ? new QueryReader(context.Request) : null;
        var moment = query is null ? null : await PointInTime.ReadAsync(query, index, context.RequestAborted);
        if (query is not null)
            Fields.Check(query);
        var faults = query?.Faults ?? [];
        var conditions = EntityTags.Read(context.Request, faults);
        if (faults is not [])
        {
            await ApiGroup.RefuseAsync(context, faults);
            return;
        }

        var reply = await ClusterCalls.SendAsync(_ => moment is null ? grain.Get() : grain.GetPast(moment));
        if (reply.Value is null || moment?.Version > reply.Version)
        {
            await Problems.RefuseAsync(
                context,
                moment?.Version is { } asked && (reply.Value is not null)
                    ? new(Refusal.VersionNotFound, $"The resource has no version {asked}.")
                    : Missing
            );
            return;
        }
        if (reply.Value.DeletedAt is not null)
        {
            await Problems.RefuseAsync(context, Gone);
            return;
        }
        if (!conditions.IfMatchHolds(reply.Version))
        {
            await Problems.RefuseAsync(context, Resource.Mismatch(reply.Version));
            return;
        }
        context.Response.Headers.CacheControl = "private, no-cache";
        if (EntityTags.Held(context.Request, reply.Version) is { } held)
        {
            context.Response.StatusCode = 304;
            context.Response.Headers.ETag = held;
            return;
        }
        context.Response.Headers.ETag = EntityTags.Of(reply.Version);
        var answer = ResourceDocument.Of(resource, reply.Version, reply.Value);
        if (query?.Text("fields") is { } fields)
            await Answers.OkAsync(context, Fields.Pick(answer, fields), WireJson.Default.EnvelopeJsonElement);
        else
            await Answers.OkAsync(context, answer, WireJson.Default.EnvelopeResourceDocument);
    }

    static async Task ReplaceAsync(HttpContext context, string id, IClusterClient cluster)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, Json);
        var replace = body?.Document is { } document ? ResourceBodies.Replacement(document.RootElement, faults) : null;
        await ChangeAsync(context, id, cluster, replace, body, faults, needsIfMatch: true, mediaTypes: [Json]);
    }

    static async Task PatchAsync(HttpContext context, string id, IClusterClient cluster)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, MergePatch, JsonPatch);
        var patch = body is null
            ? null
            : new PatchResource(body.MediaType == MergePatch ? PatchFormat.Merge : PatchFormat.Json, body.Bytes);
        await ChangeAsync(
            context,
            id,
            cluster,
            patch,
            body,
            faults,
            needsIfMatch: false,
            mediaTypes: [MergePatch, JsonPatch]
        );
    }

    static async Task DeleteAsync(HttpContext context, string id, IClusterClient cluster)
    {
        var reply = await CommandAsync(context, id, cluster, new DeleteResource(), [], []);
        if (reply is null)
            return;
        Answers.SetPosition(context, reply.Position);
        MarkReplay(context, reply);
        context.Response.StatusCode = 204;
    }

    static async Task RestoreAsync(HttpContext context, string id, IClusterClient cluster)
    {
        if (await CommandAsync(context, id, cluster, new RestoreResource(), [], []) is { } reply)
            await AnswerAsync(context, Guid.Parse(id), reply);
    }

    static async Task ChangeAsync(
        HttpContext context,
        string id,
        IClusterClient cluster,
        ResourceCommand? command,
        RequestBody? body,
        List<Fault> faults,
        bool needsIfMatch,
        string[] mediaTypes
    )
    {
        if (body is null)
        {
            if (await IsLiveAsync(context) is { } rejection)
                await Problems.RefuseAsync(context, rejection);
            else
                await RequestBody.RefuseMediaTypeAsync(context, mediaTypes);
            return;
        }
        if (faults is [] && needsIfMatch && context.Request.Headers.IfMatch.Count is 0 && HeaderFaults(context) is [])
        {
            if (await IsLiveAsync(context) is { } rejection)
                await Problems.RefuseAsync(context, rejection);
            else
                await Problems.WriteAsync(
                    context,
                    ProblemType.PreconditionRequired,
                    "Send If-Match with the version you have read, or * for any."
                );
            return;
        }
        if (await CommandAsync(context, id, cluster, command!, body.Bytes, faults) is { } reply)
            await AnswerAsync(context, Guid.Parse(id), reply);
    }

    /// <summary>Reads the headers of a write and runs it; a refusal is answered here and yields null.</summary>
    static async Task<Reply<Resource>?> CommandAsync(
        HttpContext context,
        string id,
        IClusterClient cluster,
        ResourceCommand command,
        byte[] body,
        List<Fault> faults
    )
    {
        var key = IdempotencyKey.Read(context.Request, faults);
        var conditions = EntityTags.Read(context.Request, faults);
        if (faults is not [])
        {
            await ApiGroup.RefuseAsync(context, faults);
            return null;
        }
        if (!Ids.TryParse(id, out var resource))
        {
            await Problems.RefuseAsync(context, Missing);
            return null;
        }
        var reply = await ExecuteAsync(
            cluster,
            resource,
            command,
            IdempotencyKey.Intend(context, context.CallerId(), key, conditions, body)
        );
        if (reply.Rejection is null)
            return reply;
        await Problems.RefuseAsync(context, reply.Rejection);
        return null;
    }

    static List<Fault> HeaderFaults(HttpContext context)
    {
        var faults = new List<Fault>();
        IdempotencyKey.Read(context.Request, faults);
        EntityTags.Read(context.Request, faults);
        return faults;
    }

    static Task<Reply<Resource>> ExecuteAsync(
        IClusterClient cluster,
        Guid id,
        ResourceCommand command,
        Intent intent
    ) => ClusterCalls.SendAsync(intent, sent => cluster.GetGrain<IResourceGrain>(id).Execute(command, sent));

    static Task AnswerAsync(HttpContext context, Guid id, Reply<Resource> reply, int status = 200)
    {
        if (reply.Rejection is { } rejection)
            return Problems.RefuseAsync(context, rejection);
        context.Response.Headers.ETag = EntityTags.Of(reply.Version);
        context.Response.Headers.CacheControl = "private, no-cache";
        MarkReplay(context, reply);
        return Answers.OkAsync(
            context,
            ResourceDocument.Of(id, reply.Version, reply.Value!),
            WireJson.Default.EnvelopeResourceDocument,
            reply.Position,
            status: status
        );
    }

    static void MarkReplay(HttpContext context, Reply<Resource> reply)
    {
        if (reply.Replayed)
            context.Response.Headers["Idempotency-Replayed"] = "true";
    }

    static readonly Rejection Missing = new(Refusal.NotFound, "There is no such resource.");
    static readonly Rejection Gone = new(Refusal.Deleted, "This resource was deleted.");

    /// <summary>
    /// Why a resource that an address names is not there for the caller; null when it is, deleted or not.
    /// </summary>
    internal static async Task<Rejection?> ExistsAsync(HttpContext context) =>
        (await NowAsync(context))?.Value is null ? Missing : null;

    static async Task<Rejection?> IsLiveAsync(HttpContext context) =>
        (await NowAsync(context))?.Value switch
        {
            null => Missing,
            { DeletedAt: not null } => Gone,
            _ => null,
        };

    /// <summary>
    /// For reads: a version of a resource that is deleted today may be live, so only its absence comes first then.
    /// </summary>
    static Task<Rejection?> IsThereAsync(HttpContext context) =>
        context.Request.Query.ContainsKey("version") || context.Request.Query.ContainsKey("at")
            ? ExistsAsync(context)
            : IsLiveAsync(context);

    /// <summary>The resource as it is; null when there is none that the caller may know of.</summary>
    static async Task<Reply<Resource>?> NowAsync(HttpContext context)
    {
        if (!Ids.TryParse((string)context.Request.RouteValues["id"]!, out var id))
            return null;
        var reply = await ClusterCalls.SendAsync(_ =>
            context.RequestServices.GetRequiredService<IClusterClient>().GetGrain<IResourceGrain>(id).Get()
        );
        return reply.Value is { } resource && !context.Visible().Allows(resource.Type, resource.Owner) ? null : reply;
    }

    /// <summary>
    /// Who may reach only what is theirs gets the same answer for what is another's as for what is not there.
    /// </summary>
    internal static async ValueTask<object?> HideOthersAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        var context = invocation.HttpContext;
        if (context.Visible().IsAll || (await NowAsync(context))?.Value is not null)
            return await next(invocation);
        await Problems.RefuseAsync(context, Missing);
        return Results.Empty;
    }
}
