using JasperFx.Events.Daemon;
using Microsoft.Extensions.Logging;
using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Builds a new generation of the resource views beside the one that answers, and puts it in its place when it has come
/// as far. Each stage is noted in the database, so whoever owns the projections next goes on where the last owner died.
/// </summary>
/// <param name="pauses">
/// How often it has failed before: pages get smaller with every time, as one may be too much.
/// </param>
sealed class ProjectionRebuild(
    NpgsqlDataSource database,
    EventKinds kinds,
    int generation,
    int building,
    int pauses,
    TimeProvider time,
    ILoggerFactory logs
)
{
    /// <summary>The order of stages: rows without indexes, the indexes, and what happened meanwhile.</summary>
    public const string Filling = "filling",
        Indexing = "indexing",
        CatchingUp = "catching up";

    const int LargeBatch = 1000;
    const int SmallBatch = 500;

    /// <summary>This close to the head the rows count as filled.</summary>
    const long Near = 2000;

    static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    readonly ILogger log = logs.CreateLogger<ProjectionRebuild>();

    /// <summary>Runs from the given stage to the end.</summary>
    /// <returns>The daemon that has built the generation and goes on with it.</returns>
    public async Task<ProjectionRun> RunAsync(string? stage, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        await ExecuteAsync($"select create_resource_views({building})", ct);
        if (stage is Filling)
        {
            await using (
                await FollowAsync(LargeBatch, (position, head) => Task.FromResult(head - position <= Near), ct)
            )
                await EnterAsync(stage = Indexing, ct);
        }
        if (stage is Indexing)
        {
            await ExecuteAsync($"select index_resource_views({building})", ct);
            await EnterAsync(CatchingUp, ct);
        }
        var run = await FollowAsync(SmallBatch, (_, _) => PublishAsync(ct), ct);
        log.LogInformation(
            "Generation {Generation} of the resource views answers, after {Seconds:F0} s",
            building,
            time.GetElapsedTime(started).TotalSeconds
        );
        return run;
    }

    /// <summary>Runs the daemon on the new generation until it has come far enough.</summary>
    /// <exception cref="RebuildPausedException">The failure will pass, or another node is at work.</exception>
    async Task<ProjectionRun> FollowAsync(int batchSize, Func<long, long, Task<bool>> isEnough, CancellationToken ct)
    {
        var run = await ProjectionRun.StartAsync(
            database,
            kinds,
            building,
            Math.Max(1, batchSize >> Math.Min(10, 2 * pauses)),
            time,
            logs
        );
        try
        {
            while (true)
            {
                if (run.Failure is { IsTransient: true } or { Category: ShardFailureCategory.ProgressionOutOfOrder })
                    throw new RebuildPausedException(ProjectionHost.ReasonOf(run.Failure));
                if (run.Failure is { } failure)
                    throw new InvalidOperationException(ProjectionHost.ReasonOf(failure));
                var head = await HeadAsync(ct);
                await run.AdvanceAsync(head);
                if (await isEnough(run.Position, head))
                    return run;
                await Task.Delay(Between, time, ct);
            }
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    async Task<long> HeadAsync(CancellationToken ct)
    {
        await using var command = database.CreateCommand("select head from log_head()");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    Task EnterAsync(string stage, CancellationToken ct) =>
        ExecuteAsync(
            $"update followers set stage = '{stage}' where name = '{ResourceViewProjection.FollowerName}' and building = {building}",
            ct
        );

    /// <summary>
    /// Puts the new generation in the old one's place, if it is as far: both positions are locked while they are
    /// compared, so that no reader goes back. Readers that are under way keep the view for a moment, and new ones queue
    /// behind this transaction: it gives up at once and comes again.
    /// </summary>
    async Task<bool> PublishAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var command = new NpgsqlCommand(
            $"""
            set local lock_timeout = '100ms';
            select name = follower_shard('{ResourceViewProjection.FollowerName}', {building}) as is_new, last_seq_id from mt_event_progression
                where name in (follower_shard('{ResourceViewProjection.FollowerName}', {generation}), follower_shard('{ResourceViewProjection.FollowerName}', {building})) order by name for update;
            """,
            connection,
            transaction
        );
        try
        {
            var old = 0L;
            var fresh = 0L;
            await using (var row = await command.ExecuteReaderAsync(ct))
                while (await row.ReadAsync(ct))
                    if (row.GetBoolean(0))
                        fresh = row.GetInt64(1);
                    else
                        old = row.GetInt64(1);
            if (fresh < old)
                return false;
            await using var publish = new NpgsqlCommand(
                $"""
                update followers set generation = {building}, building = null, stage = null, rebuilt_at = clock_timestamp(), fault_position = null, fault_detail = null, fault_since = null
                    where name = '{ResourceViewProjection.FollowerName}' and building = {building} and generation = {generation} returning publish_resource_views({building})::text
                """,
                connection,
                transaction
            );
            if (await publish.ExecuteScalarAsync(ct) is null)
                throw new RebuildPausedException("Another node has finished it.");
            await transaction.CommitAsync(ct);
            return true;
        }
        catch (PostgresException e)
            when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            // A reader takes its time. While this waits for it others wait behind, so it does not come again at once.
            await Task.Delay(Patience, time, ct);
            return false;
        }
    }

    async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        // Indexes over many rows take as long as they take; but the server gives up when this node is gone, where it
        // can tell. The setting ends with the transaction, which both statements are.
        await using var command = new NpgsqlCommand(
            "select set_config('client_connection_check_interval', '1s', true) where version() ilike '%linux%'; " + sql,
            connection
        )
        {
            CommandTimeout = 0,
        };
        await command.ExecuteNonQueryAsync(ct);
    }
}

