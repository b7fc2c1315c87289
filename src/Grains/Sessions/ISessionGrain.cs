namespace Resources.Grains;

/// <summary>One session; the key is its id.</summary>
[Alias("resources.ISessionGrain")]
public interface ISessionGrain : IGrainWithGuidKey
{
    /// <summary>Starts or ends the session.</summary>
    [Alias("Execute")]
    Task<Reply<Session>> Execute(SessionCommand command, Intent intent);

    /// <summary>
    /// Runs a command of the session's owner; null when the session is over or its account no longer allows it.
    /// </summary>
    [Alias("Use")]
    Task<OpenSession?> Use(SessionCommand command, Intent intent);

    /// <summary>The session with its account while the session is open and the account allows it; otherwise null.</summary>
    [Alias("Find")]
    Task<OpenSession?> Find();
}
