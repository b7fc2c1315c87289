using System.Text.Json;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Types for tools: the JSON Schema of a whole resource, and OpenAPI documents for generated clients.</summary>
static class TypeDescriptionEndpoints
{
    public static void MapTypeDescriptions(this RouteGroupBuilder api)
    {
        Describe(api.MapRead("/types/{type}/schema.json", SchemaAsync))
            .TakesPath(TypeParameters.Type)
            .WithName("getTypeSchema")
            .WithSummary("Get the JSON Schema of a type")
            .WithDescription("Describes a whole resource of the type.")
            .Refuses(404);
        Describe(api.MapRead("/types/{type}/openapi.json", OneAsync))
            .TakesPath(TypeParameters.Type)
            .WithName("getTypeOpenApi")
            .WithSummary("Get the OpenAPI document of a type")
            .WithDescription("Describes the routes below the type, for generated clients.")
            .Refuses(404);
        Describe(api.MapRead("/types/openapi.json", AllAsync))
            .WithName("getTypesOpenApi")
            .WithSummary("Get the OpenAPI document of all types")
            .WithDescription("Describes the routes below each type that you see, for generated clients.");
    }

    static RouteHandlerBuilder Describe(RouteHandlerBuilder route) =>
        route
            .WithTags("types")
            .TakesHeaders(RequestHeaders.IfNoneMatch)
            .Carries(AnswerHeaders.ETag)
            .Answers<JsonElement>(200)
            .Produces(304);

    static Task<Answer> SchemaAsync(HttpContext context, string type, TypeDoor door) =>
        OfOneAsync(context, type, door, definition => Task.FromResult(TypeSchema.Of(definition)));

    static Task<Answer> OneAsync(HttpContext context, string type, TypeDoor door, TypeDescription description) =>
        OfOneAsync(context, type, door, definition => description.OfAsync([definition]));

    static async Task<Answer> AllAsync(HttpContext context, TypeDoor door, TypeDescription description)
    {
        var reply = await door.ListAsync(context.Caller(), context.RequestAborted);
        var tag = TypeListTag.Of(reply.Value!);
        return EntityTags.IsHeld(context.Request, tag)
            ? Answer.NotModified(tag)
            : Of(await description.OfAsync([.. reply.Value!.Select(rules => rules.InForce!.Definition)]), tag);
    }

    static async Task<Answer> OfOneAsync(
        HttpContext context,
        string type,
        TypeDoor door,
        Func<TypeDefinition, Task<JsonElement>> describe
    )
    {
        var reply = await door.GetAsync(context.Caller(), type);
        if (reply.Rejection is { } rejection)
            return rejection;
        return EntityTags.Held(context.Request, reply.Version) is { } held
            ? Answer.NotModified(held)
            : Of(await describe(TypeDefinition.Stored(reply.Value!.Form!.Definition)), EntityTags.Of(reply.Version));
    }

    static BareAnswer<JsonElement> Of(JsonElement document, string tag) =>
        new(document) { EntityTag = tag, IsCacheable = true };
}
