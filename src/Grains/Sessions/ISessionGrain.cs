using System.ComponentModel.DataAnnotations;

namespace Resources.Grains;

/// <summary>One session; the key is its id.</summary>
[Alias("resources.ISessionGrain")]
public interface ISessionGrain : IGrainWithGuidKey
{
    /// <summary>Begins or ends the session.</summary>
    [Alias("Execute")]
    Task<Reply<Session>> Execute(SessionCommand command, Intent intent);

    /// <summary>
    /// Runs a command of the session's owner; null where the session is over, or its account does not allow it any
    /// more.
    /// </summary>
    [Alias("Use")]
    Task<OpenSession?> Use(SessionCommand command, Intent intent);

    /// <summary>The session with its account, while both are good; null when not.</summary>
    [Alias("Find")]
    Task<OpenSession?> Find();
}

/// <summary>A session that is good, with the account that it belongs to.</summary>
[GenerateSerializer, Immutable, Alias("open-session")]
public sealed record OpenSession(Session Session, Account Account, long AccountVersion);

/// <summary>Section <c>Sessions</c>.</summary>
public sealed class SessionLimits
{
    /// <summary>A session that is not used for so many hours is over.</summary>
    [Range(1, 8_760)]
    public int IdleHours { get; set; } = 7 * 24;

    /// <summary>A session is over after so many hours, however it is used.</summary>
    [Range(1, 8_760)]
    public int AbsoluteHours { get; set; } = 30 * 24;

    /// <summary>
    /// For so many minutes after its owner has authenticated, a session may change passwords, factors and keys.
    /// </summary>
    [Range(1, 1_440)]
    public int RecentMinutes { get; set; } = 15;

    public TimeSpan Idle => TimeSpan.FromHours(IdleHours);
}
