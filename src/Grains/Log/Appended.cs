namespace Resources.Grains;

/// <summary>The outcome of an append: a position for each event, and their common time.</summary>
public sealed record Appended(long[] Positions, DateTimeOffset At);
