using Orleans;

namespace Resources.Grains;

/// <summary>
/// An event of the log as grains receive it: an item of the Orleans streams of provider <see cref="Provider"/>, which
/// has one stream for each type of resource. A consumer keeps <see cref="Position"/> to recognise duplicates and to
/// resume reading.
/// </summary>
/// <param name="Type">The kind of event, for example <c>resource.created</c>.</param>
/// <param name="Version">The version of the resource after the event.</param>
/// <param name="Data">The event's data in its stored form.</param>
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

    /// <summary>The namespace of the streams; their keys are resource types.</summary>
    public const string Namespace = "resources";
}
