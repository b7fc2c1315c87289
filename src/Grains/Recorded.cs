namespace Resources.Grains;

/// <summary>
/// An event with its envelope: the time, the actor, the version in its stream and the position in the log.
/// </summary>
public sealed record Recorded<TEvent>(TEvent Data, long Version, long Position, DateTimeOffset At, string Actor);
