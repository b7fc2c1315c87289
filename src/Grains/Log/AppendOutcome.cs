namespace Resources.Grains;

/// <summary>What became of an append. The list is closed; all but <see cref="Appended"/> left nothing behind.</summary>
public abstract record AppendOutcome
{
    private protected AppendOutcome() { }
}

/// <summary>It is in the log: a position for each event, and their common time.</summary>
public sealed record Appended(long[] Positions, DateTimeOffset At) : AppendOutcome;

/// <summary>The stream was at another version.</summary>
public sealed record Conflict : AppendOutcome;

/// <summary>The newest event of the fence's stream was another one, at this position; 0 when it had none.</summary>
public sealed record FenceMoved(long Position) : AppendOutcome;

/// <summary>Another resource has a value that was to be taken.</summary>
public sealed record Taken(Claim Claim) : AppendOutcome;

/// <summary>The target of a new reference was deleted, was never there, or is of another type.</summary>
public sealed record TargetMissing(Reference Reference) : AppendOutcome;

/// <summary>Other resources refer to the stream.</summary>
public sealed record StillReferenced : AppendOutcome;

/// <summary>It was not sent: what it would need beside it is refused.</summary>
public sealed record Declined(Rejection Rejection) : AppendOutcome;

/// <summary>Nothing of a unit was appended, because of one of its members.</summary>
public sealed record Withheld(Guid Stream, AppendOutcome Reason) : AppendOutcome;