/// <summary>The rebuild that this owner has under way, if any.</summary>
sealed class ProjectionRebuilds(NpgsqlDataSource database, EventKinds kinds, TimeProvider time, ILoggerFactory logs)
    : IAsyncDisposable
{
    readonly CancellationTokenSource ending = new();
    readonly ILogger log = logs.CreateLogger<ProjectionRebuilds>();
    Task<(int Generation, ProjectionRun Run)?> current = Task.FromResult<(int, ProjectionRun)?>(null);
    int pauses;

    /// <summary>Whether a generation has taken its place, and waits to be taken over.</summary>
    public bool HasFinished => current is { IsCompletedSuccessfully: true, Result: not null };

    /// <summary>Starts what is asked for, unless it runs already.</summary>
    public void Attend(ProjectionOwner.Orders orders)
    {
        if (orders.Building is { } building && current.IsCompleted && !HasFinished)
            current = RunAsync(orders.Generation, building, orders.Stage);
    }

    /// <summary>
    /// The daemon of a generation that has just been built, so that nothing needs to start again; null when there is
    /// none.
    /// </summary>
    public ProjectionRun? TakeFinished(int generation)
    {
        if (!HasFinished || current.Result is not { } finished || finished.Generation != generation)
            return null;
        current = Task.FromResult<(int, ProjectionRun)?>(null);
        pauses = 0;
        return finished.Run;
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        if (await current is { } finished)
            await finished.Run.DisposeAsync();
        ending.Dispose();
    }

    async Task<(int, ProjectionRun)?> RunAsync(int generation, int building, string? stage)
    {
        try
        {
            return (
                building,
                await new ProjectionRebuild(database, kinds, generation, building, pauses, time, logs).RunAsync(
                    stage,
                    ending.Token
                )
            );
        }
        catch (Exception e)
            when (!ending.IsCancellationRequested
                && e is not RebuildPausedException
                && !StoreUnavailableException.Explains(e)
            )
        {
            log.LogError(e, "The rebuild of the resource views is given up: {Reason}", e.Message);
            await using var command = database.CreateCommand(
                $"update followers set building = null, stage = null, rebuild_fault = $1 where name = '{ResourceViewProjection.FollowerName}' and building = $2"
            );
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = e.Message });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = building });
            await command.ExecuteNonQueryAsync();
        }
        catch (Exception e)
        {
            pauses++;
            log.LogWarning("The rebuild of the resource views pauses: {Reason}", e.Message);
        }
        return null;
    }
}

/// <summary>A rebuild stops for now; whoever owns the projections next goes on with it.</summary>
sealed class RebuildPausedException(string message) : Exception(message);
