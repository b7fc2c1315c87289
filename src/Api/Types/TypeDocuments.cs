using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A definition, as a declaration or a replacement gives it.</summary>
public record TypeRequest(
    [property: StringLength(Slug.MaxLength, MinimumLength = 1), RegularExpression(Slug.Pattern)] string Name,
    JsonElement Schema,
    [property: StringLength(255, MinimumLength = 1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        string? Title = null,
    [property: StringLength(10_000, MinimumLength = 1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        string? Description = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Names = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Lifecycle = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? References = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Unique = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Indexed = null,
    [property: AllowedValues(Collations.CodePoints, Collations.Unicode)]
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        string? Collation = null,
    [property: StringLength(TypeDefinition.MaxPointer, MinimumLength = 1)]
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        string? Display = null
);

/// <summary>What a declaration takes: a definition, and how resources that are there already become what it demands.</summary>
public sealed record TypeDeclaration(
    string Name,
    JsonElement Schema,
    string? Title = null,
    string? Description = null,
    JsonElement? Names = null,
    JsonElement? Lifecycle = null,
    JsonElement? References = null,
    JsonElement? Unique = null,
    IReadOnlyList<string>? Indexed = null,
    string? Collation = null,
    string? Display = null,
    [property: MaxLength(Grains.Migration.MaxSteps)] IReadOnlyList<MigrationOperation>? Migration = null
) : TypeRequest(Name, Schema, Title, Description, Names, Lifecycle, References, Unique, Indexed, Collation, Display);

/// <summary>An operation of a migration.</summary>
/// <param name="Path">A pointer into the resource: to what is changed, or where it is moved.</param>
/// <param name="From">Of <c>move</c>.</param>
/// <param name="To">Of <c>convert</c>.</param>
/// <param name="Value">Of <c>default</c>.</param>
/// <param name="Values">Of <c>map</c>.</param>
public sealed record MigrationOperation(
    [property: AllowedValues("move", "convert", "default", "remove", "map")] string Op,
    [property: StringLength(TypeDefinition.MaxPointer, MinimumLength = 1)] string Path,
    [property: StringLength(TypeDefinition.MaxPointer, MinimumLength = 1)] string? From = null,
    [property: AllowedValues("string", "number", "integer", "boolean")] string? To = null,
    [property: TakesNull] JsonElement? Value = null,
    JsonElement? Values = null
);

/// <summary>What a replacement takes: a definition with a migration, and what the server keeps, unchanged.</summary>
public sealed record TypeReplacement(
    string Name,
    JsonElement Schema,
    string? Title = null,
    string? Description = null,
    JsonElement? Names = null,
    JsonElement? Lifecycle = null,
    JsonElement? References = null,
    JsonElement? Unique = null,
    IReadOnlyList<string>? Indexed = null,
    string? Collation = null,
    string? Display = null,
    long? Version = null,
    DateTimeOffset? CreatedAt = null,
    string? CreatedBy = null,
    DateTimeOffset? UpdatedAt = null,
    string? UpdatedBy = null,
    [property: TakesNull] Guid? Change = null,
    IReadOnlyDictionary<string, string>? Indexes = null,
    [property: MaxLength(Grains.Migration.MaxSteps)] IReadOnlyList<MigrationOperation>? Migration = null
) : TypeRequest(Name, Schema, Title, Description, Names, Lifecycle, References, Unique, Indexed, Collation, Display);

/// <summary>A merge patch of a definition: the members to change.</summary>
public sealed record TypePatch(
    [property: TakesNull] string? Title = null,
    [property: TakesNull] string? Description = null,
    [property: TakesNull] JsonElement? Names = null,
    JsonElement? Schema = null,
    [property: TakesNull] JsonElement? Lifecycle = null,
    [property: TakesNull] JsonElement? References = null,
    [property: TakesNull] JsonElement? Unique = null,
    [property: TakesNull] IReadOnlyList<string>? Indexed = null,
    [property: TakesNull, AllowedValues(Collations.CodePoints, Collations.Unicode)] string? Collation = null,
    [property: TakesNull] string? Display = null,
    [property: MaxLength(Grains.Migration.MaxSteps)] IReadOnlyList<MigrationOperation>? Migration = null
);

/// <summary>A declared type: its definition, with what the server keeps of it.</summary>
/// <param name="Change">The change that is being checked; null where none is.</param>
/// <param name="Indexes">Whether the index of each indexed member is <c>ready</c>, or <c>building</c>.</param>
public sealed record TypeDocument(
    string Name,
    JsonElement Schema,
    string? Title,
    string? Description,
    JsonElement? Names,
    JsonElement? Lifecycle,
    JsonElement? References,
    JsonElement? Unique,
    IReadOnlyList<string>? Indexed,
    string? Collation,
    string? Display,
    long Version,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    DateTimeOffset UpdatedAt,
    string UpdatedBy,
    [property: TakesNull] Guid? Change,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string>? Indexes
) : TypeRequest(Name, Schema, Title, Description, Names, Lifecycle, References, Unique, Indexed, Collation, Display)
{
    /// <summary>What the server keeps, and takes back where it is unchanged.</summary>
    public static readonly string[] Kept = ["version", "createdAt", "createdBy", "updatedAt", "updatedBy", "change"];

    /// <summary>What the server keeps beside that. It changes without a new version, so whatever is sent back is taken.</summary>
    public const string Moving = "indexes";

    public static TypeDocument Of(Reply<TypeState> reply, IReadOnlyDictionary<string, string>? indexes = null) =>
        Of(reply.Value!, reply.Version, indexes);

    public static TypeDocument Of(TypeState type, long version, IReadOnlyDictionary<string, string>? indexes = null)
    {
        var definition = type.Form!.Definition.ToElement();
        JsonElement? Member(string name) => definition.TryGetProperty(name, out var value) ? value : null;
        return new(
            type.Name,
            definition.GetProperty("schema"),
            Member("title")?.GetString(),
            Member("description")?.GetString(),
            Member("names"),
            Member("lifecycle"),
            Member("references"),
            Member("unique"),
            Member("indexed")?.EnumerateArray().Select(pointer => pointer.GetString()!).ToArray(),
            Member("collation")?.GetString(),
            Member("display")?.GetString(),
            version,
            type.CreatedAt,
            type.CreatedBy,
            type.Form.At,
            type.Form.By,
            type.Proposal?.Change,
            indexes
        );
    }
}

/// <summary>A change of a type.</summary>
/// <param name="State">
/// Whether stored resources are still being checked, or migrated while both forms are taken, or migrated while only the new
/// one is.
/// </param>
/// <param name="Kind">What the change does; left out where it is in force, as are the members after the counts.</param>
/// <param name="Checked">How many resources were looked at so far.</param>
/// <param name="Offending">How many of them contradict the change.</param>
/// <param name="Migrated">How many resources were migrated so far.</param>
/// <param name="Migration">How they are migrated; left out where they stay as they are, too.</param>
/// <param name="Definition">What comes into force; left out for a deletion, too.</param>
public sealed record TypeChangeDocument(
    Guid Id,
    [property: AllowedValues("checking", "migrating", "closing", "in_force")] string State,
    [property: AllowedValues(ProposalKind.Declaration, ProposalKind.Change, ProposalKind.Deletion)]
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        string? Kind,
    long Checked,
    long Offending,
    long Migrated,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Migration,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Definition,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? RequestedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RequestedBy
)
{
    public static TypeChangeDocument Of(TypeProposal proposal, TypeChangeProgress progress) =>
        new(
            proposal.Change,
            proposal.IsClosing ? "closing"
                : proposal.Begun is null ? "checking"
                : "migrating",
            proposal.Kind,
            progress.Checked,
            progress.Offending,
            progress.Migrated,
            proposal.Migration is { } migration ? Grains.Migration.ListIn(migration) : null,
            proposal.Definition?.ToElement(),
            proposal.At,
            proposal.By
        );

    public static TypeChangeDocument Of(TypeOutcome outcome) =>
        new(
            outcome.Change,
            "in_force",
            null,
            outcome.Checked,
            outcome.Offending,
            outcome.Migrated,
            null,
            null,
            null,
            null
        );
}

/// <summary>What a change would find among stored resources.</summary>
/// <param name="Kind">Whether the change needs a look at them, and why not.</param>
/// <param name="Complete">
/// Whether all of them were looked at, and the trusted documents until 100 were found; the time for that is bounded.
/// </param>
/// <param name="Documents">The hashes of the first 100 trusted documents of GraphQL that would no longer fit the schema.</param>
public sealed record TypeReportDocument(
    [property: AllowedValues("none", "note", "wider", "checked")] string Kind,
    long Checked,
    long Offending,
    TypeOffender[] Examples,
    bool Complete,
    string[] Documents
);

/// <summary>What to check: a definition, and a resource under it.</summary>
public sealed record TypeCheckRequest(JsonElement Definition, ResourceCreation? Resource = null);

/// <summary>What is wrong with a definition, or with the resource.</summary>
public sealed record TypeCheckDocument(bool Valid, IReadOnlyList<Fault> Faults);
