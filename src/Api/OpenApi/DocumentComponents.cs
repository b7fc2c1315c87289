using Microsoft.OpenApi;

namespace Resources.Api;

/// <summary>What operations share stands once among the components, and is referred to.</summary>
static class DocumentComponents
{
    /// <summary>Refers to headers by their names.</summary>
    public static Dictionary<string, IOpenApiHeader> HeadersOf(this OpenApiDocument document, Parameter[] headers)
    {
        foreach (var header in headers)
            document.AddComponent<IOpenApiHeader>(
                header.Name,
                new OpenApiHeader
                {
                    Description = header.Description,
                    Schema = header.Schema,
                    Example = header.Example,
                }
            );
        return headers.ToDictionary(
            header => header.Name,
            IOpenApiHeader (header) => new OpenApiHeaderReference(header.Name, document)
        );
    }

    /// <summary>Refers to the schema of a type by the type's name.</summary>
    public static OpenApiSchemaReference SchemaOf(this OpenApiDocument document, Type type, IOpenApiSchema schema)
    {
        var name = type.IsGenericType ? $"{type.Name.Split('`')[0]}Of{type.GenericTypeArguments[0].Name}" : type.Name;
        document.AddComponent(name, schema);
        return new(name, document);
    }
}
