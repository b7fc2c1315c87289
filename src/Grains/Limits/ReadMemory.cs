namespace Resources.Grains;

/// <summary>
/// The memory of a node for what was read and nobody has received yet. Half of it is shared in equal parts by the
/// callers that have some. A quarter is for small pieces only: so who comes next finds one, whatever others do not take.
/// </summary>
/// <param name="bytes">All of it.</param>
public sealed class ReadMemory(long bytes, TimeProvider time)
{
    /// <summary>What is smaller than this does not count.</summary>
    public const int Free = 64 * 1024;

    /// <summary>Requests of one caller that may wait.</summary>
    const int MaxWaiting = 64;

    readonly Lock gate = new();
    readonly Dictionary<string, long> callers = [];
    readonly LinkedList<Waiter> waiting = new();
    long total;

    /// <summary>The most that can be taken at once. Nobody should read more than that at a time.</summary>
    public long Largest => bytes / 8;

    /// <summary>A caller may have so much as long as there is any.</summary>
    public long Small => Math.Min(2 << 20, Largest);

    /// <summary>What is in use.</summary>
    public long Used
    {
        get
        {
            lock (gate)
                return total;
        }
    }

    /// <summary>Takes memory until the result is disposed; null when the caller has its part, or the node has no more.</summary>
    public MemoryLease? TryTake(string caller, long size)
    {
        lock (gate)
            return Take(caller, Bounded(size), Bounded(size));
    }

    /// <summary>Takes memory as there is some.</summary>
    /// <param name="patience">How long the caller waits for it.</param>
    /// <param name="least">What is taken where there is no more at the moment; null = all of it, or nothing.</param>
    /// <returns>Null when there was none in time, or too many requests of the caller wait already.</returns>
    public async ValueTask<MemoryLease?> TakeAsync(
        string caller,
        long size,
        TimeSpan patience,
        CancellationToken ct,
        long? least = null
    )
    {
        LinkedListNode<Waiter> place;
        lock (gate)
        {
            var waiter = new Waiter(caller, Bounded(size), Bounded(Math.Min(size, least ?? size)));
            if (Take(waiter.Caller, waiter.Size, waiter.Least) is { } lease)
                return lease;
            if (waiting.Count(other => other.Caller == caller) >= MaxWaiting)
                return null;
            place = waiting.AddLast(waiter);
        }
        var granted = place.Value.Granted.Task;
        try
        {
            return await granted.WaitAsync(patience, time, ct);
        }
        catch (TimeoutException)
        {
            return GiveUp(place) ? null : await granted;
        }
        catch (OperationCanceledException)
        {
            if (!GiveUp(place))
                (await granted).Dispose();
            throw;
        }
    }

    /// <summary>Why a caller gets no memory: it has its part, or the node has no more.</summary>
    public StoreOverloadedException Refused(string caller)
    {
        lock (gate)
            return callers.TryGetValue(caller, out var has) && has + Small > bytes / 2 / callers.Count
                ? new AnswersNotReceivedException()
                : new ReadMemoryFullException();
    }

    internal void Change(string caller, long by)
    {
        lock (gate)
        {
            Book(caller, by);
            if (by >= 0)
                return;
            for (var place = waiting.First; place is not null; )
            {
                var (next, waiter) = (place.Next, place.Value);
                if (Take(waiter.Caller, waiter.Size, waiter.Least) is { } lease)
                {
                    waiting.Remove(place);
                    waiter.Granted.SetResult(lease);
                }
                place = next;
            }
        }
    }

    long Bounded(long size) => Math.Min(size, Largest);

    MemoryLease? Take(string caller, long size, long least)
    {
        var has = callers.GetValueOrDefault(caller);
        var sharing = has is 0 ? callers.Count + 1 : callers.Count;
        var part = Math.Min(bytes / 2 / sharing - has, bytes - bytes / 4 - total);
        var small = Math.Min(Small - has, bytes - total);
        var room = Math.Min(size, Math.Max(part, small));
        return room < least ? null : Add(caller, room);
    }

    MemoryLease Add(string caller, long size)
    {
        Book(caller, size);
        return new(this, caller, size);
    }

    void Book(string caller, long by)
    {
        total += by;
        if (callers.GetValueOrDefault(caller) + by is > 0 and var now)
            callers[caller] = now;
        else
            callers.Remove(caller);
    }

    bool GiveUp(LinkedListNode<Waiter> place)
    {
        lock (gate)
        {
            if (place.List is null)
                return false;
            waiting.Remove(place);
            return true;
        }
    }

    sealed record Waiter(string Caller, long Size, long Least)
    {
        public TaskCompletionSource<MemoryLease> Granted { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>Memory of a caller, until it is disposed.</summary>
public sealed class MemoryLease : IDisposable
{
    readonly ReadMemory memory;
    readonly string caller;
    long size;

    internal MemoryLease(ReadMemory memory, string caller, long size)
    {
        this.memory = memory;
        this.caller = caller;
        this.size = size;
    }

    /// <summary>How much it is.</summary>
    public long Size => Interlocked.Read(ref size);

    /// <summary>Holds as much as is in use in truth.</summary>
    public void Set(long bytes) => memory.Change(caller, bytes - Interlocked.Exchange(ref size, bytes));

    public void Dispose() => Set(0);
}
