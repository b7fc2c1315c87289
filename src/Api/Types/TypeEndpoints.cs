using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>REST for types: declares, reads, changes and deletes them.</summary>
public static class TypeEndpoints
{
    const string Json = "application/json";
    const int StandardPage = 20;
    const int MaxPage = 50;

    const string Example = """
        {"name":"bicycle","title":"Bicycle","schema":{"type":"object","additionalProperties":false,"required":["frame"],"properties":{"frame":{"type":"string"},"gears":{"type":"integer","minimum":1}}},"unique":{"frame":{"members":["/metadata/frame"]}}}
        """;

    /// <summary>What a change of a definition may append.</summary>
    static readonly string[] Changes =
    [
        "type.change_proposed",
        "type.migration_begun",
        "type.migration_closing",
        "type.changed",
        "type.change_abandoned",
    ];

    public static void MapTypes(this RouteGroupBuilder api)
    {
        var types = api.MapGroup("/types").WithTags("types");
        types
            .MapRead("", ListAsync)
            .WithName("listTypes")
            .WithSummary("List types")
            .WithDescription(
                "Sorted by name: all types with `type:read` or `type:manage`, else those whose resources are within your reach."
            )
            .TakesHeaders(RequestHeaders.IfNoneMatch)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .Answers<Envelope<IReadOnlyList<TypeDocument>>>(200)
            .Produces(304);
        types
            .MapPost("", DeclareAsync)
            .Require(Permissions.TypeManage)
            .WithName("declareType")
            .Audits(Changes)
            .WithSummary("Declare a type")
            .WithDescription(
                "Resources of the name that exist already are checked first. They all have to satisfy the definition."
            )
            .TakesQuery(TypeParameters.DryRun, TypeParameters.Wait)
            .TakesHeaders(RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position, AnswerHeaders.Location)
            .TakesBody<TypeDeclaration>(Example)
            .Answers<Envelope<TypeDocument>>(201)
            .Answers<Envelope<TypeReportDocument>>(200)
            .Answers<Envelope<TypeChangeDocument>>(202)
            .Refuses(409, 413, 415, 422);

        var one = types.MapGroup("/{type}").TakesPath(TypeParameters.Type);
        one.MapRead("", GetAsync)
            .WithName("getType")
            .WithSummary("Get a type")
            .WithDescription("Returns the current definition, or an earlier one with `version`.")
            .TakesQuery(TypeParameters.Version)
            .ChecksFirst(CheckSeenAsync)
            .TakesHeaders(RequestHeaders.IfNoneMatch)
            .Carries(AnswerHeaders.ETag)
            .Answers<Envelope<TypeDocument>>(200)
            .Produces(304)
            .Refuses(404);
        one.MapPut("", ReplaceAsync)
            .Require(Permissions.TypeManage)
            .WithName("replaceType")
            .Audits(Changes)
            .WithSummary("Replace a type's definition")
            .WithDescription(
                "A change that stored resources may contradict is checked against them, and comes into force only if all satisfy it."
            )
            .ChecksFirst(CheckAsync)
            .TakesQuery(TypeParameters.DryRun, TypeParameters.Wait)
            .TakesHeaders(RequestHeaders.IfMatch with { IsRequired = true }, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position, AnswerHeaders.Location)
            .TakesBody<TypeReplacement>(Example)
            .Answers<Envelope<TypeDocument>>(200)
            .OrAnswers<Envelope<TypeReportDocument>>()
            .Answers<Envelope<TypeChangeDocument>>(202)
            .Refuses(404, 409, 412, 413, 415, 422, 428);
        one.MapPatch("", PatchAsync)
            .Require(Permissions.TypeManage)
            .WithName("patchType")
            .Audits(Changes)
            .WithSummary("Patch a type's definition")
            .WithDescription("Takes a JSON Merge Patch (RFC 7396).")
            .ChecksFirst(CheckAsync)
            .TakesQuery(TypeParameters.Wait)
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position, AnswerHeaders.Location)
            .TakesBody<TypePatch>("""{"title":"Bike"}""", RequestBody.MergePatches)
            .Answers<Envelope<TypeDocument>>(200)
            .Answers<Envelope<TypeChangeDocument>>(202)
            .Refuses(404, 409, 412, 413, 415, 422);
        one.MapDelete("", DeleteAsync)
            .Require(Permissions.TypeManage)
            .WithName("deleteType")
            .Audits("type.change_proposed", "type.deleted", "type.change_abandoned")
            .WithSummary("Delete a type")
            .WithDescription("Refused while live resources or other types need it. Its name is free afterwards.")
            .ChecksFirst(CheckAsync)
            .TakesQuery(TypeParameters.Wait)
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.Position, AnswerHeaders.Location)
            .Produces(204)
            .Answers<Envelope<TypeChangeDocument>>(202)
            .Refuses(404, 409, 412, 422);
        one.MapRead("/change", GetChangeAsync)
            .Require(Permissions.TypeManage)
            .WithName("getTypeChange")
            .WithSummary("Get the change of a type")
            .WithDescription(
                "Returns the change that is being checked, or the last one. One that was given up is a 409."
            )
            .Answers<Envelope<TypeChangeDocument>>(200)
            .Refuses(404, 409);
        one.MapDelete("/change", WithdrawAsync)
            .Require(Permissions.TypeManage)
            .WithName("abandonTypeChange")
            .Audits("type.change_abandoned")
            .WithSummary("Abandon the change of a type")
            .WithDescription("Writes are no longer held to it. A migration that has begun cannot be abandoned.")
            .TakesHeaders(RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.Position)
            .Produces(204)
            .Refuses(404, 409, 422);
        one.MapPost("/change/close", CloseAsync)
            .Require(Permissions.TypeManage)
            .WithName("closeTypeMigration")
            .Audits("type.migration_closing")
            .WithSummary("Take nothing in the old form any more")
            .WithDescription(
                "Ends the time in which both forms are taken. What still has the old form is migrated, and the change is in force."
            )
            .TakesQuery(TypeParameters.Wait)
            .TakesHeaders(RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .Answers<Envelope<TypeDocument>>(200)
            .Answers<Envelope<TypeChangeDocument>>(202)
            .Refuses(404, 409, 422);
        one.MapRead("/events", EventsAsync)
            .Require(Permissions.TypeRead)
            .WithName("listTypeEvents")
            .WithSummary("List a type's history")
            .WithDescription("Oldest first, as CloudEvents.")
            .TakesQuery(TypeParameters.After, PageParameters.Limit)
            .ChecksFirst(CheckHistoryAsync)
            .Answers<Envelope<IReadOnlyList<CloudEvent>>>(200)
            .Refuses(404);
    }

    static async Task<Answer> ListAsync(HttpContext context, TypeDoor door)
    {
        var reply = await door.ListAsync(context.Caller(), context.RequestAborted);
        var types = reply.Value!;
        var tag = TypeListTag.Of(types);
        if (EntityTags.IsHeld(context.Request, tag))
            return Answer.NotModified(tag, reply.Position);
        await ResponseMemory.ReserveAsync(context, types.Sum(type => type.State!.Form!.Definition.Utf8.Length));
        return new Answer<IReadOnlyList<TypeDocument>>([
            .. types.Select(type => TypeDocument.Of(type.State!, type.Head)),
        ])
        {
            EntityTag = tag,
            Position = reply.Position,
            IsCacheable = true,
        };
    }

    static async Task<Answer> GetAsync(HttpContext context, string type, TypeDoor door)
    {
        var query = new QueryReader(context.Request);
        var version = query.Number("version", 1);
        if (query.Faults is not [])
            return await ApiGroup.RefusalAsync(context, query.Faults);
        var reply = await door.GetAsync(context.Caller(), type, version);
        if (reply.Rejection is { } rejection)
            return rejection;
        return EntityTags.Held(context.Request, reply.Version) is { } held
            ? Answer.NotModified(held)
            : new Answer<TypeDocument>(
                TypeDocument.Of(
                    reply,
                    version is null ? await door.IndexesAsync(reply.Value!, context.RequestAborted) : null
                )
            )
            {
                EntityTag = EntityTags.Of(reply.Version),
                IsCacheable = true,
            };
    }

    static async Task<Answer> DeclareAsync(HttpContext context, TypeDoor door, TypeDryRun dryRun)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, Json);
        if (body is null)
            return Answer.UnsupportedMediaType(context.Request.Method, Json);
        var asked = TypeChangeRequest.Read(context, body, faults);
        var definition = body.Document is { } document ? TypeBodies.Definition(document.RootElement, faults) : null;
        var name = definition is null ? null : TypeBodies.NameIn(definition, faults);
        if (asked is null || faults is not [])
            return Answer.Invalid(faults);
        return asked.IsDryRun
            ? await dryRun.RunAsync(context, name!, definition!, conditions: null)
            : await asked.SendAsync(
                context,
                door,
                name!,
                new DeclareType(name!, definition!),
                StatusCodes.Status201Created
            );
    }

    static async Task<Answer> ReplaceAsync(HttpContext context, string type, TypeDoor door, TypeDryRun dryRun)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, Json);
        if (body is null)
            return await UnsupportedAsync(context, Json);
        var asked = TypeChangeRequest.Read(context, body, faults);
        if (asked is null || body.Document is not { } document || faults is not [])
            return await ApiGroup.RefusalAsync(context, faults);
        // Else the type decides: a repeated request has its first answer, though the type may be gone.
        var isConditional = context.Request.Headers.IfMatch.Count > 0;
        if ((asked.IsDryRun || !isConditional) && await CheckAsync(context) is { } missing)
            return missing;
        if (!asked.IsDryRun && !isConditional)
            return Answer.Refused(
                ProblemType.PreconditionRequired,
                "Send If-Match with the version you have read, or * for any."
            );
        var definition = await TypeBodies.ReplacementAsync(context, door, type, document.RootElement, faults);
        if (definition is null || faults is not [])
            return await ApiGroup.RefusalAsync(context, faults);
        return asked.IsDryRun
            ? await dryRun.RunAsync(context, type, definition, asked.Attempt.Conditions)
            : await asked.SendAsync(context, door, type, new ReplaceType(definition), StatusCodes.Status200OK);
    }

    static async Task<Answer> PatchAsync(HttpContext context, string type, TypeDoor door)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, RequestBody.MergePatches);
        if (body is null)
            return await UnsupportedAsync(context, RequestBody.MergePatches);
        var asked = TypeChangeRequest.Read(context, body, faults);
        var patch = body.Document is { } document ? TypeBodies.Definition(document.RootElement, faults) : null;
        if (asked is null || patch is null || faults is not [])
            return await ApiGroup.RefusalAsync(context, faults);
        return await asked.SendAsync(context, door, type, new PatchType(patch), StatusCodes.Status200OK);
    }

    static async Task<Answer> DeleteAsync(HttpContext context, string type, TypeDoor door)
    {
        var faults = new List<Fault>();
        return TypeChangeRequest.Read(context, null, faults) is { } asked
            ? await asked.SendAsync(context, door, type, new DeleteType(), StatusCodes.Status204NoContent)
            : await ApiGroup.RefusalAsync(context, faults);
    }

    static async Task<Answer> GetChangeAsync(HttpContext context, string type, TypeDoor door)
    {
        var reply = await door.GetChangeAsync(type, context.RequestAborted);
        return reply.Rejection is { } rejection ? rejection
            : reply.Value.Proposal is { } proposal ? Answer.Of(TypeChangeDocument.Of(proposal, reply.Value.Progress))
            : Answer.Of(TypeChangeDocument.Of(reply.Value.Outcome!));
    }

    static async Task<Answer> WithdrawAsync(HttpContext context, string type, TypeDoor door)
    {
        var faults = new List<Fault>();
        return TypeChangeRequest.Read(context, null, faults) is { } asked
            ? await asked.SendAsync(context, door, type, new WithdrawTypeChange(), StatusCodes.Status204NoContent)
            : Answer.Invalid(faults);
    }

    static async Task<Answer> CloseAsync(HttpContext context, string type, TypeDoor door)
    {
        var faults = new List<Fault>();
        return TypeChangeRequest.Read(context, null, faults) is { } asked
            ? await asked.SendAsync(context, door, type, new CloseTypeMigration(null), StatusCodes.Status200OK)
            : Answer.Invalid(faults);
    }

    static async Task<Answer> EventsAsync(HttpContext context, string type, TypeDoor door)
    {
        var query = new QueryReader(context.Request);
        var after = query.Number("after", 0) ?? 0;
        var limit = query.Limit(StandardPage, MaxPage);
        if (query.Faults is not [])
            return await ApiGroup.RefusalAsync(context, query.Faults);
        var reply = await door.ReadAsync(context.Caller(), type, after, limit, context.RequestAborted);
        if (reply.Rejection is { } rejection)
            return rejection;
        var (events, hasMore) = reply.Value!;
        return new Answer<IReadOnlyList<CloudEvent>>([.. events.Select(CloudEvent.OfType)])
        {
            Page = new(limit, hasMore ? Responses.Text(events[^1].Version) : null),
        };
    }

    static async Task<Answer> UnsupportedAsync(HttpContext context, params string[] mediaTypes) =>
        await CheckAsync(context) is { } rejection
            ? rejection
            : Answer.UnsupportedMediaType(context.Request.Method, mediaTypes);

    /// <summary>Why the type that the address names is not there; null when it is.</summary>
    static async Task<Rejection?> CheckAsync(HttpContext context) =>
        await context
            .RequestServices.GetRequiredService<TypeDoor>()
            .CheckAsync((string)context.Request.RouteValues["type"]!);

    /// <summary>The same for its history, which a deleted type has, too.</summary>
    static Task<Rejection?> CheckHistoryAsync(HttpContext context) =>
        context
            .RequestServices.GetRequiredService<TypeDoor>()
            .CheckHistoryAsync(context.Caller(), (string)context.Request.RouteValues["type"]!);

    /// <summary>The same for a caller who may not see it.</summary>
    static async Task<Rejection?> CheckSeenAsync(HttpContext context) =>
        (
            await context
                .RequestServices.GetRequiredService<TypeDoor>()
                .GetAsync(context.Caller(), (string)context.Request.RouteValues["type"]!)
        ).Rejection;
}
