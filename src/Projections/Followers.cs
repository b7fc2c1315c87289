using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>Where the log stands and where its followers stand. Requests at the same time share the queries that find out.</summary>
public sealed class Followers
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Between = TimeSpan.FromMilliseconds(10);

    readonly TimeProvider time;
    readonly SharedRead<long> head;
    readonly SharedRead<long> views;

    public Followers(NpgsqlDataSource database, StoreContact contact, TimeProvider time)
    {
        this.time = time;
        head = new(() => ReadAsync(database, contact, "select coalesce((select seq_id from mt_events order by seq_id desc limit 1), 0)"));
        views = new(() => ReadAsync(database, contact, $"select coalesce((select last_seq_id from mt_event_progression where name = '{ResourceViewProjection.Name}:All'), 0)"));
    }

    /// <summary>The position of the newest event; 0 when there is none.</summary>
    public Task<long> HeadAsync(CancellationToken ct) => head.GetAsync().WaitAsync(ct);

    /// <summary>Waits until the list's read model has passed a position; false when it has not in time.</summary>
    public async Task<bool> WaitAsync(long position, CancellationToken ct)
    {
        for (var started = time.GetTimestamp(); await views.GetAsync().WaitAsync(ct) < position; await Task.Delay(Between, time, ct))
            if (time.GetElapsedTime(started) > Patience) return false;
        return true;
    }

    static Task<long> ReadAsync(NpgsqlDataSource database, StoreContact contact, string sql) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    });
}
