using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// How far the log and the read models are, so that a read can be as new as its caller needs. Requests at the same time
/// share the query that finds out; none is answered by one that began before it asked.
/// </summary>
public sealed class ReadIndex
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Between = TimeSpan.FromMilliseconds(5);

    readonly TimeProvider time;
    readonly SharedRead<(long Head, long Views, int Generation)> positions;

    public ReadIndex(NpgsqlDataSource database, StoreContact contact, TimeProvider time)
    {
        this.time = time;
        positions = new(() =>
            contact.WhileAvailableAsync(async ct =>
            {
                await using var command = database.CreateCommand(
                    "select head, position, generation from log_head(), resource_views_position"
                );
                await using var row = await command.ExecuteReaderAsync(ct);
                await row.ReadAsync(ct);
                return (row.GetInt64(0), row.GetInt64(1), row.GetInt32(2));
            })
        );
    }

    /// <summary>The position of the newest event; 0 when there is none.</summary>
    public async Task<long> HeadAsync(CancellationToken ct) => (await positions.GetAsync().WaitAsync(ct)).Head;

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
            if (time.GetElapsedTime(started) > Patience)
                return new(views, generation, ReachedState.Behind);
            await Task.Delay(Between, time, ct);
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
