using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Marks a member of a request that may be null; others that are not required are left out.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class TakesNullAttribute : Attribute;

/// <summary>
/// Adds to schemas what types alone do not say. Documents annotate the bounds of their members; this class has the
/// bounds of members that are alike in all documents, and says which members are left out rather than null.
/// </summary>
static class SchemaDescription
{
    /// <summary>Where the framework keeps the name of a schema's type.</summary>
    const string NameKey = "x-schema-id";

    static readonly Dictionary<string, Action<OpenApiSchema>> Texts = new()
    {
        ["email"] = schema =>
        {
            schema.Format = "email";
            schema.MinLength = 3;
            schema.MaxLength = 254;
        },
        ["owner"] = Account,
        ["createdBy"] = Account,
        ["updatedBy"] = Account,
        ["actor"] = Account,
        ["position"] = schema =>
        {
            schema.Pattern = "^[0-9]+$";
            schema.MaxLength = 20;
        },
        ["traceId"] = schema => schema.Pattern = "^[0-9a-f]{32}$",
    };

    static readonly Dictionary<string, Action<OpenApiSchema>> Numbers = new()
    {
        ["version"] = schema => schema.Minimum = "1",
        ["resourceversion"] = schema => schema.Minimum = "1",
    };

    /// <summary>The name of a type among the components; null for what has none.</summary>
    public static string? NameOf(JsonTypeInfo type) =>
        type.Type == typeof(JsonText) ? "JsonObject"
        : type.Type == typeof(JsonElement) || type.Type == typeof(JsonElement?) ? null
        : OpenApiOptions.CreateDefaultSchemaReferenceId(type);

    public static Task DescribeAsync(
        OpenApiSchema schema,
        OpenApiSchemaTransformerContext context,
        CancellationToken ct
    )
    {
        if (context.JsonTypeInfo.Type == typeof(JsonText))
        {
            schema.Metadata ??= new Dictionary<string, object>();
            schema.Metadata[NameKey] = NameOf(context.JsonTypeInfo)!;
            schema.Type = JsonSchemaType.Object;
            schema.AdditionalProperties = new OpenApiSchema();
            schema.Description = "Any JSON object. The whole document may be at most 64 levels deep.";
        }
        foreach (var each in context.JsonTypeInfo.Properties)
            if (each.IsExtensionData)
                schema.AdditionalProperties = new OpenApiSchema();
            else if (Find<JsonIgnoreAttribute>(each) is { Condition: JsonIgnoreCondition.WhenWritingNull })
                schema.Required?.Remove(each.Name);
        if (context.JsonPropertyInfo is not { } member)
            return Task.CompletedTask;
        if (schema.Type is { } kind)
        {
            var shared =
                kind.HasFlag(JsonSchemaType.String) ? Texts
                : kind.HasFlag(JsonSchemaType.Integer) ? Numbers
                : [];
            shared.GetValueOrDefault(member.Name)?.Invoke(schema);
        }
        foreach (var note in member.AttributeProvider?.GetCustomAttributes(inherit: true) ?? [])
            if (note is AllowedValuesAttribute allowed)
                schema.Enum = [.. allowed.Values.Select(value => JsonValue.Create((string?)value)!)];
            else if (note is TakesNullAttribute)
            {
                schema.Metadata ??= new Dictionary<string, object>();
                schema.Metadata[nameof(TakesNullAttribute)] = note;
            }
        return Task.CompletedTask;
    }

    /// <summary>
    /// Last touches on the whole: a member that is not required is left out rather than null, but for what null removes.
    /// </summary>
    public static void Finish(OpenApiDocument document)
    {
        var schemas = document.Components!.Schemas!;
        foreach (var schema in schemas.Values)
        foreach (var member in schema.Properties?.Keys.ToArray() ?? [])
        {
            if (schema.Required?.Contains(member) is true)
                continue;
            var value = schema.Properties![member];
            if (value.OneOf?.FirstOrDefault(choice => choice.Type is not JsonSchemaType.Null) is { } only)
                schema.Properties[member] = only;
            else if (value is OpenApiSchema { Type: { } kind } plain)
            {
                var takesNull = plain.Metadata?.ContainsKey(nameof(TakesNullAttribute)) is true;
                plain.Type = takesNull ? kind | JsonSchemaType.Null : kind & ~JsonSchemaType.Null;
                if (takesNull)
                    plain.Enum?.Add(JsonNullSentinel.JsonNull);
            }
        }
        ReferToNames(document, schemas);
        ShowParts(schemas);
        foreach (
            var schema in schemas
                .Where(pair => pair.Key.StartsWith("Envelope", StringComparison.Ordinal))
                .Select(pair => pair.Value)
                .OfType<OpenApiSchema>()
        )
        {
            schema.Required!.Add("success");
            if (schema.Properties!["success"] is OpenApiSchema success)
                success.Enum = [JsonValue.Create(true)];
        }
        if (schemas[nameof(Problem)].Properties!["success"] is OpenApiSchema failure)
            failure.Enum = [JsonValue.Create(false)];
    }

    /// <summary>Bodies of requests are written out in full; what has a name there is referred to instead.</summary>
    static void ReferToNames(OpenApiDocument document, IDictionary<string, IOpenApiSchema> schemas)
    {
        foreach (var schema in schemas.Values)
        foreach (var (member, value) in schema.Properties?.ToArray() ?? [])
            if (
                value is OpenApiSchema { Metadata: { } metadata }
                && metadata.TryGetValue(NameKey, out var id)
                && id is string { Length: > 0 } name
                && schemas.ContainsKey(name)
            )
            {
                var named = new OpenApiSchemaReference(name, document);
                schema.Properties![member] = metadata.ContainsKey(nameof(TakesNullAttribute))
                    ? new OpenApiSchema { OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, named] }
                    : named;
            }
    }

    /// <summary>A document of which a request asks for some members has its id, and any of the others.</summary>
    static void ShowParts(IDictionary<string, IOpenApiSchema> schemas)
    {
        const string Prefix = "PartialOf";
        foreach (var (name, schema) in schemas.ToArray())
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && schema is OpenApiSchema part)
            {
                part.Description = "Has every member, unless `fields` selects some. The id is always there.";
                part.Properties = schemas[name[Prefix.Length..]].Properties;
                part.Required = new HashSet<string> { "id" };
            }
    }

    static T? Find<T>(JsonPropertyInfo member)
        where T : Attribute =>
        member.AttributeProvider?.GetCustomAttributes(typeof(T), inherit: true) is [T found, ..] ? found : null;

    static void Account(OpenApiSchema schema)
    {
        schema.Description = "The id of an account.";
        schema.MaxLength = 64;
    }
}
