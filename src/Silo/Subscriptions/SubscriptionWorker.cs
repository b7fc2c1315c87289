using Microsoft.Extensions.Logging;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// Keeps one subscription at work beside the calls of its grain: takes it, runs it, and takes it again when its
/// settings have changed or something has failed. Is done when the subscription is not active, or another activation
/// has taken it.
/// </summary>
sealed class SubscriptionWorker
{
    static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    readonly SubscriptionServices node;
    readonly CancellationTokenSource stopping = new();
    Task working = Task.CompletedTask;
    volatile SubscriptionRun? run;

    SubscriptionWorker(Guid id, SubscriptionServices node)
    {
        Id = id;
        this.node = node;
    }

    public Guid Id { get; }

    /// <summary>The run under way; null while the subscription is being taken, and when the worker is done.</summary>
    public SubscriptionRun? Run => run;

    /// <summary>Whether the subscription was found to be inactive, or not there.</summary>
    public bool IsInactive { get; private set; }

    public bool IsDone => working.IsCompleted;

    public static SubscriptionWorker Start(Guid id, SubscriptionServices node, Action whenDone)
    {
        var worker = new SubscriptionWorker(id, node);
        worker.working = Task.Run(worker.WorkAsync);
        worker.working.ContinueWith(
            _ => whenDone(),
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default
        );
        return worker;
    }

    /// <summary>Ends the run; what is under way is finished and written down, if that is soon.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        await stopping.CancelAsync();
        await working.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    async Task WorkAsync()
    {
        var ct = stopping.Token;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (await node.Store.TakeAsync(Id, ct) is not { } taken)
                {
                    IsInactive = true;
                    return;
                }
                var next = new SubscriptionRun(taken, node);
                run = next;
                await next.RunAsync(ct);
            }
            catch (SubscriptionLostException) when (run is { } lost)
            {
                // A newer revision is somebody's wish, and so still this worker's to follow; else another activation
                // has taken over.
                if (!await IsChangedAsync(lost, ct))
                    return;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                if (e is not StoreUnavailableException)
                    node.Logger.LogError(e, "Subscription {Subscription} has stopped, and starts again", Id);
                await Task.Delay(PollInterval, node.Time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            finally
            {
                run = null;
            }
        }
    }

    async Task<bool> IsChangedAsync(SubscriptionRun lost, CancellationToken ct)
    {
        try
        {
            return (await node.Store.ActiveAsync(ct)).Any(now => now.Id == Id && now.Revision > lost.Taken.Revision);
        }
        catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
        {
            return false;
        }
    }
}
