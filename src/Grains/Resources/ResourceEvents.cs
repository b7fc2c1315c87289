namespace Resources.Grains;

/// <summary>
/// The events of a resource. These records are the stored format: rename or remove nothing, and add only optional
/// members. Actor, time, version and position stand in the envelope (<see cref="Recorded{TEvent}"/>).
/// </summary>
public abstract record ResourceEvent;

[Event("resource.created")]
public sealed record ResourceCreated(string Type, string Name, string Status, JsonText Metadata, string Owner)
    : ResourceEvent;

[Event("resource.replaced")]
public sealed record ResourceReplaced(string Name, string Status, JsonText Metadata) : ResourceEvent;

[Event("resource.renamed")]
public sealed record ResourceRenamed(string Name) : ResourceEvent;

[Event("resource.metadata_changed")]
public sealed record ResourceMetadataChanged(JsonText Metadata) : ResourceEvent;

[Event("resource.status_changed")]
public sealed record ResourceStatusChanged(string Status) : ResourceEvent;

[Event("resource.deleted")]
public sealed record ResourceDeleted : ResourceEvent;

[Event("resource.restored")]
public sealed record ResourceRestored : ResourceEvent;
