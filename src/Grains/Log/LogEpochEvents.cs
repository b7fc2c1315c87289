namespace Resources.Grains;

/// <summary>What happens to the log itself. The database writes these events (<c>begin_log_epoch</c>).</summary>
public abstract record LogEpochEvent;

/// <summary>A standby was promoted. Events after a position may be lost; positions go on far beyond it.</summary>
/// <param name="From">The time line before.</param>
/// <param name="To">The time line of the server that was promoted.</param>
/// <param name="LastPosition">The last event that the promoted server has of the epoch before.</param>
[Event("log.timeline_changed")]
public sealed record LogTimelineChanged(int Epoch, long LastPosition, int From, int To) : LogEpochEvent;

/// <summary>The log was restored into another database, with all events up to a position.</summary>
[Event("log.restored")]
public sealed record LogRestored(int Epoch, long LastPosition) : LogEpochEvent;
