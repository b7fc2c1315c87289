namespace Resources.Grains;

/// <summary>A command of a session.</summary>
[GenerateSerializer, Immutable, Alias("session-command")]
public abstract record SessionCommand;

[GenerateSerializer, Immutable, Alias("session-start")]
public sealed record StartSession(
    Guid Account,
    long AccountVersion,
    string Kind,
    string[] Methods,
    DateTimeOffset ExpiresAt,
    string? UserAgent
) : SessionCommand;

/// <summary>A command that comes with the refresh token or cookie of a generation.</summary>
[GenerateSerializer, Immutable, Alias("session-use")]
public abstract record UseSession(int Generation) : SessionCommand;

/// <summary>Exchanges the refresh token for the next one.</summary>
[GenerateSerializer, Immutable, Alias("session-refresh")]
public sealed record RefreshSession(int Generation) : UseSession(Generation);

/// <summary>Records that the session is in use.</summary>
[GenerateSerializer, Immutable, Alias("session-touch")]
public sealed record TouchSession(int Generation) : UseSession(Generation);

/// <summary>Records that the owner has authenticated again, by these methods.</summary>
[GenerateSerializer, Immutable, Alias("session-authenticate")]
public sealed record AuthenticateSession(string[] Methods) : SessionCommand;

[GenerateSerializer, Immutable, Alias("session-end")]
public sealed record EndSession(string Reason) : SessionCommand;
