using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Resources.Grains;

namespace Resources.Api;

/// <summary>What types alone do not say of bodies: lengths, forms, and which members are left out.</summary>
static class SchemaDescription
{
    /// <summary>Members that have the same bounds wherever they are.</summary>
    static readonly Dictionary<string, Action<OpenApiSchema>> Members = new()
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
        ["version"] = schema => schema.Minimum = "1",
        ["resourceversion"] = schema => schema.Minimum = "1",
    };

    public static Task DescribeAsync(
        OpenApiSchema schema,
        OpenApiSchemaTransformerContext context,
        CancellationToken ct
    )
    {
        var type = context.JsonTypeInfo.Type;
        if (type == typeof(JsonText))
        {
            schema.Type = JsonSchemaType.Object;
            schema.AdditionalPropertiesAllowed = true;
            schema.Description = "A JSON object of any members, at most 64 levels deep with its surroundings.";
        }
        if (context.JsonPropertyInfo is not { } member)
            return Task.CompletedTask;
        if (
            Members.TryGetValue(member.Name, out var describe)
            && schema.Type is { } kind
            && (kind.HasFlag(JsonSchemaType.String) || kind.HasFlag(JsonSchemaType.Integer))
        )
            describe(schema);
        Bound(schema, member.DeclaringType, member.Name);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Last touches on the whole: a member that is not required is left out rather than null, but for what a merge
    /// patch removes.
    /// </summary>
    public static void Finish(OpenApiDocument document)
    {
        foreach (var schema in document.Components!.Schemas!.Values)
        foreach (var member in schema.Properties?.Keys.ToArray() ?? [])
        {
            if (schema.Required?.Contains(member) is true)
                continue;
            var value = schema.Properties![member];
            if (value.OneOf?.FirstOrDefault(choice => choice.Type is not JsonSchemaType.Null) is { } only)
                schema.Properties[member] = only;
            else if (value is OpenApiSchema { Type: { } kind } plain)
                plain.Type = kind & ~JsonSchemaType.Null;
        }
        foreach (
            var schema in document
                .Components.Schemas!.Where(pair => pair.Key.StartsWith("Envelope", StringComparison.Ordinal))
                .Select(pair => pair.Value)
                .OfType<OpenApiSchema>()
        )
        {
            schema.Required!.Add("success");
            if (schema.Properties!["success"] is OpenApiSchema success)
                success.Enum = [JsonValue.Create(true)];
        }
        if (document.Components.Schemas!["Problem"].Properties!["success"] is OpenApiSchema failure)
            failure.Enum = [JsonValue.Create(false)];
        if (document.Components.Schemas[nameof(ResourceChange)].Properties!["metadata"] is OpenApiSchema metadata)
            metadata.Type |= JsonSchemaType.Null;
    }

    static void Bound(OpenApiSchema schema, Type of, string member)
    {
        var isRequest =
            of == typeof(ResourceCreation) || of == typeof(ResourceReplacement) || of == typeof(ResourceChange);
        if (isRequest || of == typeof(ResourceDocument))
        {
            if (member is "name")
            {
                schema.MinLength = 1;
                schema.MaxLength = ResourceBodies.MaxName;
            }
            if (member is "type" or "status")
            {
                schema.MinLength = 1;
                schema.MaxLength = Slug.MaxLength;
                schema.Pattern = HeaderDescription.Slug().Pattern;
            }
        }
        if ((of == typeof(Problem) || of == typeof(Fault)) && member is "code")
            schema.Pattern = "^[A-Z0-9_]+$";
        if (of == typeof(UserRequest) && member is "password")
        {
            schema.MinLength = Passwords.MinLength;
            schema.MaxLength = Passwords.MaxLength;
        }
        if (of == typeof(LoginRequest) && member is "password")
        {
            schema.MinLength = 1;
            schema.MaxLength = Passwords.MaxLength;
        }
        if (of == typeof(ResourcePatchOperation) && member is "op")
            schema.Enum =
            [
                .. new[] { "add", "remove", "replace", "move", "copy", "test" }.Select(op => JsonValue.Create(op)!),
            ];
    }

    static void Account(OpenApiSchema schema)
    {
        schema.Description = "An account's id.";
        schema.MaxLength = 64;
    }
}
