using System.Text.Json.Serialization;

namespace Resources.Grains;

/// <summary>
/// The events of a resource. These records are the stored format: rename or remove nothing, and add only optional
/// members. Actor, time, version and position stand in the envelope (<see cref="Recorded{TEvent}"/>).
/// An event of change says in <c>Changed</c> which places differ, as <see cref="JsonDifference"/> finds them. Events of
/// earlier releases do not have it.
/// </summary>
public abstract record ResourceEvent
{
    /// <summary>The version of the type that the resource was checked against; null where its type was free.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? TypeVersion { get; init; }
}

[Event("resource.created")]
public sealed record ResourceCreated(string Type, string Name, string Status, JsonText Metadata, string Owner)
    : ResourceEvent;

[Event("resource.replaced")]
public sealed record ResourceReplaced(string Name, string Status, JsonText Metadata, string[]? Changed = null)
    : ResourceEvent;

[Event("resource.renamed")]
public sealed record ResourceRenamed(string Name, string[]? Changed = null) : ResourceEvent;

[Event("resource.metadata_changed")]
public sealed record ResourceMetadataChanged(JsonText Metadata, string[]? Changed = null) : ResourceEvent;

[Event("resource.status_changed")]
public sealed record ResourceStatusChanged(string Status, string[]? Changed = null) : ResourceEvent;

/// <summary>Several of name, status and metadata changed at once; a member that is null stayed as it was.</summary>
[Event("resource.changed")]
public sealed record ResourceChanged(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonText? Metadata,
    string[]? Changed = null
) : ResourceEvent
{
    /// <summary>The same in an event that every release knows.</summary>
    public ResourceReplaced AsReplaced(Resource state) =>
        new(Name ?? state.Name, Status ?? state.Status, Metadata ?? state.Metadata, Changed)
        {
            TypeVersion = TypeVersion,
        };
}

[Event("resource.deleted")]
public sealed record ResourceDeleted : ResourceEvent;

/// <summary>A deletion is over. What changed at once is given; a member that is null is as it was.</summary>
[Event("resource.restored")]
public sealed record ResourceRestored(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Status = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonText? Metadata = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string[]? Changed = null
) : ResourceEvent
{
    /// <summary>Whether anything but the deletion changed.</summary>
    [JsonIgnore]
    public bool IsChange => Name is not null || Status is not null || Metadata is not null;

    /// <summary>The same in events that every release knows.</summary>
    public ResourceEvent[] AsTwo(Resource state) =>
        [
            new ResourceRestored { TypeVersion = TypeVersion },
            new ResourceReplaced(Name ?? state.Name, Status ?? state.Status, Metadata ?? state.Metadata, Changed)
            {
                TypeVersion = TypeVersion,
            },
        ];
}

/// <summary>A change of its type gave the resource another form; the actor is who changed the type.</summary>
[Event("resource.migrated")]
public sealed record ResourceMigrated(string Status, JsonText Metadata, string[]? Changed = null) : ResourceEvent
{
    /// <summary>The same in an event that every release knows.</summary>
    public ResourceReplaced AsReplaced(Resource state) =>
        new(state.Name, Status, Metadata, Changed) { TypeVersion = TypeVersion };
}
