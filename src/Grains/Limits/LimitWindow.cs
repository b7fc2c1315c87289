namespace Resources.Grains;

/// <summary>The permits of one key in one window, as their grain counts them.</summary>
/// <param name="start">When the window began, in milliseconds since 1970.</param>
public sealed class LimitWindow(long start)
{
    public long Start { get; } = start;

    /// <summary>Permits that nodes have.</summary>
    public int Granted { get; private set; }

    /// <summary>What of it the database does not know yet. Negative where permits came back.</summary>
    public int Pending { get; private set; }

    /// <summary>Whether anything was leased before: the first lease of a window is not worth a write.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>A window that another activation has begun.</summary>
    public static LimitWindow Loaded(long start, int granted) => new(start) { Granted = granted, IsKnown = true };

    /// <summary>Reserves up to so many permits.</summary>
    /// <returns>How many, and whether the database has to know before they are given.</returns>
    public (int Permits, bool MustBeKept) Reserve(int wanted, int permits)
    {
        var granted = Math.Clamp(wanted, 0, Math.Max(0, permits - Granted));
        var must = granted > 0 && IsKnown;
        IsKnown |= granted > 0;
        Granted += granted;
        Pending += granted;
        return (granted, must);
    }

    /// <summary>Takes permits back that were not used.</summary>
    public void Return(int permits)
    {
        permits = Math.Clamp(permits, 0, Granted);
        Granted -= permits;
        Pending -= permits;
    }

    /// <summary>What is to be added in the database; it counts as known from now on.</summary>
    public int TakePending()
    {
        var pending = Pending;
        Pending = 0;
        return pending;
    }

    /// <summary>The database has refused so many permits, as another activation had given them, or could not be asked.</summary>
    public void Withdraw(int permits) => Granted -= permits;

    /// <summary>Puts back what could not be written.</summary>
    public void Keep(int pending) => Pending += pending;
}
