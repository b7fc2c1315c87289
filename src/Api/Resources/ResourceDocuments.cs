using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A resource, as every answer shows it.</summary>
/// <param name="TypeVersion">The version of the type that it was last checked against; null where its type was free.</param>
public record ResourceDocument(
    Guid Id,
    [property: StringLength(Slug.MaxLength, MinimumLength = 1), RegularExpression(Slug.Pattern)] string Type,
    [property: StringLength(ResourceBodies.MaxName, MinimumLength = 1)] string Name,
    [property: StringLength(Slug.MaxLength, MinimumLength = 1), RegularExpression(Slug.Pattern)] string Status,
    JsonText Metadata,
    string Owner,
    long Version,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    DateTimeOffset UpdatedAt,
    string UpdatedBy,
    DateTimeOffset? DeletedAt,
    long? TypeVersion
)
{
    public static ResourceDocument Of(Guid id, long version, Resource resource) =>
        new(
            id,
            resource.Type,
            resource.Name,
            resource.Status,
            resource.Metadata,
            resource.Owner,
            version,
            resource.CreatedAt,
            resource.CreatedBy,
            resource.UpdatedAt,
            resource.UpdatedBy,
            resource.DeletedAt,
            resource.TypeVersion
        );
}

/// <summary>A resource of a list, with what it refers to where that is asked for.</summary>
/// <param name="Expanded">
/// By the names of references: the resource that it refers to, or null; a list of them where it has a list.
/// </param>
public sealed record ListedResource(
    Guid Id,
    string Type,
    string Name,
    string Status,
    JsonText Metadata,
    string Owner,
    long Version,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    DateTimeOffset UpdatedAt,
    string UpdatedBy,
    DateTimeOffset? DeletedAt,
    long? TypeVersion,
    [property: JsonPropertyOrder(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyDictionary<string, JsonElement>? Expanded
)
    : ResourceDocument(
        Id,
        Type,
        Name,
        Status,
        Metadata,
        Owner,
        Version,
        CreatedAt,
        CreatedBy,
        UpdatedAt,
        UpdatedBy,
        DeletedAt,
        TypeVersion
    )
{
    public static ListedResource Of(ResourceRow row) =>
        new(
            row.Id,
            row.Resource.Type,
            row.Resource.Name,
            row.Resource.Status,
            row.Resource.Metadata,
            row.Resource.Owner,
            row.Version,
            row.Resource.CreatedAt,
            row.Resource.CreatedBy,
            row.Resource.UpdatedAt,
            row.Resource.UpdatedBy,
            row.Resource.DeletedAt,
            row.Resource.TypeVersion,
            row.Referred?.ToDictionary(each => each.Key, each => ElementOf(each.Value))
        );

    static JsonElement ElementOf(Referred referred)
    {
        ResourceDocument[] documents = [.. referred.Rows.Select(row => Of(row.Id, row.Version, row.Resource))];
        return referred.IsList
                ? JsonSerializer.SerializeToElement(documents, ResourceJson.Default.ResourceDocumentArray)
            : documents is [var only] ? JsonSerializer.SerializeToElement(only, ResourceJson.Default.ResourceDocument)
            : JsonElement.Parse("null");
    }
}

/// <summary>What a create takes; the owner is the caller.</summary>
public sealed record ResourceCreation(
    [property: StringLength(ResourceBodies.MaxName, MinimumLength = 1)] string Name,
    [property: StringLength(Slug.MaxLength, MinimumLength = 1), RegularExpression(Slug.Pattern)] string? Type = null,
    [property: StringLength(Slug.MaxLength, MinimumLength = 1), RegularExpression(Slug.Pattern)] string? Status = null,
    JsonText? Metadata = null
);

/// <summary>
/// What a full replacement takes; a type, if given, must be the one it has. Members that the server keeps may be sent as
/// they were read.
/// </summary>
public sealed record ResourceReplacement(
    [property: StringLength(ResourceBodies.MaxName, MinimumLength = 1)] string Name,
    [property: StringLength(Slug.MaxLength, MinimumLength = 1), RegularExpression(Slug.Pattern)] string? Type = null,
    [property: StringLength(Slug.MaxLength, MinimumLength = 1), RegularExpression(Slug.Pattern)] string? Status = null,
    JsonText? Metadata = null,
    Guid? Id = null,
    string? Owner = null,
    long? Version = null,
    DateTimeOffset? CreatedAt = null,
    string? CreatedBy = null,
    DateTimeOffset? UpdatedAt = null,
    string? UpdatedBy = null,
    [property: TakesNull] DateTimeOffset? DeletedAt = null,
    [property: TakesNull] long? TypeVersion = null
);

/// <summary>A merge patch: the members to change.</summary>
public sealed record ResourceChange(
    [property: StringLength(ResourceBodies.MaxName, MinimumLength = 1)] string? Name = null,
    [property: StringLength(Slug.MaxLength, MinimumLength = 1), RegularExpression(Slug.Pattern)] string? Status = null,
    [property: TakesNull] JsonText? Metadata = null
);

/// <summary>One operation of a JSON Patch (RFC 6902).</summary>
public sealed record ResourcePatchOperation(
    [property: AllowedValues("add", "remove", "replace", "move", "copy", "test")] string Op,
    string Path,
    string? From = null,
    JsonElement? Value = null
);

/// <summary>One operation of a JSON Patch, or one that needs no reading first.</summary>
public sealed record ResourceOperation(
    [property: AllowedValues(
        "add",
        "remove",
        "replace",
        "move",
        "copy",
        "test",
        "increment",
        "addToSet",
        "removeFromSet"
    )]
        string Op,
    string Path,
    string? From = null,
    JsonElement? Value = null,
    decimal? Minimum = null,
    decimal? Maximum = null
);
