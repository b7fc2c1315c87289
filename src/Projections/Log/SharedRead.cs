namespace Resources.Projections;

/// <summary>
/// One query for everyone who asks at the same time. A caller gets the result of a query that began after it asked, so
/// what it learns is never older than its question; callers that come while one runs share the next.
/// </summary>
sealed class SharedRead<T>(Func<Task<T>> read)
{
    readonly Lock gate = new();
    Task<T>? running;
    Task<T>? next;

    public Task<T> GetAsync()
    {
        lock (gate)
        {
            if (next is not null)
                return next;
            if (running is { IsCompleted: false })
                return next = AfterAsync(running);
            return running = Task.Run(read);
        }
    }

    async Task<T> AfterAsync(Task current)
    {
        // Returns to the caller first, which holds the lock and has yet to note this task as the next one.
        await Task.Yield();
        await current.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
        {
            running = next;
            next = null;
        }
        return await read();
    }
}
