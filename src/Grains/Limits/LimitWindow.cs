namespace Resources.Grains;

/// <summary>The permits of one key in one window, as their grain counts them.</summary>
/// <param name="start">When the window began, in milliseconds since 1970.</param>
/// <param name="ends">When it ends.</param>
public sealed class LimitWindow(long start, long ends)
{
    public long Start { get; } = start;

    public long Ends { get; } = ends;

    /// <summary>Permits that nodes have.</summary>
    public int Granted { get; private set; }

    /// <summary>What of it the database does not know yet. Negative where permits came back.</summary>
    public int Pending { get; private set; }

    /// <summary>Whether anything was leased before: the first lease of a window is not worth a write.</summary>
    bool isLeased;

    /// <summary>A window that another activation has begun.</summary>
    public static LimitWindow Loaded(long start, long ends, int granted) =>
        new(start, ends) { Granted = granted, isLeased = true };

    /// <summary>Reserves up to so many permits.</summary>
    /// <returns>How many, and whether the database has to know before they are given.</returns>
    public (int Permits, bool MustBeKept) Reserve(int wanted, int permits)
    {
        var reserved = Math.Clamp(wanted, 0, Math.Max(0, permits - Granted));
        var must = reserved > 0 && isLeased;
        isLeased |= reserved > 0;
        Granted += reserved;
        Pending += reserved;
        return (reserved, must);
    }

    /// <summary>Takes permits back that were not used.</summary>
    public void Return(int returned)
    {
        returned = Math.Clamp(returned, 0, Granted);
        Granted -= returned;
        Pending -= returned;
    }

    /// <summary>What is to be added in the database now.</summary>
    public int TakePending()
    {
        var pending = Pending;
        Pending = 0;
        return pending;
    }

    /// <summary>The database has added it.</summary>
    /// <param name="total">
    /// What all activations have added. What is above the limit was refused to who added it last.
    /// </param>
    /// <param name="reserved">Permits that wait for the answer.</param>
    /// <param name="permits">The limit.</param>
    /// <returns>How many of them may be given.</returns>
    public int Kept(int total, int reserved, int permits)
    {
        var refused = Math.Clamp(total - permits, 0, reserved);
        Granted = Math.Max(Granted, total + Pending) - refused;
        Pending -= refused;
        return reserved - refused;
    }

    /// <summary>The database could not be asked: what waited for it is not given.</summary>
    public void NotKept(int pending, int reserved)
    {
        Granted -= reserved;
        Pending += pending - reserved;
    }
}
