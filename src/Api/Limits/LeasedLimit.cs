using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Where somebody stands with a limit.</summary>
/// <param name="Allowed">Whether a permit was to be had.</param>
/// <param name="Left">How many more the cluster has, as far as this node knows.</param>
/// <param name="Reset">Seconds until the window ends.</param>
public readonly record struct Standing(bool Allowed, int Left, int Reset);

/// <summary>
/// One limit at this node: it spends what the limit's grains have leased to it, and asks for more when that is used up.
/// A lease is small: what the key needs here for half a second, at most 1/128 of the window's permits. What lies idle
/// goes back. So little of a window is ever stranded here.
/// </summary>
public sealed class LeasedLimit : IAsyncDisposable
{
    /// <summary>Parts of a window's permits in a lease.</summary>
    const int Parts = 128;

    /// <summary>Once the cluster has none left, it is asked again this often: some may have come back.</summary>
    static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(200);

    /// <summary>A lease that was used up sooner is followed by a larger one, and else by a smaller one.</summary>
    static readonly TimeSpan Lasting = TimeSpan.FromMilliseconds(500);

    static readonly TimeSpan Tidy = TimeSpan.FromSeconds(1);

    /// <summary>As long as a call into the cluster may take.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    readonly string policy;
    readonly RateLimit limit;
    readonly byte[] hashKey;
    readonly IClusterClient cluster;
    readonly TimeProvider time;
    readonly int largest;
    readonly ITimer tidy;
    readonly ConcurrentDictionary<string, Held> all = new();

    /// <param name="hashKey">
    /// Keys leave the node as digests under this key: neither accounts nor addresses can be guessed from them.
    /// </param>
    public LeasedLimit(string policy, RateLimit limit, byte[] hashKey, IClusterClient cluster, TimeProvider time)
    {
        this.policy = policy;
        this.limit = limit;
        this.hashKey = hashKey;
        this.cluster = cluster;
        this.time = time;
        largest = Math.Max(1, limit.Permits / Parts);
        Description = string.Create(
            CultureInfo.InvariantCulture,
            $"\"{policy}\";q={limit.Permits};w={limit.WindowSeconds}"
        );
        Words = string.Create(CultureInfo.InvariantCulture, $"{policy}, {limit.Permits} in {limit.WindowSeconds} s");
        tidy = time.CreateTimer(_ => TidyUp(), null, Tidy, Tidy);
    }

    /// <summary>The permits of a window.</summary>
    public int Permits => limit.Permits;

    /// <summary>The limit as the header <c>RateLimit-Policy</c> says it.</summary>
    public string Description { get; }

    /// <summary>The limit in words.</summary>
    public string Words { get; }

    /// <summary>Takes a permit, if there is one.</summary>
    /// <exception cref="StoreUnavailableException">The cluster cannot say, as the database is away.</exception>
    /// <exception cref="OrleansException">The cluster cannot say, as a node was lost.</exception>
    /// <exception cref="ProblemException">Nothing came in time: this node, or the one that counts, has too much to do.</exception>
    public ValueTask<Standing> TakeAsync(string key)
    {
        var held = all.GetOrAdd(key, static (key, hashKey) => new(hashKey, key), hashKey);
        return Spend(held) is { } standing ? new(standing) : AskAsync(held);
    }

    /// <summary>Gives back a permit that was taken for nothing.</summary>
    public void Refund(string key)
    {
        if (!all.TryGetValue(key, out var held))
            return;
        lock (held)
            if (Now < held.Ends)
                held.Permits++;
    }

    public ValueTask DisposeAsync() => tidy.DisposeAsync();

    long Now => time.GetTimestamp();

    /// <summary>
    /// Spends a permit that is here, or answers that there is none to be had; null = the cluster must be asked.
    /// </summary>
    Standing? Spend(Held held)
    {
        lock (held)
        {
            var now = Now;
            if (now >= held.Ends)
                return null;
            held.UsedAt = now;
            if (held.Permits > 0)
                return new(true, --held.Permits + held.Left, Seconds(held, now));
            return now < held.EmptyUntil ? new(false, 0, Seconds(held, now)) : null;
        }
    }

