using Orleans.Concurrency;

namespace Resources.Grains;

/// <summary>
/// Counts in memory. Before a key's second lease of a window, and every later one, the total is in the database: an
/// activation that takes over goes on from there, so what a lost node costs is a first lease at most, and one that ends
/// in order costs nothing. Should two activations exist for a moment, the database gives each permit once.
/// </summary>
[Reentrant, CollectionAgeLimit(Minutes = 10)]
sealed class LimitGrain(LimitStore store, TimeProvider time) : Grain, ILimitGrain
{
    static readonly TimeSpan Sweep = TimeSpan.FromMinutes(1);

    readonly Dictionary<string, LimitWindow> windows = [];

    string Bucket => this.GetPrimaryKeyString();

    long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        foreach (var (key, window) in await store.LoadAsync(Bucket, Now))
            windows[key] = window;
        this.RegisterGrainTimer(SweepAsync, new() { DueTime = Sweep, Period = Sweep });
    }

    /// <summary>First leases too: who is seldom asked ends long before a window of a day does.</summary>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        var now = Now;
        var unknown = windows
            .Where(pair => pair.Value.Pending is not 0 && now < pair.Value.Ends)
            .Select(pair => Added(pair.Key, pair.Value))
            .ToArray();
        try
        {
            if (unknown is not [])
                await store.AddAsync(Bucket, unknown);
        }
        catch (StoreUnavailableException)
        {
            // As if the node had died: a first lease of each key is forgotten.
        }
    }

    public async Task<LimitLease> Lease(LimitRequest request)
    {
        var now = Now;
        if (!windows.TryGetValue(request.Key, out var window) || now >= window.Ends)
            windows[request.Key] = window = new(now, now + request.WindowMilliseconds);
        if (request.ReturnedOf == window.Start)
            window.Return(request.Returned);
        var (reserved, mustBeKept) = window.Reserve(request.Wanted, request.Permits);
        var granted = mustBeKept ? await KeepAsync(request, window, reserved) : reserved;
        return new(
            granted,
            window.Start,
            Math.Max(0, request.Permits - window.Granted),
            (int)Math.Max(0, window.Ends - Now)
        );
    }

    async Task<int> KeepAsync(LimitRequest request, LimitWindow window, int reserved)
    {
        var added = Added(request.Key, window);
        try
        {
            return window.Kept(await store.AddAsync(Bucket, added), reserved, request.Permits);
        }
        catch
        {
            window.NotKept(added.Granted, reserved);
            throw;
        }
    }

    static KeptWindow Added(string key, LimitWindow window) =>
        new(key, window.Start, window.Ends, window.TakePending());

    async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = Now;
        var ended = windows.Where(pair => now >= pair.Value.Ends).Select(pair => pair.Key).ToArray();
        foreach (var key in ended)
            windows.Remove(key);
        if (ended is not [])
            await store.SweepAsync(Bucket, now);
    }
}
