using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Resources by a unique value in place of their id. A replacement of what is not there creates it.</summary>
public static class KeyedEndpoints
{
    public static void MapKeyed(this RouteGroupBuilder api)
    {
        var one = api.MapGroup("/types/{type}/by/{rule}/{value}")
            .WithTags("types")
            .TakesPath(TypeParameters.Type)
            .TakesPath(TypeParameters.Rule)
            .TakesPath(TypeParameters.Value)
            .ChecksFirst(KeyedRequest.CheckAsync);
        one.MapRead("", GetAsync)
            .Require(Permissions.ResourceRead)
            .WithName("getResourceByValue")
            .WithSummary("Get a resource by a unique value")
            .WithDescription("The rule has one member. The value is that of the member, as text.")
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch)
            .Carries(AnswerHeaders.ETag)
            .Answers<Envelope<ResourceDocument>>(200)
            .Produces(304)
            .Refuses(404, 412);
        one.MapPut("", PutAsync)
            .Require(Permissions.ResourceUpdate)
            .WithName("putResourceByValue")
            .Audits("resource.created", "resource.replaced")
            .WithSummary("Create or replace a resource by a unique value")
            .WithDescription(
                "Creates the resource if none has the value; of two requests at once one creates and the other replaces. "
                    + "`If-None-Match: *` creates only."
            )
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position, AnswerHeaders.Location)
            .TakesBody<ResourceReplacement>("""{"name":"Blue bicycle","metadata":{"frame":"WBK-1234","gears":7}}""")
            .Answers<Envelope<ResourceDocument>>(201)
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 409, 412, 413, 415, 422);
        one.MapPatch("", PatchAsync)
            .Require(Permissions.ResourceUpdate)
            .WithName("patchResourceByValue")
            .Audits("resource.changed")
            .WithSummary("Patch a resource by a unique value")
            .WithDescription("Takes what a patch of the resource by its id takes.")
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.ETag, AnswerHeaders.Position)
            .TakesPatches()
            .Answers<Envelope<ResourceDocument>>(200)
            .Refuses(404, 409, 410, 412, 413, 415, 422);
        one.MapDelete("", DeleteAsync)
            .Require(Permissions.ResourceDelete)
            .WithName("deleteResourceByValue")
            .Audits("resource.deleted")
            .WithSummary("Delete a resource by a unique value")
            .WithDescription("The history remains, and the value is free.")
            .TakesHeaders(RequestHeaders.IfMatch, RequestHeaders.IfNoneMatch, RequestHeaders.IdempotencyKey)
            .Carries(AnswerHeaders.Position)
            .Produces(204)
            .Refuses(404, 409, 412, 422);
    }

    static async Task<Answer> GetAsync(HttpContext context, TypeKeys keys, ResourceDoor door)
    {
        var request = new KeyedRequest(context, keys, door);
        return await request.FindAsync() is { } missing
            ? missing
            : await ResourceEndpoints.GetAsync(context, $"{request.Known}", door);
    }

    static async Task<Answer> PatchAsync(HttpContext context, TypeKeys keys, ResourceDoor door)
    {
        var request = new KeyedRequest(context, keys, door);
        if (await request.FindAsync() is { } missing)
            return missing;
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, ResourceEndpoints.Patches);
        if (body is null)
            return Answer.UnsupportedMediaType(context.Request.Method, ResourceEndpoints.Patches);
        if (IdempotencyKey.ReadAttempt(context, body.Bytes, faults) is not { } attempt || faults is not [])
            return Answer.Invalid(faults);
        var (id, _, reply) = await request.SendAsync(attempt, ResourceEndpoints.PatchOf(body));
        return ResourceEndpoints.Written(id, reply);
    }

    static async Task<Answer> DeleteAsync(HttpContext context, TypeKeys keys, ResourceDoor door)
    {
        var request = new KeyedRequest(context, keys, door);
        if (await request.FindAsync() is { } missing)
            return missing;
        var faults = new List<Fault>();
        if (IdempotencyKey.ReadAttempt(context, [], faults) is not { } attempt)
            return Answer.Invalid(faults);
        return ResourceEndpoints.Deleted((await request.SendAsync(attempt, new DeleteResource())).Reply);
    }

    static async Task<Answer> PutAsync(HttpContext context, TypeKeys keys, ResourceDoor door)
    {
        var request = new KeyedRequest(context, keys, door);
        if (await request.FindAsync() is { } missing)
            return missing;
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, "application/json");
        if (body is null)
            return Answer.UnsupportedMediaType(context.Request.Method, "application/json");
        var attempt = IdempotencyKey.ReadAttempt(context, body.Bytes, faults);
        // What is out of reach has no id here, so that nobody can guess it.
        var known = await request.ReachesAsync(request.Known) ? request.Known : null;
        var replace = body.Document is { } document
            ? ResourceBodies.Replacement(document.RootElement, known, faults)
            : null;
        if (attempt is null || replace is null || faults is not [])
            return Answer.Invalid(faults);
        if (replace.Type is not null && replace.Type != request.Type)
            return Answer.Invalid([new("/type", "TYPE_IS_FIXED", $"Resources here are of the type '{request.Type}'.")]);
        var create = new CreateResource(request.Type, replace.Name, replace.Status, replace.Metadata);
        if (!request.Found.Fits(KeyedRequest.Made(create)))
            return Answer.Invalid([
                new(request.Found.Rule.Members[0], "OTHER_VALUE", "The member has to have the value of the address."),
            ]);
        await ResponseMemory.ReserveAsync(context, replace.Metadata.Utf8.Length);
        var (id, isNew, reply) = await request.SendAsync(attempt, replace, create);
        return ResourceEndpoints.Written(id, reply, isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }
}