    async ValueTask<Standing> AskAsync(Held held)
    {
        // Others that wait here may be quicker, and a window may end meanwhile.
        for (var since = Now; Now - since < Ticks(Patience); )
        {
            try
            {
                await FetchAsync(held);
            }
            catch (TimeoutException)
            {
                break;
            }
            if (Spend(held) is { } standing)
                return standing;
        }
        throw new ProblemException(
            ProblemType.LimitUnknown,
            $"Whether the limit {policy} allows this request was not known in time. Nothing was done; try again in a moment."
        );
    }

    /// <summary>Asks for permits; all who wait for the same at this node ask once.</summary>
    Task FetchAsync(Held held)
    {
        lock (held)
        {
            if (held.Asking is { IsCompleted: false } asking)
                return asking;
            if (Now < held.Ends && held.Permits > 0)
                return Task.CompletedTask;
            return held.Asking = LeaseAsync(held);
        }
    }

    async Task LeaseAsync(Held held)
    {
        int wanted;
        var asked = Now;
        lock (held)
            wanted = held.Wanted =
                asked >= held.Ends ? Math.Min(2, largest)
                : asked - held.LeasedAt < Ticks(Lasting) ? Math.Min(largest, held.Wanted * 2)
                : Math.Max(1, held.Wanted / 2);
        // A lease that gets lost on its way is gone for this window; who asks again gets another.
        var lease = await ClusterCalls.SendAsync(_ =>
        {
            asked = Now;
            return Grain(held).Lease(new(held.Hash, limit.Permits, limit.WindowSeconds * 1000, wanted, 0, 0));
        });
        lock (held)
        {
            if (held.Window != lease.Window)
            {
                held.Window = lease.Window;
                held.Permits = 0;
            }
            held.Permits += lease.Granted;
            held.Left = lease.Left;
            // From before the question: the grain's window may end a moment later than this one, never sooner.
            held.Ends = asked + Ticks(TimeSpan.FromMilliseconds(lease.EndsIn));
            held.EmptyUntil = lease.Granted is 0 ? Now + Ticks(AskAgain) : 0;
            held.UsedAt = held.LeasedAt = Now;
        }
    }

    ILimitGrain Grain(Held held) => cluster.GetGrain<ILimitGrain>($"{policy}/{held.Bucket}");

    /// <summary>Hands back what was not used lately, and forgets windows that have ended.</summary>
    void TidyUp()
    {
        var now = Now;
        foreach (var (key, held) in all)
            lock (held)
            {
                if (held.Asking is { IsCompleted: false })
                    continue;
                if (now >= held.Ends)
                    all.TryRemove(new(key, held));
                else if (held.Permits > limit.Permits / 1000 && now - held.UsedAt > Ticks(Tidy))
                {
                    var idle = held.Permits;
                    held.Permits = 0;
                    held.Left = held.Left + idle;
                    held.Asking = ReturnAsync(held, idle);
                }
            }
    }

    async Task ReturnAsync(Held held, int idle)
    {
        try
        {
            await Grain(held).Lease(new(held.Hash, limit.Permits, limit.WindowSeconds * 1000, 0, idle, held.Window));
        }
        catch (Exception e) when (ClusterCalls.IsLostNode(e) || e is StoreUnavailableException)
        {
            // They may be lost for this window. Sent again they might be taken back twice.
        }
    }

    int Seconds(Held held, long now) =>
        (int)Math.Max(1, Math.Ceiling((held.Ends - now) / (double)time.TimestampFrequency));

    long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>What this node has of one key's window. Guarded by itself.</summary>
    sealed class Held
    {
        public Held(byte[] hashKey, string key)
        {
            var hash = HMACSHA256.HashData(hashKey, Encoding.UTF8.GetBytes(key));
            Hash = Convert.ToHexStringLower(hash.AsSpan(0, 16));
            Bucket = hash[0] % Limits.Buckets;
        }

        public readonly string Hash;
        public readonly int Bucket;
        public long Window;
        public long Ends = long.MinValue;
        public long EmptyUntil;
        public long UsedAt;
        public long LeasedAt;
        public int Permits;
        public int Left;
        public int Wanted = 1;
        public Task? Asking;
    }
}
