using System.Text.Json;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// An event of the log with its envelope, and with what is asked of its resource: type and owner, which never change.
/// </summary>
public sealed record LogEvent(
    long Position,
    Guid Id,
    string Type,
    Guid Resource,
    long Version,
    DateTimeOffset At,
    string Actor,
    string? CorrelationId,
    JsonText Data,
    string ResourceType,
    string Owner
)
{
    byte[]? json;

    /// <summary>The event as <see cref="CloudEvent"/> in UTF-8 JSON, made once for all who send it.</summary>
    public ReadOnlyMemory<byte> Json =>
        json ??= JsonSerializer.SerializeToUtf8Bytes(CloudEvent.Of(this), CloudEventJson.Relaxed.CloudEvent);
}

/// <summary>Which events a reader gets. Every part narrows it; a null or empty one = all.</summary>
/// <param name="Visible">Only events of these resources may be seen.</param>
/// <param name="ResourceType">Only events of resources of this type.</param>
/// <param name="Resource">Only events of this resource.</param>
/// <param name="Owner">Only events of this owner's resources.</param>
/// <param name="EventTypes">Only these kinds of events.</param>
public sealed record EventFilter(
    Reach Visible,
    string? ResourceType = null,
    Guid? Resource = null,
    string? Owner = null,
    string[]? EventTypes = null
)
{
    /// <summary>All events.</summary>
    public static readonly EventFilter All = new(Reach.All);

    /// <summary>Whether a reader gets an event.</summary>
    public bool Takes(LogEvent logged) =>
        (Resource is null || logged.Resource == Resource)
        && Visible.Allows(logged.ResourceType, logged.Owner)
        && (Owner is null || logged.Owner == Owner)
        && (ResourceType is null || logged.ResourceType == ResourceType)
        && (EventTypes is null or [] || EventTypes.Contains(logged.Type));
}

/// <summary>
/// Events in their order, and how far the log was looked through for them: all of the reader's events up to there are
/// in these pages and those before.
/// </summary>
public sealed record LogPage(IReadOnlyList<LogEvent> Events, long Reached)
{
    /// <summary>About what it needs in memory while it is sent: the data of its events, and their JSON.</summary>
    public long Bytes
    {
        get
        {
            var bytes = 0L;
            foreach (var logged in Events)
                bytes += 2 * logged.Data.Utf8.Length;
            return bytes;
        }
    }
}

/// <summary>A page of the history of a type.</summary>
/// <param name="HasMore">Whether others may follow.</param>
public sealed record TypeHistory(IReadOnlyList<LogEvent> Events, bool HasMore);
