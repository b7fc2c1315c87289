using Microsoft.AspNetCore.Http.Features;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Resources by a unique value in place of their id. A replacement of what is not there creates it.</summary>
public static class KeyedEndpoints
{
    /// <summary>Others may create, change and delete what has the value; whoever loses looks again, so many times.</summary>
    const int Tries = 8;

    static readonly Rejection Missing = new(Refusal.NotFound, "There is no such resource.");

    public static void MapKeyed(this RouteGroupBuilder api)
    {
        var one = api.MapGroup("/types/{type}/by/{rule}/{value}")
            .WithTags("types")
            .TakesPath(TypeParameters.Type)
            .TakesPath(TypeParameters.Rule)
            .TakesPath(TypeParameters.Value);
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

    static Task<Answer> GetAsync(HttpContext context, string type, string rule, TypeKeys keys, ResourceDoor door) =>
        OfOneAsync(context, type, rule, keys, id => ResourceEndpoints.GetAsync(context, id.ToString(), door));

    static Task<Answer> PatchAsync(HttpContext context, string type, string rule, TypeKeys keys, ResourceDoor door) =>
        OfOneAsync(context, type, rule, keys, id => ResourceEndpoints.PatchAsync(context, id.ToString(), door));

    static Task<Answer> DeleteAsync(HttpContext context, string type, string rule, TypeKeys keys, ResourceDoor door) =>
        OfOneAsync(context, type, rule, keys, id => ResourceEndpoints.DeleteAsync(context, id.ToString(), door));

    static async Task<Answer> OfOneAsync(
        HttpContext context,
        string type,
        string rule,
        TypeKeys keys,
        Func<Guid, Task<Answer>> handle
    )
    {
        if (
            await keys.RuleAsync(type, rule) is not { } known
            || await keys.FindAsync(type, known, ValueOf(context), context.RequestAborted) is not { } id
        )
            return Missing;
        // From here on it is a request for this resource.
        context.Request.RouteValues["id"] = id.ToString();
        return await handle(id);
    }

    static async Task<Answer> PutAsync(HttpContext context, string type, string rule, TypeKeys keys, ResourceDoor door)
    {
        if (await keys.RuleAsync(type, rule) is not { } known)
            return Missing;
        var value = ValueOf(context);
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, "application/json");
        if (body is null)
            return Answer.UnsupportedMediaType(context.Request.Method, "application/json");
        var attempt = IdempotencyKey.ReadAttempt(context, body.Bytes, faults);
        var first = await keys.FindAsync(type, known, value, context.RequestAborted);
        var replace = body.Document is { } document
            ? ResourceBodies.Replacement(document.RootElement, first, faults)
            : null;
        if (attempt is null || replace is null || faults is not [])
            return Answer.Invalid(faults);
        if (replace.Type is not null && replace.Type != type)
            return Answer.Invalid([new("/type", "TYPE_IS_FIXED", $"Resources here are of the type '{type}'.")]);
        if (!TypeKeys.Has(known, Draft(type, replace), value))
            return Answer.Invalid([
                new(known.Members[0], "OTHER_VALUE", "The member has to have the value of the address."),
            ]);
        await ResponseMemory.ReserveAsync(context, replace.Metadata.Utf8.Length);
        return await WriteAsync(context, type, known, value, keys, door, attempt, replace, first);
    }

    static async Task<Answer> WriteAsync(
        HttpContext context,
        string type,
        UniqueRule rule,
        string value,
        TypeKeys keys,
        ResourceDoor door,
        Attempt attempt,
        ReplaceResource replace,
        Guid? found
    )
    {
        var caller = context.Caller();
        var fresh = attempt.NewId(caller);
        for (var tried = 1; ; tried++)
        {
            if (found is null && attempt.Conditions is { IfMatchAny: true } or { IfMatch: not null })
                return Answer.Refused(ProblemType.VersionMismatch, "There is no resource with this value.");
            var id = found ?? fresh;
            var reply = await door.ExecuteAsync(
                caller,
                id,
                found is null ? new CreateResource(type, replace.Name, replace.Status, replace.Metadata) : replace,
                attempt
            );
            // It was there, or is there, after all.
            var isOvertaken =
                reply.Rejection?.Kind
                is Refusal.NotUnique
                    or Refusal.AlreadyExists
                    or Refusal.Deleted
                    or Refusal.NotFound;
            var next = isOvertaken ? await keys.FindAsync(type, rule, value, context.RequestAborted) : found;
            if (!isOvertaken || next == found || tried == Tries)
                return ResourceEndpoints.Written(
                    id,
                    reply,
                    found is null || reply.Replayed && id == fresh
                        ? StatusCodes.Status201Created
                        : StatusCodes.Status200OK
                );
            found = next;
        }
    }

    static Resource Draft(string type, ReplaceResource replace) =>
        new(
            type,
            replace.Name,
            replace.Status ?? Resource.DefaultStatus,
            replace.Metadata,
            "",
            default,
            "",
            default,
            "",
            null
        );

    /// <summary>The value as it was sent: routing leaves a slash in it encoded.</summary>
    static string ValueOf(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        return Uri.UnescapeDataString(target[(target.LastIndexOf('/') + 1)..]);
    }
}
