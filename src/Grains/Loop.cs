using Microsoft.Extensions.Logging;

namespace Resources.Grains;

/// <summary>Work in the background that is repeated until the node stops, whatever fails.</summary>
/// <param name="name">What it is, for the log.</param>
public sealed class Loop(string name, ILogger logger)
{
    /// <summary>The pause after a success; zero where the work itself waits for something to do.</summary>
    public TimeSpan Every { get; init; }

    /// <summary>The pause after a failure.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The clock of the pauses.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Hears of every failure.</summary>
    public Action<Exception>? Failed { get; init; }

    /// <summary>Repeats the work until it is cancelled.</summary>
    public async Task RunAsync(Func<CancellationToken, Task> work, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var pause = Every;
            try
            {
                await work(ct);
            }
            catch (Exception) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Probes tell of a store that is away, once for all who miss it.
                if (StoreUnavailableException.Explains(e))
                    logger.LogDebug("{Loop} pauses: {Reason}", name, e.Message);
                else
                    logger.LogError(e, "{Loop} fails and tries again", name);
                Failed?.Invoke(e);
                pause = RetryDelay;
            }
            if (pause > TimeSpan.Zero)
                await Task.Delay(pause, Time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
