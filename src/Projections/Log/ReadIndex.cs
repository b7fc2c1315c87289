using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// How far the log and the read models are, so that a read can be as new as its caller needs. Requests at the same time
/// share the query that finds out; none is answered by one that began before it asked.
/// </summary>
public sealed class ReadIndex
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    static readonly TimeSpan ClocksDiffer = TimeSpan.FromSeconds(5);
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    readonly ControlDb db;
    readonly TimeProvider time;
    readonly SharedRead<(long Head, long Views, int Generation)> positions;

    public ReadIndex(ControlDb db, TimeProvider time)
    {
        this.db = db;
        this.time = time;
        positions = new(() =>
            db.ReadAsync(
                "select head, position, generation from log_head(), resource_views_position",
                [],
                static async (reader, ct) =>
                {
                    await reader.ReadAsync(ct);
                    return (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt32(2));
                }
            )
        );
    }

    /// <summary>The position of the newest event; 0 when there is none.</summary>
    public async Task<long> HeadAsync(CancellationToken ct) => (await positions.GetAsync().WaitAsync(ct)).Head;

    /// <summary>
    /// Waits until a moment has passed by the clock of the log, which gives events their times; at most as long as two
    /// clocks that are kept may differ.
    /// </summary>
    /// <returns>False if the moment is further ahead.</returns>
    public async Task<bool> HasPassedAsync(DateTimeOffset moment, CancellationToken ct)
    {
        var now = await db.ReadAsync(
            "select clock_timestamp()",
            [],
            static async (reader, ct) =>
            {
                await reader.ReadAsync(ct);
                return reader.GetFieldValue<DateTimeOffset>(0);
            },
            ct
        );
        if (moment - now is var ahead && ahead > ClocksDiffer)
            return false;
        if (ahead > TimeSpan.Zero)
            await Task.Delay(ahead, time, ct);
        return true;
    }

    /// <summary>
    /// Waits until the resource views have passed a position, or, without one, the log's head at this moment.
    /// </summary>
    public async Task<Reached> WaitAsync(long? position, CancellationToken ct)
    {
        var (head, views, generation) = await positions.GetAsync().WaitAsync(ct);
        var target = position ?? head;
        if (target > head)
            return new(views, generation, ReachedState.Ahead);
        for (
            var started = time.GetTimestamp();
            views < target;
            (_, views, generation) = await positions.GetAsync().WaitAsync(ct)
        )
        {
            if (time.GetElapsedTime(started) > Timeout)
                return new(views, generation, ReachedState.Behind);
            await Task.Delay(PollInterval, time, ct);
        }
        return new(views, generation, ReachedState.Passed);
    }
}

/// <summary>Where a read model is, and whether that is where it was wanted.</summary>
public readonly record struct Reached(long Position, int Generation, ReachedState State);

/// <summary>What came of waiting for a position.</summary>
public enum ReachedState
{
    Passed,

    /// <summary>The read model has not come so far in time.</summary>
    Behind,

    /// <summary>The log itself has not.</summary>
    Ahead,
}
