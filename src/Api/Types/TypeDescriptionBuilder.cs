using System.Globalization;
using System.Text.Json.Nodes;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Puts an OpenAPI document together, type by type.</summary>
sealed class TypeDescriptionBuilder(TypedPart part)
{
    const string Schemas = "#/components/schemas/";

    readonly JsonObject paths = [];
    readonly JsonObject components = [];
    readonly JsonArray tags = [];
    readonly List<string> names = [];
    readonly HashSet<string> ids = [];

    public void Add(TypeDefinition type)
    {
        names.Add(type.Name);
        tags.Add(
            new JsonObject { ["name"] = type.Name, ["description"] = type.Description ?? type.Title ?? type.Name }
        );
        foreach (var (path, item) in part.Paths)
            if (TypedPart.IsKeyed(path))
                foreach (var rule in type.Unique.Where(rule => rule.Members is [_]))
                    Add(type, path, item, rule.Name);
            else
                Add(type, path, item, null);
        AddSchemas(type);
    }

    public JsonObject Finish()
    {
        TakeComponents();
        return new()
        {
            ["openapi"] = part.Document["openapi"]!.DeepClone(),
            ["info"] = new JsonObject
            {
                ["title"] = $"Resources: {(names is [var only] ? only : "types")}",
                ["version"] = part.Document["info"]!["version"]!.DeepClone(),
                ["description"] =
                    "Resources of declared types. Past versions may be of earlier definitions, and are not described.",
                ["license"] = part.Document["info"]!["license"]!.DeepClone(),
            },
            ["servers"] = part.Document["servers"]!.DeepClone(),
            ["tags"] = tags,
            ["paths"] = paths,
            ["components"] = components,
        };
    }

    void Add(TypeDefinition type, string path, JsonObject item, string? rule)
    {
        var copy = (JsonObject)item.DeepClone();
        foreach (var (_, node) in copy)
        {
            var operation = (JsonObject)node!;
            operation["tags"] = new JsonArray(type.Name);
            operation["operationId"] = IdOf(
                operation["operationId"]!
                    .GetValue<string>()
                    .Replace("ResourcesOfType", Pascal(type.Plural), StringComparison.Ordinal)
                    .Replace("ResourceOfType", Pascal(type.Name), StringComparison.Ordinal)
                    .Replace(
                        "ResourceByValue",
                        Pascal(type.Name) + "By" + (rule is null ? "" : Pascal(rule)),
                        StringComparison.Ordinal
                    )
            );
            operation["summary"] = operation["summary"]!
                .GetValue<string>()
                .Replace("the resources of a type", $"resources: {type.Name}", StringComparison.Ordinal)
                .Replace("resource of a type", $"resource: {type.Name}", StringComparison.Ordinal)
                .Replace("by a unique value", $"by {rule}: {type.Name}", StringComparison.Ordinal);
            var parameters = (JsonArray)operation["parameters"]!;
            foreach (
                var fixedOne in parameters
                    .Where(each => each!["name"]!.GetValue<string>() is "type" or "rule")
                    .ToArray()
            )
                parameters.Remove(fixedOne);
            // They are of a type that is made up.
            RemoveExamples(operation["requestBody"]);
            foreach (var parameter in parameters.Where(each => each!["name"]!.GetValue<string>() is "value"))
                RemoveExamples(parameter);
            operation["parameters"] = new JsonArray([.. parameters.Select(Shared)]);
            Rename(operation, type);
        }
        paths[
            path.Replace("{type}", type.Name, StringComparison.Ordinal)
                .Replace("{rule}", rule, StringComparison.Ordinal)
        ] = copy;
    }

    /// <summary>A reference to a parameter, which is described once for all operations that take it.</summary>
    JsonNode Shared(JsonNode? parameter)
    {
        var shared = Kind("parameters");
        var name = parameter!["name"]!.GetValue<string>();
        var unique = name;
        for (var number = 2; shared[unique] is { } other && !JsonNode.DeepEquals(other, parameter); number++)
            unique = name + number.ToString(CultureInfo.InvariantCulture);
        shared.TryAdd(unique, parameter.DeepClone());
        return new JsonObject { ["$ref"] = "#/components/parameters/" + unique };
    }

