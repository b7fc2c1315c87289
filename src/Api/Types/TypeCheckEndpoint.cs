using System.Text.Json;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Checks of definitions and resources, for editors.</summary>
public static class TypeCheckEndpoint
{
    public static void MapTypeChecks(this RouteGroupBuilder api)
    {
        api.MapPost("/types/check", CheckAsync)
            .Require(Permissions.TypeRead)
            .WithTags("types")
            .WithName("checkType")
            .AuditsNothing()
            .WithSummary("Check a definition")
            .WithDescription("Checks a definition, and a resource under it. Nothing is stored.")
            .TakesBody<TypeCheckRequest>(
                """{"definition":{"name":"bicycle","schema":{"type":"object","properties":{"gears":{"type":"integer"}}}},"resource":{"name":"Blue bicycle","metadata":{"gears":7}}}"""
            )
            .Answers<Envelope<TypeCheckDocument>>(200)
            .Refuses(413, 415);
    }

    static Task<Answer> CheckAsync(HttpContext context, TypeTrial trial) =>
        RequestBody.TakeAsync(
            context,
            (body, faults) =>
            {
                var reader = new ObjectReader(body, faults);
                var definition = reader.Object("definition");
                var resource = reader.Object("resource", optional: true);
                reader.RefuseOthers();
                return (Definition: definition, Resource: resource);
            },
            async asked =>
            {
                var found = new List<Fault>();
                var definition = TypeDefinition.Read(asked.Definition!, found);
                if (definition is not null)
                    await trial.CheckNamesAsync(definition.Name, definition, found);
                var faults = found.ConvertAll(fault => fault with { Pointer = "/definition" + fault.Pointer });
                if (definition is not null && asked.Resource is { } resource)
                    CheckResource(definition, resource, faults);
                return Answer.Of(new TypeCheckDocument(faults is [], faults));
            }
        );

    static void CheckResource(TypeDefinition definition, JsonText given, List<Fault> faults)
    {
        var found = new List<Fault>();
        var create = ResourceBodies.Creation(given.ToElement(), found);
        if (create is not null && TypeRules.Of(definition).Try(create with { Type = definition.Name }) is { } rejection)
            found.AddRange(rejection.Faults ?? []);
        faults.AddRange(found.Select(fault => fault with { Pointer = "/resource" + fault.Pointer }));
    }
}
