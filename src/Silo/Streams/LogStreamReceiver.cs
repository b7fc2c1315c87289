using Orleans;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Streams;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Reads one queue of the log's streams, from a little before now on.</summary>
/// <param name="isMine">Whether a stream belongs to the queue.</param>
/// <param name="isWanted">Whether there is any grain that consumes streams: without one nothing is read.</param>
sealed class LogStreamReceiver(
    Func<StreamId, bool> isMine,
    Func<bool> isWanted,
    LogTail tail,
    LogQueries log,
    TimeProvider time
) : IQueueAdapterReceiver
{
    /// <summary>
    /// A node that takes over a queue reads it from so long ago, which is many times what it takes until a node that
    /// died is known to be dead. Consumers that live on say how far they came and get the rest; new ones hear all of
    /// it.
    /// </summary>
    static readonly TimeSpan Overlap = TimeSpan.FromMinutes(1);

    /// <summary>A read waits so long for news; then the agent looks whether it still has the queue.</summary>
    static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(1);

    const int PageSize = 256;
    const int PageBytes = 4 << 20;

    IDisposable? reading;
    long? reached;

    public Task Initialize(TimeSpan timeout) => Task.CompletedTask;

    /// <summary>
    /// The next events of the queue; none when there is no news or the database is away, as a failure would stop the
    /// agent for many seconds.
    /// </summary>
    public async Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount, CancellationToken cancellationToken)
    {
        if (reading is null && !isWanted())
        {
            await Task.Delay(MaxWait, time, cancellationToken)
                .ConfigureAwait(
                    ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext
                );
            return [];
        }
        reading ??= tail.Join();
        try
        {
            while ((reached ??= tail.Before(time.GetUtcNow() - Overlap)) is { } after)
            {
                var moved = tail.Moved;
                var limit = maxCount > 0 ? Math.Min(maxCount, PageSize) : PageSize;
                var page = tail.Read(after, EventFilter.All, limit, PageBytes)
                    ?? await log.PageAsync(after, EventFilter.All, limit, PageBytes, cancellationToken);
                reached = page.Reached;
                LogBatch[] batches =
                [
                    .. page
                        .Events.Where(logged => isMine(LogStreams.StreamOf(logged.ResourceType)))
                        .Select(LogBatch.Of),
                ];
                if (batches is not [])
                    return batches;
                if (page.Reached > after)
                    continue;
                await moved
                    .WaitAsync(MaxWait, cancellationToken)
                    .ConfigureAwait(
                        ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext
                    );
                if (!moved.IsCompleted)
                    break;
            }
        }
        catch (StoreUnavailableException)
        {
            // The agent comes back at its next tick.
        }
        return [];
    }

    public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount) =>
        GetQueueMessagesAsync(maxCount, CancellationToken.None);

    public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => Task.CompletedTask;

    public Task Shutdown(TimeSpan timeout)
    {
        reading?.Dispose();
        return Task.CompletedTask;
    }
}

/// <summary>One event on its way to the consumers of its stream; its token is its position.</summary>
[GenerateSerializer, Immutable, Alias("log-batch")]
sealed class LogBatch(LoggedEvent item) : IBatchContainer
{
    [Id(0)]
    readonly LoggedEvent item = item;

    public StreamId StreamId => LogStreams.StreamOf(item.ResourceType);

    public StreamSequenceToken SequenceToken => new EventSequenceTokenV2(item.Position);

    public static LogBatch Of(LogEvent logged) =>
        new(
            new(
                logged.Position,
                logged.Id,
                logged.Type,
                logged.Resource,
                logged.ResourceType,
                logged.Owner,
                logged.Version,
                logged.At,
                logged.Actor,
                logged.CorrelationId,
                logged.Data
            )
        );

    public IEnumerable<Tuple<T, StreamSequenceToken>> GetEvents<T>() =>
        item is T asked ? [Tuple.Create(asked, SequenceToken)] : [];

    public bool ImportRequestContext() => false;
}
