namespace Resources.Grains;

/// <summary>
/// Turns at work of which a node can do little at once. A caller has some of them at most, and while others wait the
/// callers take their turns one after the other: who asks a lot waits behind its own requests.
/// </summary>
/// <param name="atOnce">Turns at a time.</param>
/// <param name="perCaller">Turns of one caller at a time.</param>
/// <param name="maxWaiting">Requests of one caller that may wait.</param>
public sealed class FairTurns(int atOnce, int perCaller, int maxWaiting, TimeProvider time)
{
    readonly Lock gate = new();
    readonly Dictionary<string, Line> lines = [];

    /// <summary>The callers that wait; the first of them that may have a turn is next.</summary>
    readonly LinkedList<Line> round = new();

    int taken;

    /// <summary>Takes a turn, which lasts until it is disposed.</summary>
    /// <param name="patience">How long the caller waits for it.</param>
    /// <param name="most">Turns that the caller may have at a time from now on; null = as many as others.</param>
    /// <returns>Null when none came in time, or too many requests of the caller wait already.</returns>
    public async ValueTask<IDisposable?> TakeAsync(
        string caller,
        TimeSpan patience,
        CancellationToken ct,
        int? most = null
    )
    {
        Waiter waiter;
        lock (gate)
        {
            if (!lines.TryGetValue(caller, out var line))
                lines[caller] = line = new(caller);
            line.Most = most ?? perCaller;
            if (line.Waiting.Count is 0 && MayTake(line))
                return Take(line);
            if (line.Waiting.Count >= maxWaiting)
                return null;
            waiter = new(line);
            waiter.Place = line.Waiting.AddLast(waiter);
            if (line.Waiting.Count is 1)
                round.AddLast(line);
        }
        try
        {
            return await waiter.Granted.Task.WaitAsync(patience, time, ct);
        }
        catch (TimeoutException)
        {
            return GiveUp(waiter) ? null : await waiter.Granted.Task;
        }
        catch (OperationCanceledException)
        {
            if (!GiveUp(waiter))
                (await waiter.Granted.Task).Dispose();
            throw;
        }
    }

    /// <summary>Whoever waits could not go: so a newcomer who can is before nobody's turn.</summary>
    bool MayTake(Line line) => taken < atOnce && line.Taken < line.Most;

    Turn Take(Line line)
    {
        taken++;
        line.Taken++;
        return new(this, line);
    }

    /// <summary>Waits no more; false when the turn has come meanwhile.</summary>
    bool GiveUp(Waiter waiter)
    {
        lock (gate)
        {
            if (waiter.Place.List is null)
                return false;
            Remove(waiter);
            Forget(waiter.Line);
            return true;
        }
    }

    void Remove(Waiter waiter)
    {
        waiter.Line.Waiting.Remove(waiter.Place);
        if (waiter.Line.Waiting.Count is 0)
            round.Remove(waiter.Line);
    }

    void Forget(Line line)
    {
        if (line is { Taken: 0, Waiting.Count: 0 })
            lines.Remove(line.Caller);
    }

    void Return(Line line)
    {
        lock (gate)
        {
            taken--;
            line.Taken--;
            while (round.FirstOrDefault(MayTake) is { } next)
            {
                var waiter = next.Waiting.First!.Value;
                round.Remove(next);
                waiter.Line.Waiting.Remove(waiter.Place);
                if (next.Waiting.Count > 0)
                    round.AddLast(next);
                waiter.Granted.SetResult(Take(next));
            }
            Forget(line);
        }
    }

    sealed class Line(string caller)
    {
        public string Caller => caller;

        public LinkedList<Waiter> Waiting { get; } = new();

        public int Taken { get; set; }

        public int Most { get; set; }
    }

    sealed class Waiter(Line line)
    {
        public Line Line => line;

        public LinkedListNode<Waiter> Place { get; set; } = null!;

        public TaskCompletionSource<IDisposable> Granted { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    sealed class Turn(FairTurns turns, Line line) : IDisposable
    {
        Line? line = line;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref line, null) is { } had)
                turns.Return(had);
        }
    }
}
