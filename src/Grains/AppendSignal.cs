namespace Resources.Grains;

/// <summary>Tells followers in this process that events were just committed. A hint: a follower that misses it finds them at its next poll.</summary>
public sealed class AppendSignal
{
    volatile int waiting;
    volatile TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Wakes everyone who waits.</summary>
    public void Set()
    {
        if (waiting is 0) return;
        Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>Waits for the next append, at most as long as given.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken ct)
    {
        Interlocked.Increment(ref waiting);
        try
        {
            await next.Task.WaitAsync(atMost, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }
}
