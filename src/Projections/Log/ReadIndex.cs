using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// How far the log and the read models are, so that a read can be as new as its caller needs. Requests at the same time
/// share the query that finds out; none is answered by one that began before it asked.
/// </summary>
public sealed class ReadIndex
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>At the start of a node its clock and the database's differ less.</summary>
    static readonly TimeSpan ClocksDiffer = TimeSpan.FromMinutes(2);

    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    readonly TimeProvider time;
    readonly SharedRead<DateTimeOffset> moments;
    readonly SharedRead<(long Head, long Views, int Generation)> positions;

    public ReadIndex(ControlDb db, ReadsDb reads, TimeProvider time)
    {
        this.time = time;
        // Whoever appends holds this lock from the moment that the events get until their commit.
        moments = new(() =>
            reads.ReadAsync(
                "with passed as materialized (select pg_advisory_xact_lock_shared(7238163)) select clock_timestamp() from passed",
                [],
                static async (reader, ct) =>
                {
                    await reader.ReadAsync(ct);
                    return reader.GetFieldValue<DateTimeOffset>(0);
                }
            )
        );
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
    /// How far a moment lies ahead of the log, by the database's clock, which gives events their times. When it does not,
    /// every event of the time until then is committed.
    /// </summary>
    public async Task<TimeSpan> AheadAsync(DateTimeOffset moment, CancellationToken ct) =>
        moment < time.GetUtcNow() - ClocksDiffer ? TimeSpan.Zero : moment - await moments.GetAsync().WaitAsync(ct);

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
