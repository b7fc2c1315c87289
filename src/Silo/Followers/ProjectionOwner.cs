using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// What the owner of a read model reads and notes of its follower, all over the session that holds the lock: who has
/// lost that cannot.
/// </summary>
sealed class ProjectionOwner(ReadModel model, NpgsqlConnection connection)
{
    static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    /// <summary>A connection takes one statement at a time.</summary>
    readonly SemaphoreSlim turn = new(1);

    /// <summary>
    /// What is asked of the follower: which generation answers, which one is to be built, and whether it may try again.
    /// </summary>
    public sealed record Orders(int Generation, int? Building, string? Stage, bool IsFaulty);

    public Task<bool> TryTakeAsync(CancellationToken ct) =>
        ScalarAsync<bool>($"select pg_try_advisory_lock(follower_lock('{model.Name}'))", ct);

    /// <summary>
    /// Notes who it is. A node that is paused or cut off keeps its session, and with it the lock, unless the server
    /// ends sessions that fall silent.
    /// </summary>
    public async Task BeginAsync(string node, CancellationToken ct)
    {
        await ExecuteAsync("set idle_session_timeout = '3s'; set lock_timeout = '500ms'", [], ct);
        await ExecuteAsync("update followers set node = $1 where name = $2", [node, model.Name], ct);
    }

    /// <summary>
    /// Keeps the session from falling silent until it is told to stop, or the session has ended: the next statement of
    /// the owner tells that.
    /// </summary>
    public async Task StayAliveAsync(CancellationToken ct)
    {
        try
        {
            for (; ; await Task.Delay(Heartbeat, ct))
                await ExecuteAsync("select 1", [], ct);
        }
        catch (Exception e) when (ct.IsCancellationRequested || StoreUnavailableException.Explains(e)) { }
    }

    public Task<long> HeadAsync(CancellationToken ct) => ScalarAsync<long>("select head from log_head()", ct);

    public Task<Orders> OrdersAsync(CancellationToken ct) =>
        InTurnAsync(
            async () =>
            {
                await using var command = new NpgsqlCommand(
                    "select generation, building, stage, fault_position is not null from followers where name = $1",
                    connection
                )
                {
                    Parameters = { Arg.Of(model.Name) },
                };
                await using var reader = await command.ExecuteReaderAsync(ct);
                if (!await reader.ReadAsync(ct))
                    throw new InvalidOperationException($"The table followers has no row '{model.Name}'.");
                return new Orders(reader.GetInt32(0), reader.IntOrNull(1), reader.TextOrNull(2), reader.GetBoolean(3));
            },
            ct
        );

    /// <summary>
    /// Notes why the follower stands still; without a position it is the next event that it has not applied. One that
    /// was left out meanwhile is no reason any more.
    /// </summary>
    /// <param name="isOfEvent">Whether the event is to blame, so that leaving it out helps.</param>
    public Task FaultAsync(long? position, bool isOfEvent, string detail, CancellationToken ct) =>
        ExecuteAsync(
            """
            update followers f set fault_detail = $2, fault_is_of_event = $3, fault_since = coalesce(f.fault_since, clock_timestamp()),
                fault_position = coalesce($1::bigint, (select seq_id from mt_events e where starts_with(type, $5)
                    and seq_id > coalesce((select last_seq_id from mt_event_progression where name = follower_shard(f.name, f.generation)), 0)
                    and not exists (select from skipped_events s where s.follower = f.name and s.position = e.seq_id) order by seq_id limit 1))
            where name = $4 and not exists (select from skipped_events s where s.follower = f.name and s.position = $1::bigint)
            """,
            [position, detail, isOfEvent, model.Name, model.Subject + "."],
            ct
        );

    public Task ClearFaultAsync(CancellationToken ct) =>
        ExecuteAsync(
            """
            update followers set fault_position = null, fault_detail = null, fault_since = null where name = $1 and fault_since is not null
            """,
            [model.Name],
            ct
        );

    /// <summary>
    /// Drops generations that nobody needs any more; false while a reader still has one, or something of the operator's
    /// depends on it.
    /// </summary>
    public async Task<bool> TidyAsync(Orders orders, CancellationToken ct)
    {
        try
        {
            await ExecuteAsync(
                $"select drop_other_{model.Name}($1, $2::int)",
                [orders.Generation, orders.Building],
                ct
            );
            await ExecuteAsync(
                """
                delete from mt_event_progression where starts_with(name, $1 || ':')
                    and name not in (follower_shard($1, $2), follower_shard($1, coalesce($3::int, $2)))
                """,
                [model.Name, orders.Generation, orders.Building],
                ct
            );
            return true;
        }
        catch (PostgresException e)
            when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DependentObjectsStillExist)
        {
            return false;
        }
    }

    /// <summary>
    /// Gives the lock back at an orderly stop, so that the next node need not wait for the session to end.
    /// </summary>
    public async Task ReleaseAsync()
    {
        if (connection.State is System.Data.ConnectionState.Open)
            await ExecuteAsync($"select pg_advisory_unlock(follower_lock('{model.Name}'))", [], CancellationToken.None);
    }

    Task<T> ScalarAsync<T>(string sql, CancellationToken ct) =>
        InTurnAsync(
            async () =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                return (T)(await command.ExecuteScalarAsync(ct))!;
            },
            ct
        );

    Task ExecuteAsync(string sql, object?[] arguments, CancellationToken ct) =>
        InTurnAsync(
            async () =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                foreach (var argument in arguments)
                    command.Parameters.Add(new() { Value = argument ?? DBNull.Value });
                return await command.ExecuteNonQueryAsync(ct);
            },
            ct
        );

    async Task<T> InTurnAsync<T>(Func<Task<T>> work, CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        try
        {
            return await work();
        }
        finally
        {
            turn.Release();
        }
    }
}
