namespace Resources.Grains;

/// <summary>
/// Tells followers in this process that events were just committed. A hint: other nodes' appends are found by looking.
/// </summary>
public sealed class Signal
{
    long count;
    volatile TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Wakes everyone who waits.</summary>
    public void Set()
    {
        Interlocked.Increment(ref count);
        Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>
    /// Waits for an append after the <paramref name="seen"/>th, at most as long as given; returns how many there were.
    /// </summary>
    public async Task<long> WaitAsync(long seen, TimeSpan atMost, CancellationToken ct)
    {
        // Taken before the count is read: a signal in between completes it.
        var signalled = next.Task;
        if (Volatile.Read(ref count) == seen)
            await signalled.WaitAsync(atMost, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ct.ThrowIfCancellationRequested();
        return Volatile.Read(ref count);
    }
}
