using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The newest events, read from the log once for all who follow it at this node. Readers keep nothing but their
/// position: who is too far behind for what is kept here reads the log itself, so a slow reader costs others nothing
/// and loses nothing. While nobody reads, nothing is read or kept.
/// </summary>
public sealed class LogTail(FollowDb db, ReadIndex index, LogNews news, StoreContact contact, ILogger<LogTail> logger)
    : BackgroundService
{
    const int MaxEvents = 8_192;
    const int MaxBytes = 32 << 20;
    const int PageSize = 1_000;
    const int PageBytes = 4 << 20;

    /// <summary>Without news the tail looks by itself this often.</summary>
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Readers that lose their connection come back: the tail goes on for so long without any.</summary>
    static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(10);

    static readonly TimeSpan Forever = TimeSpan.FromDays(1);
    static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    readonly Lock gate = new();
    readonly Signal came = new();
    readonly LogEvent[] ring = new LogEvent[MaxEvents];
    long seenNews;
    long seenReaders;
    int readers;
    long leftAt;
    int first;
    int count;
    long bytes;
    long start = long.MaxValue;
    long reached;
    int epoch;
    TaskCompletionSource moved = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the log is not read, as nobody follows it here.</summary>
    public bool IsIdle
    {
        get
        {
            lock (gate)
                return start is long.MaxValue;
        }
    }

    /// <summary>The position up to which the log was last read.</summary>
    public long Position
    {
        get
        {
            lock (gate)
                return reached;
        }
    }

    /// <summary>The position up to which what is kept here goes; beyond every position while nothing is.</summary>
    public long Reached
    {
        get
        {
            lock (gate)
                return start is long.MaxValue ? start : reached;
        }
    }

    /// <summary>Why the tail stands still; null while it does not.</summary>
    public string? Fault { get; private set; }

    /// <summary>Completes when the tail moves on from where it is now.</summary>
    public Task Moved
    {
        get
        {
            lock (gate)
                return moved.Task;
        }
    }

    /// <summary>Has the log read here until the result is disposed.</summary>
    public IDisposable Join()
    {
        lock (gate)
            readers++;
        came.Set();
        return new Reader(this);
    }

    /// <summary>
    /// The position behind which there are, of the events that are kept here, only those since a time; null while there
    /// are none.
    /// </summary>
    public long? Before(DateTimeOffset time)
    {
        lock (gate)
        {
            if (start is long.MaxValue)
                return null;
            for (var at = count; at > 0; at--)
                if (At(at - 1).At < time)
                    return At(at - 1).Position;
            return start;
        }
    }

    /// <summary>
    /// The events after a position that a filter takes, at most <paramref name="limit"/> and, beyond the first, about
    /// <paramref name="most"/> bytes of data; null where the tail does not go back so far.
    /// </summary>
    public LogPage? Read(long after, EventFilter filter, int limit, int most)
    {
        lock (gate)
        {
            if (after < start)
                return null;
            var events = new List<LogEvent>();
            for (var at = FirstBehind(after); at < count; at++)
            {
                var logged = At(at);
                if (!filter.Takes(logged))
                    continue;
                if (events.Count == limit || most <= 0)
                    return new(events, events[^1].Position);
                events.Add(logged);
                most -= logged.Data.Utf8.Length;
            }
            return new(events, Math.Max(after, reached));
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Loop("Reading the log for streams", logger)
        {
            RetryDelay = RetryDelay,
            Failed = e => Fault = e.Message,
        }.RunAsync(FollowAsync, stoppingToken);

    async Task FollowAsync(CancellationToken ct)
    {
        if (Pause())
        {
            Fault = null;
            seenReaders = await came.WaitAsync(seenReaders, Forever, ct);
            return;
        }
        // What is kept of another epoch may be gone from the log.
        if (start is long.MaxValue || epoch != contact.Epoch)
        {
            epoch = contact.Epoch;
            Clear();
            Begin(await index.HeadAsync(ct));
        }
        seenNews = await news.Grown.WaitAsync(seenNews, PollInterval, ct);
        while (
            await LogQueries.PageAsync(db, reached, EventFilter.All, PageSize, PageBytes, ct) is var page
            && page.Reached > reached
        )
            Add(page);
        Fault = null;
    }

    /// <summary>Lets go of everything when nobody reads any more; whether nobody does.</summary>
    bool Pause()
    {
        lock (gate)
        {
            if (readers > 0 || start is not long.MaxValue && Stopwatch.GetElapsedTime(leftAt) < LingerTime)
                return false;
            Clear();
            return true;
        }
    }

    void Clear()
    {
        lock (gate)
        {
            start = long.MaxValue;
            Array.Clear(ring);
            first = 0;
            count = 0;
            bytes = 0;
        }
    }

    void Leave()
    {
        lock (gate)
        {
            readers = readers - 1;
            leftAt = Stopwatch.GetTimestamp();
        }
    }

    void Begin(long head)
    {
        lock (gate)
            start = head;
        Add(new([], head));
    }

    void Add(LogPage page)
    {
        TaskCompletionSource waiting;
        lock (gate)
        {
            foreach (var logged in page.Events)
            {
                while (count == MaxEvents || count > 0 && bytes > MaxBytes)
                    Drop();
                ring[(first + count++) % MaxEvents] = logged;
                bytes += logged.Data.Utf8.Length;
            }
            reached = page.Reached;
            waiting = moved;
            moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        waiting.TrySetResult();
    }

    void Drop()
    {
        var oldest = ring[first];
        ring[first] = null!;
        first = (first + 1) % MaxEvents;
        count = count - 1;
        start = oldest.Position;
        bytes -= oldest.Data.Utf8.Length;
    }

    LogEvent At(int index) => ring[(first + index) % MaxEvents];

    int FirstBehind(long position)
    {
        var low = 0;
        var high = count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (At(middle).Position <= position)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    sealed class Reader(LogTail tail) : IDisposable
    {
        LogTail? tail = tail;

        public void Dispose() => Interlocked.Exchange(ref tail, null)?.Leave();
    }
}
