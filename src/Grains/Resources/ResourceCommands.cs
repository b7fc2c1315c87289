namespace Resources.Grains;

/// <summary>A command of a resource.</summary>
[GenerateSerializer, Immutable, Alias("resource-command")]
public abstract record ResourceCommand;

/// <param name="Status">Null for the one that resources of the type begin with.</param>
[GenerateSerializer, Immutable, Alias("resource-create")]
public sealed record CreateResource(string Type, string Name, string? Status, JsonText Metadata) : ResourceCommand;

/// <summary>Replaces all members. The type, if given, must be the current one, and so must those that are kept.</summary>
/// <param name="Status">Null for the default; where the type has a lifecycle, for what it is.</param>
[GenerateSerializer, Immutable, Alias("resource-replace")]
public sealed record ReplaceResource(
    string? Type,
    string Name,
    string? Status,
    JsonText Metadata,
    KeptMembers? Kept = null
) : ResourceCommand;

/// <summary>Members that the server keeps, as somebody sends them back; null where he does not.</summary>
[GenerateSerializer, Immutable, Alias("resource-kept")]
public sealed record KeptMembers(
    string? Owner,
    long? Version,
    DateTimeOffset? CreatedAt,
    string? CreatedBy,
    DateTimeOffset? UpdatedAt,
    string? UpdatedBy,
    long? TypeVersion = null
);

/// <summary>Applies a patch document to the resource as it is when the command runs.</summary>
[GenerateSerializer, Immutable, Alias("resource-patch")]
public sealed record PatchResource(PatchFormat Format, byte[] Document) : ResourceCommand;

/// <summary>Deletes a resource, and what refers to it by references of types that say so.</summary>
/// <param name="Deletes">What the caller may delete with it; null for nothing.</param>
/// <param name="Updates">What the caller may take references out of; null for nothing.</param>
[GenerateSerializer, Immutable, Alias("resource-delete")]
public sealed record DeleteResource(Scope? Deletes = null, Scope? Updates = null) : ResourceCommand;

/// <param name="Replacement">What it is from then on; null for what it was.</param>
[GenerateSerializer, Immutable, Alias("resource-restore")]
public sealed record RestoreResource(ReplaceResource? Replacement = null) : ResourceCommand;

/// <summary>Gives the resource the form that a change of its type leads to, if it does not have it yet.</summary>
/// <param name="Seen">The resource as a read model has it, at a version.</param>
[GenerateSerializer, Immutable, Alias("resource-migrate")]
public sealed record MigrateResource(Guid Change, Resource Seen, long Version) : ResourceCommand;
