using System.Diagnostics;
using System.Runtime.CompilerServices;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>How many events, and about how many bytes of them, the next page of a reader may have.</summary>
public delegate ValueTask<(int Events, int Bytes)> FeedRoom(CancellationToken ct);

/// <summary>
/// The log from any position on, for as long as one likes: pages of the log first, then the node's tail, without a gap
/// or a repetition between them. Readers who are far behind read in turns, fair between accounts, and what they have
/// not passed on counts: so however many there are, they slow down themselves.
/// </summary>
/// <param name="turns">Turns at pages that the tail does not have.</param>
/// <param name="memory">For pages until they are passed on.</param>
public sealed class EventFeed(LogQueries log, LogTail tail, ReadIndex index, FairTurns turns, ReadMemory memory)
{
    const int PageSize = 256;
    const int PageBytes = 256 * 1024;

    /// <summary>Nobody knows how large events are before some were read.</summary>
    const int FirstPage = 32;

    /// <summary>Nor do pages become smaller than this.</summary>
    const int SmallestPage = 4;

    /// <summary>An answer ends with the event with which it has so much data.</summary>
    const int MaxAnswer = 1 << 20;

    /// <summary>A filter that takes few events is searched for no longer than this.</summary>
    static readonly TimeSpan MaxSearch = TimeSpan.FromSeconds(2);

    /// <summary>How long a request waits for its turn.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A reader that only wants events has no use for pulses.</summary>
    static readonly TimeSpan PulseInterval = TimeSpan.FromMinutes(1);

    /// <summary>How long to wait while the database is away.</summary>
    static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// A reader whose filter takes little hears how far the log was looked through after so many positions.
    /// </summary>
    const long MaxSilentPositions = 50_000;

    /// <summary>
    /// The events after a position, one by one and without an end, each exactly once and in the order of their
    /// positions. Whoever keeps the position of the last one that it has dealt with goes on from there, at this node or
    /// another. An outage of the database makes it wait.
    /// </summary>
    /// <param name="reader">The account that reads.</param>
    /// <param name="after">The position of the last event that the reader has; 0 = from the beginning.</param>
    public async IAsyncEnumerable<LogEvent> EventsAsync(
        string reader,
        long after,
        EventFilter filter,
        [EnumeratorCancellation] CancellationToken ct = default
    )
    {
        while (true)
        {
            await using var pages = FollowAsync(reader, after, filter, PulseInterval, ct).GetAsyncEnumerator(ct);
            while (await MoveNextAsync(pages))
            {
                foreach (var logged in pages.Current.Events)
                    yield return logged;
                after = pages.Current.Reached;
            }
            await Task.Delay(RetryDelay, ct);
        }
    }

    /// <summary>
    /// The events after a position as far as an answer may have them: it ends early where they are large, or so rare that
    /// the search takes long.
    /// </summary>
    /// <param name="reader">The account that reads.</param>
    /// <param name="head">The newest position of the log when it was asked.</param>
    /// <exception cref="StoreOverloadedException">The account has too many reads under way.</exception>
    public async Task<LogPage> ReadAsync(
        string reader,
        long after,
        EventFilter filter,
        int limit,
        long head,
        CancellationToken ct
    )
    {
        var events = new List<LogEvent>();
        var reached = after;
        var room = MaxAnswer;
        var size = FirstPage;
        for (
            var started = Stopwatch.GetTimestamp();
            events.Count < limit && room > 0 && reached < head && Stopwatch.GetElapsedTime(started) < MaxSearch;
            size = NextSize(size, events)
        )
        {
            using var turn = await turns.TakeAsync(reader, Patience, ct)
                ?? throw new StoreOverloadedException("The account has too many reads of the log under way.");
            var page = await log.PageAsync(reached, filter, Math.Min(size, limit - events.Count), room, ct);
            events.AddRange(page.Events);
            if (page.Reached == reached)
                break;
            reached = page.Reached;
            room -= page.Events.Sum(logged => logged.Data.Utf8.Length);
        }
        return new(events, reached);
    }

