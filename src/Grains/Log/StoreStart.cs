using Microsoft.Extensions.Logging;

namespace Resources.Grains;

/// <summary>
/// What a node has to read before it can serve. A store that is slow, full or away delays the start and does not end it:
/// a node that gave up would come up to the same store again and again.
/// </summary>
public sealed class StoreStart(TimeProvider time, ILogger<StoreStart> logger)
{
    static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Reads as soon as the store lets it; says in the log what the node waits for.</summary>
    /// <param name="what">What is read.</param>
    public async Task<T> ReadAsync<T>(string what, Func<CancellationToken, Task<T>> read, CancellationToken ct)
    {
        while (true)
            try
            {
                return await read(ct);
            }
            catch (Exception e) when (StoreUnavailableException.Explains(e) && !ct.IsCancellationRequested)
            {
                logger.LogWarning("The start waits for the store, to read {What}: {Reason}", what, e.Message);
                await Task.Delay(RetryDelay, time, ct);
            }
    }

    /// <inheritdoc cref="ReadAsync{T}"/>
    public Task ReadAsync(string what, Func<CancellationToken, Task> read, CancellationToken ct) =>
        ReadAsync(
            what,
            async token =>
            {
                await read(token);
                return true;
            },
            ct
        );
}
