using System.ComponentModel.DataAnnotations;

namespace Resources.Silo;

/// <summary>Section <c>Streams</c>: connections on which events are sent as they come.</summary>
public sealed class StreamOptions
{
    /// <summary>Open at the same time on this node, by one caller.</summary>
    [Range(1, 1_000_000)]
    public int MaxPerCaller { get; set; } = 2_000;

    /// <summary>Open at the same time on this node.</summary>
    [Range(1, 1_000_000)]
    public int MaxPerNode { get; set; } = 10_000;

    /// <summary>A stream without events sends its position this often.</summary>
    [Range(1, 60)]
    public int HeartbeatSeconds { get; set; } = 10;

    public TimeSpan Heartbeat => TimeSpan.FromSeconds(HeartbeatSeconds);
}
