using System.Diagnostics;
using Npgsql;

namespace Resources.Projections;

/// <summary>Where the followers of the log stand.</summary>
public sealed class Followers(NpgsqlDataSource database, TimeProvider time)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Between = TimeSpan.FromMilliseconds(10);

    long seen;

    /// <summary>Waits until the list's read model has passed a position; false when it has not in time.</summary>
    public async Task<bool> WaitAsync(long position, CancellationToken ct)
    {
        for (var started = time.GetTimestamp(); ; await Task.Delay(Between, time, ct))
        {
            if (Volatile.Read(ref seen) >= position || await PositionAsync(ct) >= position) return true;
            if (time.GetElapsedTime(started) > Patience) return false;
        }
    }

    async Task<long> PositionAsync(CancellationToken ct)
    {
        await using var command = database.CreateCommand("select last_seq_id from mt_event_progression where name = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = ResourceViewProjection.Name + ":All" });
        var position = await command.ExecuteScalarAsync(ct) as long? ?? 0;
        InterlockedMax(position);
        return position;
    }

    void InterlockedMax(long position)
    {
        for (var now = Volatile.Read(ref seen); position > now; now = Volatile.Read(ref seen))
            if (Interlocked.CompareExchange(ref seen, position, now) == now) return;
    }
}
