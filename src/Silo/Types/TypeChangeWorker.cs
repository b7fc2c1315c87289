using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// Checks changes of types against what is stored, and sweeps what former rules have left. Of each type one node at a time
/// does so: the one that holds a session lock in the database. When it dies another one goes on within seconds.
/// </summary>
sealed class TypeChangeWorker(
    SessionsDb sessions,
    TypeBook types,
    TypeChangeStore store,
    TypeChangeRun run,
    ILogger<TypeChangeWorker> logger
) : BackgroundService
{
    /// <summary>Of so many interruptions in a row, the log tells of the last.</summary>
    const int ToldInterruptions = 10;

    static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    /// <summary>A node works on so many types at a time.</summary>
    readonly SemaphoreSlim turns = new(2);

    readonly ConcurrentDictionary<string, Task> working = new();

    /// <summary>How often in a row the work on a type was interrupted.</summary>
    readonly ConcurrentDictionary<string, int> interruptions = new();

    readonly Signal news = new();
    HashSet<(Guid Type, int Rule)>? swept;
    long seen;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void Hear(TypeRules changed) => news.Set();
        types.Changed += Hear;
        await new Loop("Looking for changes of types", logger) { RetryDelay = PollInterval }.RunAsync(
            LookAsync,
            stoppingToken
        );
        types.Changed -= Hear;
        await Task.WhenAll(working.Values);
    }

    async Task LookAsync(CancellationToken ct)
    {
        if (swept is null)
        {
            // A change may have left something, though its name is free now, so that the book did not look for it.
            var noted = await store.NotedAsync(ct);
            swept = await store.SweptAsync(ct);
            foreach (var name in noted)
                _ = working.GetOrAdd(name, name => WorkAsync(name, ct));
        }
        foreach (var rules in types.All)
            if (rules.Change is not null || FormerRules(rules) is not [])
                _ = working.GetOrAdd(rules.Name, name => WorkAsync(name, ct));
        seen = await news.WaitAsync(seen, PollInterval, ct);
    }

    async Task WorkAsync(string name, CancellationToken ct)
    {
        await Task.Yield();
        await turns.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var pause = await TakeTurnAsync(name, ct);
        // Others have their turn meanwhile: clients may write the old form for weeks.
        turns.Release();
        for (var left = pause; left > TimeSpan.Zero && !types[name].IsClosing; left -= PollInterval)
            await Task.Delay(left < PollInterval ? left : PollInterval, ct)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        working.TryRemove(name, out _);
    }

    /// <summary>Does what there is to do for a type, and returns how long to wait before there is more of it.</summary>
    async Task<TimeSpan> TakeTurnAsync(string name, CancellationToken ct)
    {
        try
        {
            await using var session = await sessions.OpenAsync(ct);
            // Its end, whatever ends it, gives the lock back.
            if (!await TryLockAsync(session, name, ct))
                return TimeSpan.Zero;
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var alive = StayAliveAsync(session, ending);
            try
            {
                var rules = await types.RefreshAsync(name);
                TimeSpan? pause = null;
                if (rules.Change is { } change)
                {
                    await store.BeginAsync(rules.Fence.Stream, change, ending.Token);
                    pause = await run.RunAsync(rules, ending.Token);
                }
                await SweepAsync(name, ending.Token);
                interruptions.TryRemove(name, out _);
                return pause ?? TimeSpan.Zero;
            }
            finally
            {
                await ending.CancelAsync();
                await alive;
            }
        }
        catch (Exception e)
        {
            if (!ct.IsCancellationRequested)
                Tell(name, e);
            return PollInterval;
        }
    }

    /// <summary>Probes tell of a store that is away. But where this goes on, the change may never end.</summary>
    void Tell(string name, Exception e)
    {
        var times = interruptions.AddOrUpdate(name, 1, (_, before) => before + 1);
        if (!StoreUnavailableException.Explains(e))
            logger.LogError(e, "The change of the type {Type} is interrupted", name);
        else if (times % ToldInterruptions is 0)
            logger.LogWarning(e, "The change of the type {Type} was interrupted {Times} times in a row", name, times);
    }

    /// <summary>Sweeps what former rules have left, unless another node has done so.</summary>
    async Task SweepAsync(string name, CancellationToken ct)
    {
        var rules = types[name];
        var former = FormerRules(rules);
        if (
            (await store.UnsweptAsync(rules.Fence.Stream, ct)).FindAll(one => former.Contains(one.Rule))
            is not []
                and var left
        )
            await store.SweepAsync(name, left, ct);
        await store.RemoveDecidedAsync(rules.Fence.Stream, ct);
        lock (swept!)
            swept.UnionWith(former.Select(rule => (rules.Fence.Stream, rule)));
    }

    /// <summary>The numbers of rules that were in force or proposed, and of which something may still be stored.</summary>
    int[] FormerRules(TypeRules rules)
    {
        lock (swept!)
            return
            [
                .. Enumerable
                    .Range(1, rules.State?.LastField ?? 0)
                    .Where(rule => !rules.Uses(rule) && !swept.Contains((rules.Fence.Stream, rule))),
            ];
    }

    static async Task<bool> TryLockAsync(NpgsqlConnection session, string name, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock(type_lock($1))", session)
        {
            Parameters = { Arg.Of(TypeState.StreamOf(name)) },
        };
        return await command.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>Work ends with the session: another node may have the lock by then.</summary>
    static async Task StayAliveAsync(NpgsqlConnection session, CancellationTokenSource ending)
    {
        try
        {
            await using var command = new NpgsqlCommand("set idle_session_timeout = '3s'", session);
            await command.ExecuteNonQueryAsync(ending.Token);
            command.CommandText = "select 1";
            for (; ; await Task.Delay(PollInterval, ending.Token))
                await command.ExecuteNonQueryAsync(ending.Token);
        }
        catch (OperationCanceledException) { }
        catch (Exception e) when (StoreUnavailableException.Explains(e))
        {
            await ending.CancelAsync();
        }
    }
}