    void AddSchemas(TypeDefinition type)
    {
        var name = Pascal(type.Name);
        var source = (JsonObject)JsonNodes.From(type.Schema.Source)!;
        JsonObject Form(string form) => SchemaForms.At(source, Schemas + name + form);
        JsonObject Place(string form) => new() { ["$ref"] = Schemas + name + form };
        var stored = type.Lifecycle?.IsLenient is true ? SchemaForms.Lenient(Form("Metadata")) : Form("Metadata");
        var begun = type.Lifecycle is { } lifecycle && lifecycle.States[lifecycle.Initial].IsLenient;
        var given = begun
            ? SchemaForms.Lenient(Form("MetadataGiven"))
            : SchemaForms.BeforeDefaults(Form("MetadataGiven"));
        var schemas = Kind("schemas");
        schemas[name + "Metadata"] = stored;
        schemas[name + "MetadataGiven"] = given;
        schemas[name + "MetadataPart"] = SchemaForms.Lenient(Form("MetadataPart"));
        foreach (var typed in part.Typed)
        {
            var schema = (JsonObject)part.Document["components"]!["schemas"]![typed]!.DeepClone();
            Rename(schema, type);
            if (schema["properties"] is JsonObject members && members.ContainsKey("metadata"))
            {
                if (members.ContainsKey("type"))
                    members["type"] = new JsonObject { ["type"] = "string", ["const"] = type.Name };
                if (type.Lifecycle is not null)
                    members["status"] = Status(type.Lifecycle, typed is "ResourceCreation");
                members["metadata"] = typed switch
                {
                    "ResourceDocument" or "ListedResource" => Place("Metadata"),
                    "PartialOfResourceDocument" or "PartialOfListedResource" => Place("MetadataPart"),
                    "ResourceChange" => new JsonObject { ["type"] = new JsonArray("object", "null") },
                    _ => Place("MetadataGiven"),
                };
                if (
                    typed is "ResourceCreation" or "ResourceReplacement"
                    && given["required"] is JsonArray { Count: > 0 }
                )
                    ((JsonArray)schema["required"]!).Add("metadata");
            }
            schemas[NameOf(typed, type)] = schema;
        }
    }

    static JsonObject Status(Lifecycle lifecycle, bool isNew) =>
        new()
        {
            ["type"] = "string",
            ["enum"] = new JsonArray([
                .. (isNew ? [lifecycle.Initial] : lifecycle.States.Keys).Select(state => JsonValue.Create(state)),
            ]),
        };

    /// <summary>Lets references to schemas that differ lead to those of the type.</summary>
    void Rename(JsonNode? node, TypeDefinition type)
    {
        foreach (var holder in References.Holders(node).ToArray())
            if (
                holder["$ref"]!.GetValue<string>() is var reference
                && reference.StartsWith(Schemas, StringComparison.Ordinal)
                && reference[Schemas.Length..] is var name
                && part.Typed.Contains(name)
            )
                holder["$ref"] = Schemas + NameOf(name, type);
    }

    /// <summary>Takes the components that are referred to, and those that these refer to.</summary>
    void TakeComponents()
    {
        if (part.Document["components"]!["securitySchemes"] is { } security)
            components["securitySchemes"] = security.DeepClone();
        for (
            var left = new Queue<string>(References.In(paths).Concat(References.In(components)));
            left.TryDequeue(out var reference);

        )
        {
            // Others lead into the schema of a type.
            if (
                reference.Split('/') is not [_, _, var kind, var name]
                || Kind(kind).ContainsKey(name)
                || part.Document["components"]![kind]![name] is not { } component
            )
                continue;
            Kind(kind)[name] = component.DeepClone();
            foreach (var next in References.In(component))
                left.Enqueue(next);
        }
    }

    JsonObject Kind(string kind)
    {
        if (components[kind] is JsonObject known)
            return known;
        var made = new JsonObject();
        components[kind] = made;
        return made;
    }

    static void RemoveExamples(JsonNode? node)
    {
        if (node is not JsonObject holder)
            return;
        holder.Remove("example");
        if (holder["content"] is JsonObject content)
            foreach (var (_, media) in content)
                RemoveExamples(media);
    }

    static string NameOf(string schema, TypeDefinition type) =>
        schema.Replace("Resource", Pascal(type.Name), StringComparison.Ordinal);

    /// <summary>The id of an operation. Rules such as <c>a-b</c> and <c>a_b</c> have the same name in camel case.</summary>
    string IdOf(string id)
    {
        var unique = id;
        for (var number = 2; !ids.Add(unique); number++)
            unique = id + number.ToString(CultureInfo.InvariantCulture);
        return unique;
    }

    static string Pascal(string slug)
    {
        var camel = TypeNames.Camel(slug);
        return char.ToUpperInvariant(camel[0]) + camel[1..];
    }
}
