using Orleans;

namespace Resources.Grains;

/// <summary>
/// An event of the log as grains receive it: the items of the Orleans streams of provider <see cref="Provider"/>, one
/// stream for each type of resource. A consumer keeps <see cref="Position"/>: by it events that come twice are known,
/// and the log is read on.
/// </summary>
/// <param name="Type">What happened, for example <c>resource.created</c>.</param>
/// <param name="Version">The version of the resource that the event made.</param>
/// <param name="Data">What the event says, in the form in which it is stored.</param>
[GenerateSerializer, Immutable, Alias("logged-event")]
public sealed record LoggedEvent(
    long Position,
    Guid Id,
    string Type,
    Guid Resource,
    string ResourceType,
    string Owner,
    long Version,
    DateTimeOffset At,
    string Actor,
    string? CorrelationId,
    JsonText Data
)
{
    /// <summary>The name of the stream provider.</summary>
    public const string Provider = "events";

    /// <summary>The namespace of the streams; their keys are types of resources.</summary>
    public const string Namespace = "resources";
}
