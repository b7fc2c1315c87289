using System.Collections.Concurrent;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace Resources.Api.Tests;

/// <summary>
/// The schemas of an OpenAPI document. Objects are closed: a member that the document does not name is a fault.
/// </summary>
sealed class ApiSchemas
{
    static int count;

    readonly Uri address = new($"https://document.test/{Interlocked.Increment(ref count)}");
    readonly EvaluationOptions plain = new() { OutputFormat = OutputFormat.List };
    readonly EvaluationOptions withFormats;
    readonly ConcurrentDictionary<string, JsonSchema> compiled = new();

    public ApiSchemas(JsonElement components)
    {
        var definitions = new JsonObject();
        foreach (var schema in components.EnumerateObject())
            definitions[schema.Name] = Closed(schema.Value);
        var all = new JsonObject { ["$id"] = address.ToString(), ["$defs"] = definitions };
        plain.SchemaRegistry.Register(JsonSchema.FromText(all.ToJsonString()));
        withFormats = EvaluationOptions.From(plain);
        withFormats.RequireFormatValidation = true;
    }

    /// <summary>What is wrong with a body that the server has sent.</summary>
    public string[] FaultsOfSent(JsonElement schema, byte[] json) => FaultsOf(schema, json, withFormats);

    /// <summary>What is wrong with a body that the server takes. Formats are advice: it trims addresses, for one.</summary>
    public string[] FaultsOfTaken(JsonElement schema, byte[] json) => FaultsOf(schema, json, plain);

    /// <summary>What is wrong with a parameter or a header, which is text whatever its type.</summary>
    public string[] FaultsOfText(JsonElement schema, string value) =>
        FaultsOf(
            schema,
            schema.GetProperty("type").GetString() switch
            {
                "integer" => Encoding.ASCII.GetBytes($"{BigInteger.Parse(value, CultureInfo.InvariantCulture)}"),
                "boolean" => JsonSerializer.SerializeToUtf8Bytes(bool.Parse(value)),
                _ => JsonSerializer.SerializeToUtf8Bytes(value),
            },
            withFormats
        );

    string[] FaultsOf(JsonElement schema, byte[] json, EvaluationOptions options)
    {
        var results = compiled
            .GetOrAdd(schema.GetRawText(), _ => JsonSchema.FromText(Closed(schema)!.ToJsonString()))
            .Evaluate(JsonNode.Parse(json, documentOptions: new() { MaxDepth = 128 }), options);
        return results.IsValid
            ? []
            :
            [
                .. results
                    .Details.Where(detail => detail.HasErrors)
                    .SelectMany(detail =>
                        detail.Errors!.Select(error => $"{detail.InstanceLocation}: {error.Key}: {error.Value}")
                    )
                    .DefaultIfEmpty("The body does not fit."),
            ];
    }

    JsonNode? Closed(JsonElement schema)
    {
        var closed = JsonNode.Parse(
            schema.GetRawText().Replace("#/components/schemas/", $"{address}#/$defs/", StringComparison.Ordinal)
        );
        Close(closed);
        return closed;
    }

    static void Close(JsonNode? node)
    {
        if (node is JsonArray list)
            foreach (var each in list)
                Close(each);
        if (node is not JsonObject schema)
            return;
        // A member may be called "properties" or "type", too.
        if (schema["properties"] is JsonObject && schema["type"] is not JsonObject)
            schema.TryAdd("additionalProperties", false);
        foreach (var (_, value) in schema.ToArray())
            Close(value);
    }
}
