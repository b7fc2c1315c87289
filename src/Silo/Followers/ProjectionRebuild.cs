using Microsoft.Extensions.Logging;
using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Builds a new generation of a read model beside the one that answers, and puts it in its place when it has come as
/// far. Each stage is noted in the database, so whoever owns the projections next goes on where the last owner died.
/// </summary>
/// <param name="pauses">
/// How often it has failed before: pages get smaller with every time, as one may be too much.
/// </param>
sealed class ProjectionRebuild(ProjectionSetting setting, int generation, int building, int pauses)
{
    /// <summary>The order of stages: rows without indexes, the indexes, and what happened meanwhile.</summary>
    public const string Filling = "filling",
        Indexing = "indexing",
        CatchingUp = "catching up";

    /// <summary>Most events of one transaction.</summary>
    const int MaxEvents = 1000;

    /// <summary>This close to the head the rows count as filled.</summary>
    const long MaxLag = 2000;

    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(2);

    readonly string name = setting.Model.Name;
    readonly TimeProvider time = setting.Time;
    readonly ILogger logger = setting.Logs.CreateLogger<ProjectionRebuild>();

    /// <summary>Runs from the given stage to the end.</summary>
    /// <returns>The run that has built the generation and goes on with it.</returns>
    /// <exception cref="RebuildPausedException">Another node is at work.</exception>
    public async Task<ProjectionRun> RunAsync(string? stage, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        await ExecuteAsync($"select create_{name}({building})", ct);
        var run = await setting.StartAsync(building, ct);
        if (stage is Filling)
        {
            await FollowAsync(run, head => Task.FromResult(head - run.Position <= MaxLag), ct);
            await EnterAsync(stage = Indexing, ct);
        }
        if (stage is Indexing)
        {
            await ExecuteAsync($"select index_{name}({building})", ct);
            await EnterAsync(CatchingUp, ct);
        }
        await FollowAsync(
            run,
            async _ =>
            {
                while (await run.WorkAsync(ct)) { }
                return await PublishAsync(run, ct);
            },
            ct
        );
        logger.LogInformation(
            "Generation {Generation} of {Follower} answers, after {Seconds:F0} s",
            building,
            name,
            time.GetElapsedTime(started).TotalSeconds
        );
        return run;
    }

    /// <summary>Applies the log to the new generation until it has come far enough.</summary>
    async Task FollowAsync(ProjectionRun run, Func<long, Task<bool>> isEnough, CancellationToken ct)
    {
        var limit = Math.Max(1, MaxEvents >> Math.Min(10, 2 * pauses));
        while (true)
        {
            var head = await setting.Follow.ScalarAsync<long>("select head from log_head()", [], ct);
            await run.AdvanceAsync(head, limit, ct);
            if (await isEnough(head))
                return;
            if (run.Position >= head)
                await Task.Delay(PollInterval, time, ct);
        }
    }

    Task EnterAsync(string stage, CancellationToken ct) =>
        ExecuteAsync($"update followers set stage = '{stage}' where name = '{name}' and building = {building}", ct);

    /// <summary>
    /// Puts the new generation in the old one's place, if it is as far: both positions are locked while they are
    /// compared, so that no reader goes back. Readers that are under way keep the view for a moment, and new ones queue
    /// behind this transaction: it gives up at once and comes again.
    /// </summary>
    async Task<bool> PublishAsync(ProjectionRun run, CancellationToken ct)
    {
        await using var connection = await setting.Bulk.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var command = new NpgsqlCommand(
            $"""
            set local lock_timeout = '100ms';
            select name = follower_shard('{name}', {building}) as is_new, last_seq_id from mt_event_progression
                where name in (follower_shard('{name}', {generation}), follower_shard('{name}', {building})) order by name for update;
            """,
            connection,
            transaction
        );
        try
        {
            var old = 0L;
            var fresh = 0L;
            await using (var reader = await command.ExecuteReaderAsync(ct))
                while (await reader.ReadAsync(ct))
                    if (reader.GetBoolean(0))
                        fresh = reader.GetInt64(1);
                    else
                        old = reader.GetInt64(1);
            if (fresh < old)
                return false;
            // Work beside the log is only of use if nobody else has applied a page.
            if (fresh != run.Position)
                throw new RebuildPausedException("Another node is at work.");
            await using var publish = new NpgsqlCommand(
                $"""
                update followers set generation = {building}, building = null, stage = null, rebuilt_at = clock_timestamp(), fault_position = null, fault_detail = null, fault_since = null
                    where name = '{name}' and building = {building} and generation = {generation} returning publish_{name}({building})::text
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
            await Task.Delay(RetryDelay, time, ct);
            return false;
        }
    }

    async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var connection = await setting.Bulk.OpenAsync(ct);
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

/// <summary>The rebuild of a read model that this owner has under way, if any.</summary>
sealed class ProjectionRebuilds(ProjectionSetting setting) : IAsyncDisposable
{
    readonly CancellationTokenSource ending = new();
    readonly ILogger logger = setting.Logs.CreateLogger<ProjectionRebuilds>();
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
    /// The run of a generation that has just been built, so that nothing needs to start again; null when there is none.
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
        await current;
        ending.Dispose();
    }

    async Task<(int, ProjectionRun)?> RunAsync(int generation, int building, string? stage)
    {
        try
        {
            return (
                building,
                await new ProjectionRebuild(setting, generation, building, pauses).RunAsync(stage, ending.Token)
            );
        }
        catch (Exception e)
            when (!ending.IsCancellationRequested
                && e is not RebuildPausedException
                && !StoreUnavailableException.Explains(e)
            )
        {
            logger.LogError(e, "The rebuild of {Follower} is given up: {Reason}", setting.Model.Name, e.Message);
            await setting.Follow.ExecuteAsync(
                "update followers set building = null, stage = null, rebuild_fault = $1 where name = $2 and building = $3",
                [Arg.Of(ProjectionRun.ReasonOf(e)), Arg.Of(setting.Model.Name), Arg.Of(building)],
                CancellationToken.None
            );
        }
        catch (Exception e)
        {
            pauses++;
            logger.LogWarning("The rebuild of {Follower} pauses: {Reason}", setting.Model.Name, e.Message);
        }
        return null;
    }
}

/// <summary>A rebuild stops for now; whoever owns the projections next goes on with it.</summary>
sealed class RebuildPausedException(string message) : Exception(message);
