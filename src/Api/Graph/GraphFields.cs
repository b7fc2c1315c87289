using GraphQL.Types;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A field that the writer takes from the row of a resource, and that is no node of its own.</summary>
sealed class RowField : FieldType
{
    public required RowValue Value { get; init; }
}

/// <summary>What a row has beside its metadata.</summary>
enum RowValue
{
    Id,
    Type,
    Name,
    Status,
    Owner,
    Version,
    TypeVersion,
    CreatedAt,
    CreatedBy,
    UpdatedAt,
    UpdatedBy,
    DeletedAt,
    MetadataJson,
    Metadata,
}

/// <summary>A field that is a member of the metadata, or of an object in it.</summary>
sealed class MemberField : FieldType
{
    public required GraphMember Member { get; init; }
}

/// <summary>An object that the writer takes from a row, or from its JSON.</summary>
sealed class RowType : ObjectGraphType<ResourceRow>;

/// <summary>An object of the metadata.</summary>
sealed class MemberType : ObjectGraphType<object>;

/// <summary>A list: of resources, or of events.</summary>
sealed class ListField : FieldType
{
    /// <summary>The most that it shows, whatever is asked for.</summary>
    public int Most { get; init; } = GraphQueries.MaxPage;
}

/// <summary>How many resources a list has in all.</summary>
sealed class CountField : FieldType;

/// <summary>What a resource refers to.</summary>
sealed class ReferenceField : FieldType;
