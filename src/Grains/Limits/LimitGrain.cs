using Orleans.Concurrency;

namespace Resources.Grains;

/// <summary>
/// Counts in memory. Before a key's second lease of a window, and every later one, the total is in the database: an activation that takes
/// over goes on from there, so what a lost node costs is a first lease at most. Should two activations exist for a moment, the
/// database gives each permit once.
/// </summary>
[Reentrant, CollectionAgeLimit(Minutes = 10)]
sealed class LimitGrain(LimitStore store, TimeProvider time) : Grain, ILimitGrain
{
    static readonly TimeSpan Sweep = TimeSpan.FromMinutes(1);

    readonly Dictionary<string, (LimitWindow Window, long Ends)> windows = [];

    string Bucket => this.GetPrimaryKeyString();

    long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        foreach (var kept in await store.LoadAsync(Bucket)) windows[kept.Key] = (LimitWindow.Loaded(kept.Start, kept.Granted), kept.Ends);
        this.RegisterGrainTimer(SweepAsync, new() { DueTime = Sweep, Period = Sweep });
    }

    public async Task<LimitLease> Lease(LimitRequest request)
    {
        var now = Now;
        if (!windows.TryGetValue(request.Key, out var current) || now >= current.Ends)
            windows[request.Key] = current = (new(now), now + request.WindowMilliseconds);
        var (window, ends) = current;
        if (request.Returned > 0 && request.ReturnedOf == window.Start) window.Return(request.Returned);
        var (granted, mustBeKept) = window.Reserve(request.Wanted, request.Permits);
        if (mustBeKept) granted -= await KeepAsync(request, window, ends, granted);
        return new(granted, window.Start, Math.Max(0, request.Permits - window.Granted), (int)Math.Max(0, ends - Now));
    }

    /// <summary>Writes what was granted; returns how many of the permits may not be given after all.</summary>
    async Task<int> KeepAsync(LimitRequest request, LimitWindow window, long ends, int granted)
    {
        var pending = window.TakePending();
        try
        {
            var refused = Math.Clamp(pending - await store.AddAsync(Bucket, request.Key, window.Start, ends, pending, request.Permits), 0, granted);
            window.Withdraw(refused);
            return refused;
        }
        catch
        {
            window.Keep(pending - granted);
            window.Withdraw(granted);
            throw;
        }
    }

    async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = Now;
        foreach (var key in windows.Where(pair => now >= pair.Value.Ends).Select(pair => pair.Key).ToArray()) windows.Remove(key);
        await store.SweepAsync(Bucket, now);
    }
}
