using System.ComponentModel.DataAnnotations;

namespace Resources.Grains;

/// <summary>Section <c>Sessions</c>.</summary>
public sealed class SessionLimits
{
    /// <summary>A session expires after this many hours without use.</summary>
    [Range(1, 8_760)]
    public int IdleHours { get; set; } = 7 * 24;

    /// <summary>A session expires after this many hours, even when it is used.</summary>
    [Range(1, 8_760)]
    public int AbsoluteHours { get; set; } = 30 * 24;

    /// <summary>
    /// For this many minutes after its owner has authenticated, a session may change passwords, factors and keys.
    /// </summary>
    [Range(1, 1_440)]
    public int RecentMinutes { get; set; } = 15;

    public TimeSpan Idle => TimeSpan.FromHours(IdleHours);
}
