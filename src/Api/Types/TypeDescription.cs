using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Resources.Grains;

namespace Resources.Api;

/// <summary>
/// OpenAPI documents of resources below their types. They are made of the server's own document: its routes with
/// <c>{type}</c>, once for each type, with schemas of the type.
/// </summary>
sealed class TypeDescription([FromKeyedServices("v1")] IOpenApiDocumentProvider documents)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly Lock making = new();
    Task<TypedPart>? part;

    /// <summary>A document takes time and memory with the number of its types, so they are made one after the other.</summary>
    readonly SemaphoreSlim turn = new(1);

    /// <summary>The document of some types.</summary>
    /// <exception cref="ProblemException">Too many documents are being made.</exception>
    public async Task<JsonElement> OfAsync(IReadOnlyList<TypeDefinition> types)
    {
        var known = await PartAsync();
        if (!await turn.WaitAsync(Patience))
            throw new ProblemException(ProblemType.Overloaded, "This node is making other descriptions of types.");
        try
        {
            var description = new TypeDescriptionBuilder(known);
            foreach (var type in types)
                description.Add(type);
            return JsonNodes.ToElement(description.Finish());
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>What could not be made is made again for the next who asks.</summary>
    Task<TypedPart> PartAsync()
    {
        lock (making)
            return part is null or { IsFaulted: true } or { IsCanceled: true } ? part = MakeAsync() : part;
    }

    async Task<TypedPart> MakeAsync()
    {
        var document = await documents.GetOpenApiDocumentAsync(CancellationToken.None);
        return new((JsonObject)JsonNode.Parse(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1))!);
    }
}

/// <summary>The part of the server's document that is about resources below a type.</summary>
sealed class TypedPart
{
    /// <summary>The start of the addresses of resources below a type.</summary>
    public const string Types = "/api/v1/types/{type}/";

    /// <summary>The start of the addresses by a unique value.</summary>
    public const string Keyed = Types + "by/{rule}/";

    /// <summary>Schemas with members that differ from type to type.</summary>
    static readonly string[] Roots =
    [
        "ResourceDocument",
        "PartialOfResourceDocument",
        "ListedResource",
        "PartialOfListedResource",
        "ResourceCreation",
        "ResourceReplacement",
        "ResourceChange",
    ];

    public TypedPart(JsonObject document)
    {
        Document = document;
        Paths = ((JsonObject)document["paths"]!)
            .Where(path => path.Key.StartsWith(Types + "resources", StringComparison.Ordinal) || IsKeyed(path.Key))
            .ToDictionary(path => path.Key, path => (JsonObject)path.Value!);
        var schemas = (JsonObject)document["components"]!["schemas"]!;
        var typed = Roots.ToHashSet();
        // Whatever refers to one of them differs, too.
        while (
            schemas.FirstOrDefault(each => !typed.Contains(each.Key) && References.In(each.Value).Any(Differs))
                is { Key: { } name }
        )
            typed.Add(name);
        typed.IntersectWith(NeededBy(Paths.Values, schemas));
        Typed = typed;

        bool Differs(string reference) => typed.Contains(reference.Split('/')[^1]);
    }

    public JsonObject Document { get; }

    public IReadOnlyDictionary<string, JsonObject> Paths { get; }

    /// <summary>The schemas that each type has of its own.</summary>
    public IReadOnlySet<string> Typed { get; }

    /// <summary>The schemas that operations refer to, and those that these refer to.</summary>
    static HashSet<string> NeededBy(IEnumerable<JsonNode> operations, JsonObject schemas)
    {
        var needed = new HashSet<string>();
        for (var left = new Queue<JsonNode?>(operations); left.TryDequeue(out var node); )
            foreach (var name in References.In(node).Select(reference => reference.Split('/')[^1]))
                if (schemas.ContainsKey(name) && needed.Add(name))
                    left.Enqueue(schemas[name]);
        return needed;
    }

    public static bool IsKeyed(string path) => path.StartsWith(Keyed, StringComparison.Ordinal);
}

/// <summary>The references of a part of an OpenAPI document.</summary>
static class References
{
    /// <summary>Every reference to a component.</summary>
    public static IEnumerable<string> In(JsonNode? node) =>
        Holders(node).Select(each => each["$ref"]!.GetValue<string>());

    /// <summary>The objects that are references to components.</summary>
    public static IEnumerable<JsonObject> Holders(JsonNode? node) =>
        node switch
        {
            JsonObject each => (
                each["$ref"] is JsonValue text
                && text.TryGetValue<string>(out var reference)
                && reference.StartsWith("#/components/", StringComparison.Ordinal)
                    ? [each]
                    : Enumerable.Empty<JsonObject>()
            ).Concat(each.SelectMany(member => Holders(member.Value))),
            JsonArray list => list.SelectMany(Holders),
            _ => [],
        };
}
