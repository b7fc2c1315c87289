using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The newest events, read from the log once for all who follow it at this node. Readers keep nothing but their position: who is
/// too far behind for what is kept here reads the log itself, so a slow reader costs others nothing and loses nothing.
/// </summary>
public sealed class LogTail(LogQueries log, ReadIndex index, LogNews news, ILogger<LogTail> logger) : BackgroundService
{
    const int Kept = 8_192;
    const int KeptBytes = 32 << 20;
    const int PageSize = 1_000;

    /// <summary>Without news the tail looks by itself this often.</summary>
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    static readonly TimeSpan Between = TimeSpan.FromMilliseconds(500);

    readonly Lock gate = new();
    readonly LogEvent[] ring = new LogEvent[Kept];
    int first;
    int count;
    long bytes;
    long start = long.MaxValue;
    long reached;
    TaskCompletionSource moved = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The position up to which the log was read; beyond every position before the first look.</summary>
    public long Reached
    {
        get { lock (gate) return start is long.MaxValue ? start : reached; }
    }

    /// <summary>Why the tail stands still; null while it does not.</summary>
    public string? Fault { get; private set; }

    /// <summary>Completes when the tail moves on from where it is now.</summary>
    public Task Moved
    {
        get { lock (gate) return moved.Task; }
    }

    /// <summary>The position behind which there are, of the events that are kept here, only those since a time; null before the first look.</summary>
    public long? Before(DateTimeOffset time)
    {
        lock (gate)
        {
            if (start is long.MaxValue) return null;
            for (var at = count; at > 0; at--)
                if (At(at - 1).At < time) return At(at - 1).Position;
            return start;
        }
    }

    /// <summary>The events after a position that a filter takes, at most <paramref name="limit"/>; null where the tail does not go back so far.</summary>
    public LogPage? Read(long after, EventFilter filter, int limit)
    {
        lock (gate)
        {
            if (after < start) return null;
            var events = new List<LogEvent>();
            for (var at = FirstBehind(after); at < count; at++)
            {
                var logged = At(at);
                if (!filter.Takes(logged)) continue;
                if (events.Count == limit) return new(events, events[^1].Position);
                events.Add(logged);
            }
            return new(events, Math.Max(after, reached));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var seen = 0L; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                if (start is long.MaxValue) Begin(await index.HeadAsync(stoppingToken));
                seen = await news.Grown.WaitAsync(seen, Look, stoppingToken);
                while (await log.PageAsync(reached, EventFilter.All, PageSize, stoppingToken) is var page && page.Reached > reached) Add(page);
                Fault = null;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (e is not StoreUnavailableException) logger.LogError(e, "The log cannot be read");
                Fault = e.Message;
                await Task.Delay(Between, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    void Begin(long head)
    {
        lock (gate) start = head;
        Add(new([], head));
    }

    void Add(LogPage page)
    {
        TaskCompletionSource waiting;
        lock (gate)
        {
            foreach (var logged in page.Events)
            {
                while (count == Kept || count > 0 && bytes > KeptBytes) Drop();
                ring[(first + count++) % Kept] = logged;
                bytes += logged.Data.Utf8.Length;
            }
            reached = page.Reached;
            (waiting, moved) = (moved, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        waiting.TrySetResult();
    }

    void Drop()
    {
        var oldest = ring[first];
        ring[first] = null!;
        (first, count, start) = ((first + 1) % Kept, count - 1, oldest.Position);
        bytes -= oldest.Data.Utf8.Length;
    }

    LogEvent At(int index) => ring[(first + index) % Kept];

    int FirstBehind(long position)
    {
        var (low, high) = (0, count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (At(middle).Position <= position) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
