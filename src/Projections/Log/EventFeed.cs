using System.Diagnostics;
using System.Runtime.CompilerServices;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The log from any position on, for as long as one likes: pages of the log first, then the node's tail, without a gap
/// or a repetition between them.
/// </summary>
public sealed class EventFeed(LogQueries log, LogTail tail, ReadIndex index)
{
    const int PageSize = 256;

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
    /// <param name="after">The position of the last event that the reader has; 0 = from the beginning.</param>
    public async IAsyncEnumerable<LogEvent> EventsAsync(
        long after,
        EventFilter filter,
        [EnumeratorCancellation] CancellationToken ct = default
    )
    {
        while (true)
        {
            await using var pages = FollowAsync(after, filter, PulseInterval, ct).GetAsyncEnumerator(ct);
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
    /// Follows the log. Yields pages in order as events come, and pages without events: once when there is nothing more
    /// to read at first, then at least every <paramref name="pulse"/>, and now and then on a long way through what the
    /// filter does not take.
    /// </summary>
    /// <param name="after">The position of the last event that the reader has; 0 = from the beginning.</param>
    /// <exception cref="StoreUnavailableException">
    /// The database is away while the reader is behind; it may go on from its last position.
    /// </exception>
    public async IAsyncEnumerable<FeedPage> FollowAsync(
        long after,
        EventFilter filter,
        TimeSpan pulse,
        [EnumeratorCancellation] CancellationToken ct
    )
    {
        using var reading = tail.Join();
        var told = after;
        var toldAt = Stopwatch.GetTimestamp();
        var wasLive = false;
        long? head = null;
        while (true)
        {
            var moved = tail.Moved;
            var page = tail.Read(after, filter, PageSize) ?? await log.PageAsync(after, filter, PageSize, ct);
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
            }
            else if (isRead)
            {
                await moved.WaitAsync(pulse, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                ct.ThrowIfCancellationRequested();
                if (!moved.IsCompleted)
                    yield return new([], after, isLive);
            }
        }
    }

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
}

/// <summary>What came next in the log.</summary>
/// <param name="Reached">The position up to which the reader has everything now.</param>
/// <param name="IsLive">Whether nothing lay behind that when the page was read.</param>
public sealed record FeedPage(IReadOnlyList<LogEvent> Events, long Reached, bool IsLive);