    /// <summary>
    /// Follows the log. Yields pages in order as events come, and pages without events: once when there is nothing more
    /// to read at first, then at least every <paramref name="pulse"/>, and now and then on a long way through what the
    /// filter does not take.
    /// </summary>
    /// <param name="reader">The account that reads.</param>
    /// <param name="after">The position of the last event that the reader has; 0 = from the beginning.</param>
    /// <param name="room">Waits until the reader has room for a page; null = it takes each at once.</param>
    /// <exception cref="StoreUnavailableException">
    /// The database is away while the reader is behind; it may go on from its last position.
    /// </exception>
    public async IAsyncEnumerable<FeedPage> FollowAsync(
        string reader,
        long after,
        EventFilter filter,
        TimeSpan pulse,
        [EnumeratorCancellation] CancellationToken ct,
        FeedRoom? room = null
    )
    {
        using var reading = tail.Join();
        using var held = new Held(memory, reader);
        var told = after;
        var toldAt = Stopwatch.GetTimestamp();
        var wasLive = false;
        var size = FirstPage;
        long? head = null;
        while (true)
        {
            var (events, bytes) = room is null ? (PageSize, PageBytes) : await room(ct);
            var moved = tail.Moved;
            var page = tail.Read(after, filter, events, bytes)
                ?? await InTurnAsync(reader, after, filter, Math.Min(events, size), bytes, ct);
            size = NextSize(size, page.Events);
            if (!held.TryHold(page))
            {
                // Not while the page is in memory.
                page = null;
                await held.WaitAsync(PageBytes, ct);
                continue;
            }
            var isRead = page.Reached == after || page.Reached >= tail.Reached;
            after = page.Reached;
            // The tail may be a moment behind what was there when the reader came, its own writes among it.
            if (isRead && !wasLive)
                head ??= await index.HeadAsync(ct);
            var isLive = isRead && after >= head;
            if (
                page.Events is not []
                || isLive && !wasLive
                || after - told > MaxSilentPositions
                || after > told && Stopwatch.GetElapsedTime(toldAt) >= pulse
            )
            {
                told = after;
                toldAt = Stopwatch.GetTimestamp();
                wasLive = wasLive || isLive;
                yield return new(page.Events, after, isLive);
                held.Dispose();
            }
            else if (isRead)
            {
                held.Dispose();
                await moved.WaitAsync(pulse, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                ct.ThrowIfCancellationRequested();
                if (!moved.IsCompleted)
                    yield return new([], after, isLive);
            }
        }
    }

    async Task<LogPage> InTurnAsync(
        string reader,
        long after,
        EventFilter filter,
        int limit,
        int bytes,
        CancellationToken ct
    )
    {
        using var turn = await turns.TakeAsync(reader, Timeout.InfiniteTimeSpan, ct);
        return await log.PageAsync(after, filter, limit, bytes, ct);
    }

    /// <summary>Larger pages where events are small.</summary>
    static int NextSize(int size, IReadOnlyList<LogEvent> read) =>
        read is [] ? size : Math.Clamp(2 * read.Count, SmallestPage, PageSize);

    static async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<FeedPage> pages)
    {
        try
        {
            return await pages.MoveNextAsync();
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    /// <summary>The memory of one reader's page, while it has one that counts.</summary>
    sealed class Held(ReadMemory memory, string reader) : IDisposable
    {
        MemoryLease? lease;

        public bool TryHold(LogPage page) =>
            lease is not null
            || page.Bytes <= ReadMemory.Free
            || (lease = memory.TryTake(reader, page.Bytes)) is not null;

        public async Task WaitAsync(int bytes, CancellationToken ct) =>
            lease = await memory.TakeAsync(reader, bytes, Timeout.InfiniteTimeSpan, ct);

        public void Dispose()
        {
            lease?.Dispose();
            lease = null;
        }
    }
}

/// <summary>What came next in the log.</summary>
/// <param name="Reached">The position up to which the reader has everything now.</param>
/// <param name="IsLive">Whether nothing lay behind that when the page was read.</param>
public sealed record FeedPage(IReadOnlyList<LogEvent> Events, long Reached, bool IsLive);
