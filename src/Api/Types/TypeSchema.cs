using System.Text.Json;
using System.Text.Json.Nodes;
using Resources.Grains;

namespace Resources.Api;

/// <summary>The JSON Schema of a whole resource of a type.</summary>
static class TypeSchema
{
    public static JsonElement Of(TypeDefinition definition)
    {
        var metadata = (JsonObject)JsonNodes.From(definition.Schema.Source)!;
        // It has to fit resources in every state.
        if (definition.Lifecycle?.IsLenient is true)
            SchemaForms.Lenient(metadata);
        // References to '#…' are to the schema of the metadata, which so stays a document of its own.
        if (!metadata.ContainsKey("$id"))
            metadata["$id"] = "metadata";
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = definition.Title ?? definition.Name,
            ["type"] = "object",
            ["required"] = new JsonArray("id", "type", "name", "status", "metadata", "version"),
            ["properties"] = new JsonObject
            {
                ["id"] = new JsonObject { ["type"] = "string", ["format"] = "uuid" },
                ["type"] = new JsonObject { ["const"] = definition.Name },
                ["name"] = new JsonObject
                {
                    ["type"] = "string",
                    ["minLength"] = 1,
                    ["maxLength"] = ResourceBodies.MaxName,
                },
                ["status"] = StatusOf(definition),
                ["metadata"] = metadata,
                ["owner"] = new JsonObject { ["type"] = "string" },
                ["version"] = new JsonObject { ["type"] = "integer", ["minimum"] = 1 },
                ["typeVersion"] = new JsonObject { ["type"] = new JsonArray("integer", "null") },
                ["createdAt"] = Time(),
                ["createdBy"] = new JsonObject { ["type"] = "string" },
                ["updatedAt"] = Time(),
                ["updatedBy"] = new JsonObject { ["type"] = "string" },
                ["deletedAt"] = new JsonObject { ["type"] = new JsonArray("string", "null"), ["format"] = "date-time" },
            },
        };
        if (definition.Description is { } description)
            schema["description"] = description;
        return JsonNodes.ToElement(schema);
    }

    static JsonObject StatusOf(TypeDefinition definition) =>
        definition.Lifecycle is { } lifecycle
            ? new() { ["enum"] = new JsonArray([.. lifecycle.States.Keys.Select(state => JsonValue.Create(state))]) }
            : new() { ["type"] = "string", ["pattern"] = Slug.Pattern };

    static JsonObject Time() => new() { ["type"] = "string", ["format"] = "date-time" };
}
