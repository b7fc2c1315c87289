using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Marks a member of a patch that may be null: that removes what it names.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class NullRemovesAttribute : Attribute;

/// <summary>
/// What types alone do not say of bodies. Bounds of one document's members are its own annotations; here are members
/// that have the same bounds wherever they are, and which are left out.
/// </summary>
static class SchemaDescription
{
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

    public static Task DescribeAsync(
        OpenApiSchema schema,
        OpenApiSchemaTransformerContext context,
        CancellationToken ct
    )
    {
        if (context.JsonTypeInfo.Type == typeof(JsonText))
        {
            schema.Type = JsonSchemaType.Object;
            schema.AdditionalPropertiesAllowed = true;
            schema.Description = "Any JSON object. The whole document may be at most 64 levels deep.";
        }
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
            else if (note is NullRemovesAttribute)
                schema.Metadata = new Dictionary<string, object> { [nameof(NullRemovesAttribute)] = note };
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
                plain.Type = plain.Metadata?.ContainsKey(nameof(NullRemovesAttribute)) is true
                    ? kind | JsonSchemaType.Null
                    : kind & ~JsonSchemaType.Null;
        }
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

    static void Account(OpenApiSchema schema)
    {
        schema.Description = "The id of an account.";
        schema.MaxLength = 64;
    }
}
