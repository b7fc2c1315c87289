namespace Resources.Api;

/// <summary>
/// Passwords that wait to be hashed: bounded, and in fair turns. Half of the turns and places are for known callers, if
/// they need them; the others take turns by neighbourhood, and within it by network. When all places are taken, a
/// newcomer gets that of whoever holds most.
/// </summary>
sealed class HashQueue
{
    /// <summary>A few seconds of work for one thread.</summary>
    const int MaxWaiting = 50;

    readonly object gate = new();
    readonly HashLane lanes = new();
    bool isOver;

    /// <summary>Whether there is no place for a caller.</summary>
    public bool IsFullFor(HashCaller caller)
    {
        lock (gate)
            return lanes.Count >= MaxWaiting && lanes.Fuller(caller.Lane) is null;
    }

    /// <summary>Adds a job, or refuses it; or refuses another one that gives up its place.</summary>
    public void Add(HashCaller caller, HashJob job)
    {
        HashJob? refused = null;
        lock (gate)
        {
            var path = caller.Lane;
            var isFull = lanes.Count >= MaxWaiting;
            var fuller = isFull ? lanes.Fuller(path) : null;
            if (isOver || isFull && fuller is null)
                refused = job;
            else
            {
                refused = fuller?.GiveUp();
                lanes.Add(path, job);
                Monitor.Pulse(gate);
            }
        }
        refused?.Refuse();
    }

    /// <summary>Waits for the next job; null once the queue has ended.</summary>
    public HashJob? Take()
    {
        lock (gate)
        {
            while (!isOver)
            {
                if (lanes.Take() is { } job)
                    return job;
                Monitor.Wait(gate);
            }
            return null;
        }
    }

    /// <summary>Ends the queue, and refuses all that wait.</summary>
    public void End()
    {
        var waiting = new List<HashJob>();
        lock (gate)
        {
            isOver = true;
            while (lanes.Take() is { } job)
                waiting.Add(job);
            Monitor.PulseAll(gate);
        }
        waiting.ForEach(job => job.Refuse());
    }
}
