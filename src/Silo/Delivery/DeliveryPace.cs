using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// How much is sent to a target at a time: all that is allowed, or one after a pause while the target as a whole seems
/// to fail.
/// </summary>
sealed class DeliveryPace(int max, TimeSpan firstPause)
{
    static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(5);

    readonly Lock gate = new();
    int failures;
    int pauses;
    DateTimeOffset until;

    /// <summary>How many deliveries may be in flight now.</summary>
    public int Allowed(DateTimeOffset now)
    {
        lock (gate)
            return now < until ? 0
                : pauses > 0 ? 1
                : max;
    }

    /// <summary>Whether the target as a whole seems to fail.</summary>
    public bool IsFailing
    {
        get
        {
            lock (gate)
                return pauses > 0;
        }
    }

    /// <summary>Whether nothing is sent to it now.</summary>
    public bool IsPaused(DateTimeOffset now)
    {
        lock (gate)
            return now < until;
    }

    public void Succeeded()
    {
        lock (gate)
        {
            failures = 0;
            pauses = 0;
        }
    }

    /// <summary>Counts a failure. One resource that fails repeatedly says nothing about the others.</summary>
    /// <param name="isNews">Whether the resource had not failed before.</param>
    public void Failed(DateTimeOffset now, bool isNews, DeliveryOutcome outcome)
    {
        lock (gate)
        {
            if (isNews)
                failures++;
            if (now < until || !outcome.SlowDown && failures < max && pauses is 0)
                return;
            var pause = outcome.RetryAfter ?? firstPause * Math.Pow(2, Math.Min(pauses, 20));
            pauses++;
            until = now + (pause < MaxPause ? pause : MaxPause);
        }
    }
}
