using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Resources.Api;

/// <summary>The schema of a type's metadata as others need it: in their document, for parts, or before defaults.</summary>
static class SchemaForms
{
    static readonly FrozenSet<string> Maps = FrozenSet.Create(
        "properties",
        "patternProperties",
        "dependentSchemas",
        "$defs"
    );

    static readonly FrozenSet<string> Lists = FrozenSet.Create("allOf", "anyOf", "oneOf", "prefixItems");

    static readonly FrozenSet<string> Singles = FrozenSet.Create(
        "items",
        "contains",
        "additionalProperties",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
        "if",
        "then",
        "else",
        "not"
    );

    /// <summary>What does not count where members may be missing.</summary>
    static readonly string[] Lengths = ["required", "minLength", "minItems", "minProperties", "minContains"];

    /// <summary>Keywords by which a schema is a document of its own, in which its references are resolved.</summary>
    static readonly string[] Bases = ["$id", "$anchor", "$dynamicAnchor", "$dynamicRef"];

    /// <summary>
    /// A copy that stands in another document. References to places in it lead to <paramref name="place"/> there.
    /// </summary>
    /// <param name="place">A reference to where the copy stands, such as <c>#/components/schemas/Book</c>.</param>
    public static JsonObject At(JsonObject schema, string place)
    {
        var copy = (JsonObject)schema.DeepClone();
        var isDocument = false;
        Visit(copy, each => isDocument |= Array.Exists(Bases, each.ContainsKey));
        if (isDocument)
            // Where the document stands says nothing about places in this one.
            copy.TryAdd("$id", "urn:resources:" + place.Split('/')[^1]);
        else
            Visit(copy, each =>
            {
                if (each.TryGetPropertyValue("$ref", out var node) && node!.GetValue<string>() is ['#', .. var rest])
                    each["$ref"] = place + rest;
            });
        return copy;
    }

    /// <summary>Lets members be missing, and texts and lists be too short.</summary>
    public static JsonObject Lenient(JsonObject schema)
    {
        Visit(schema, each => Array.ForEach(Lengths, keyword => each.Remove(keyword)));
        return schema;
    }

    /// <summary>Lets members with a default be missing.</summary>
    public static JsonObject BeforeDefaults(JsonObject schema)
    {
        Visit(schema, each =>
        {
            if (each["required"] is not JsonArray required || each["properties"] is not JsonObject properties)
                return;
            var left = required
                .Select(name => name!.GetValue<string>())
                .Where(name => properties[name] is not JsonObject member || !member.ContainsKey("default"))
                .ToArray();
            each["required"] = new JsonArray([.. left.Select(name => JsonValue.Create(name))]);
        });
        return schema;
    }

    /// <summary>Calls for a schema and every schema in it.</summary>
    static void Visit(JsonNode? schema, Action<JsonObject> call)
    {
        if (schema is not JsonObject node)
            return;
        foreach (var (keyword, value) in node)
            if (Singles.Contains(keyword))
                Visit(value, call);
            else if (Lists.Contains(keyword))
                foreach (var one in (JsonArray)value!)
                    Visit(one, call);
            else if (Maps.Contains(keyword))
                foreach (var (_, one) in (JsonObject)value!)
                    Visit(one, call);
        call(node);
    }
}
