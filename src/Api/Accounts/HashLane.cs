namespace Resources.Api;

/// <summary>A password that waits to be hashed.</summary>
/// <param name="Run">Hashes it; never throws.</param>
/// <param name="Refuse">Tells whoever waits that it will not be hashed.</param>
sealed record HashJob(Action Run, Action Refuse);

/// <summary>
/// Jobs that wait, in lanes within lanes: each lane in turn gives one job, whatever the others hold. Not for concurrent
/// use.
/// </summary>
sealed class HashLane
{
    readonly Dictionary<string, HashLane> lanes = [];
    readonly Queue<string> turns = [];

    /// <summary>The jobs of an innermost lane, oldest first.</summary>
    readonly LinkedList<HashJob> jobs = [];

    /// <summary>The jobs in it and in the lanes within it.</summary>
    public int Count => jobs.Count + lanes.Values.Sum(lane => lane.Count);

    /// <summary>Adds a job to a lane.</summary>
    /// <param name="path">The names of the lane within this one, from the widest.</param>
    public void Add(ReadOnlySpan<string> path, HashJob job)
    {
        if (path is [])
        {
            jobs.AddLast(job);
            return;
        }
        if (!lanes.TryGetValue(path[0], out var lane))
        {
            lanes.Add(path[0], lane = new());
            turns.Enqueue(path[0]);
        }
        lane.Add(path[1..], job);
    }

    /// <summary>Takes the job whose turn it is; null when none waits.</summary>
    public HashJob? Take()
    {
        if (jobs.First is { } oldest)
        {
            jobs.RemoveFirst();
            return oldest.Value;
        }
        while (turns.TryDequeue(out var name))
        {
            var lane = lanes[name];
            var job = lane.Take();
            if (lane.Count > 0)
                turns.Enqueue(name);
            else
                lanes.Remove(name);
            if (job is not null)
                return job;
        }
        return null;
    }

    /// <summary>
    /// The lane that has to give up a job for a newcomer: it holds more than the newcomer's own would. Null when none
    /// does.
    /// </summary>
    /// <param name="path">The newcomer's lane.</param>
    public HashLane? Fuller(ReadOnlySpan<string> path)
    {
        if (path is [])
            return null;
        var own = lanes.GetValueOrDefault(path[0]);
        return Fullest(except: own) is { } fullest && fullest.Count > (own?.Count ?? 0) + 1
            ? fullest.Innermost()
            : own?.Fuller(path[1..]);
    }

    /// <summary>Takes the newest job of an innermost lane that has one.</summary>
    public HashJob GiveUp()
    {
        var newest = jobs.Last!.Value;
        jobs.RemoveLast();
        return newest;
    }

    HashLane Innermost() => Fullest(except: null)?.Innermost() ?? this;

    HashLane? Fullest(HashLane? except) => lanes.Values.Where(lane => lane != except).MaxBy(lane => lane.Count);
}
