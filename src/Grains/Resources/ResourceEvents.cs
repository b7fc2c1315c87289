namespace Resources.Grains;

/// <summary>
/// The events of a resource. These records are the stored format: rename or remove nothing, and add only optional
/// members. Actor, time, version and position stand in the envelope (<see cref="Recorded{TEvent}"/>).
/// </summary>
public abstract record ResourceEvent;

public sealed record ResourceCreated(string Type, string Name, string Status, JsonText Metadata, string Owner)
    : ResourceEvent;

public sealed record ResourceReplaced(string Name, string Status, JsonText Metadata) : ResourceEvent;

public sealed record ResourceRenamed(string Name) : ResourceEvent;

public sealed record ResourceMetadataChanged(JsonText Metadata) : ResourceEvent;

public sealed record ResourceStatusChanged(string Status) : ResourceEvent;

public sealed record ResourceDeleted : ResourceEvent;

public sealed record ResourceRestored : ResourceEvent;
