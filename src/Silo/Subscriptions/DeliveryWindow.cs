using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// The events between a subscription's position and what was read of the log, and who has them. Events of one resource
/// are taken in their order and by one taker at a time. A resource that is parked is passed over; when it is due its
/// events are read from the log again and go out by the same rules, while the rest goes on. Knows no store and no
/// clock; calls may come from any thread.
/// </summary>
sealed partial class DeliveryWindow
{
    readonly Lock gate = new();

    /// <summary>Positions that were read and are not settled, but for those of parked resources.</summary>
    readonly SortedSet<long> open = [];

    /// <summary>The next events of resources that nobody has.</summary>
    readonly SortedSet<(long Position, Guid Resource)> ready = [];

    readonly Dictionary<Guid, DeliveryLine> lines = [];
    readonly Dictionary<Guid, ParkedResource> parked;
    readonly Dictionary<long, Guid> leased;
    readonly HashSet<Guid> changed = [];
    long reached;
    long restoredAt;
    long bytes;

    /// <param name="position">Up to here everything is delivered or parked.</param>
    /// <param name="leased">Leases by position, which hold as soon as their events are read again.</param>
    public DeliveryWindow(long position, IEnumerable<ParkedResource> parked, IReadOnlyDictionary<long, Guid> leased)
    {
        reached = position;
        // What was passed over before lies at or below the position.
        this.parked = parked.ToDictionary(each => each.Resource, each => each with { PassedOver = position });
        this.leased = leased.ToDictionary();
        restoredAt = leased.Keys.Where(behind => behind > position).DefaultIfEmpty().Max();
    }

    /// <summary>How far the log was read.</summary>
    public long Reached
    {
        get
        {
            lock (gate)
                return reached;
        }
    }

    /// <summary>
    /// Whether the log was read so far that every lease that was kept is known again; until then what others have could
    /// be taken for free.
    /// </summary>
    public bool IsRestored
    {
        get
        {
            lock (gate)
                return reached >= restoredAt;
        }
    }

    /// <summary>
    /// Gives up leases of events that were not read yet. What was acknowledged behind an event that is not is read
    /// again too, and may be more than there is room for: then it is delivered again, and who has one of these leases
    /// has lost it.
    /// </summary>
    public void StopRestoring()
    {
        lock (gate)
        {
            leased.Clear();
            restoredAt = reached;
        }
    }

    /// <summary>Up to here everything is delivered or parked.</summary>
    public long Position
    {
        get
        {
            lock (gate)
                return open.Count > 0 ? open.Min - 1 : reached;
        }
    }

    public int Open
    {
        get
        {
            lock (gate)
                return open.Count;
        }
    }

    /// <summary>The data of all events here.</summary>
    public long Bytes
    {
        get
        {
            lock (gate)
            {
                var all = bytes;
                foreach (var line in lines.Values)
                    if (line.IsCatchingUp)
                        all += line.Bytes;
                return all;
            }
        }
    }

    public int Parked
    {
        get
        {
            lock (gate)
                return parked.Count;
        }
    }

    /// <summary>Whether parked resources were changed since that was last asked for.</summary>
    public bool HasChanges
    {
        get
        {
            lock (gate)
                return changed.Count > 0;
        }
    }

    /// <summary>Takes in the next event of the log.</summary>
    public void Add(LogEvent logged)
    {
        lock (gate)
        {
            reached = logged.Position;
            // An event before the one at which its resource is parked was with a taker when another activation ended.
            if (parked.TryGetValue(logged.Resource, out var resource) && logged.Position >= resource.Start)
            {
                parked[logged.Resource] = resource with { PassedOver = logged.Position };
                return;
            }
            open.Add(logged.Position);
            bytes += logged.Data.Utf8.Length;
            if (!lines.TryGetValue(logged.Resource, out var line))
                lines.Add(logged.Resource, line = new(logged.Resource, isCatchingUp: false));
            line.Items.Add(new(logged));
            Restore(line);
            if (line.Items.Count is 1 && line.Taken is 0)
                ready.Add((logged.Position, logged.Resource));
        }
    }

    /// <summary>Notes that there is nothing to deliver up to a position.</summary>
    public void Reach(long position)
    {
        lock (gate)
            reached = Math.Max(reached, position);
    }

    /// <summary>
    /// Takes events in the order of the log, of resources that nobody has. They are the taker's until they are settled.
    /// </summary>
    /// <param name="sight">Only events of these resources; the others are left for other takers. Null = all.</param>
    public List<DeliveryItem> Take(Guid lease, int most, long mostBytes, DateTimeOffset now, Reach? sight = null)
    {
        lock (gate)
        {
            var taken = new List<DeliveryItem>();
            var touched = new HashSet<DeliveryLine>();
            var size = 0L;
            while (
                taken.Count < most
                && size < mostBytes
                && ready.FirstOrDefault(next => IsFor(lines[next.Resource], now, sight)) is { Position: > 0 } next
            )
            {
                ready.Remove(next);
                var line = lines[next.Resource];
                touched.Add(line);
                taken.Add(line.Take(lease));
                size += taken[^1].Event.Data.Utf8.Length;
                // The same taker may have the resource's next event in this batch; others have to wait.
                if (line.Next is { } following)
                    ready.Add((following.Event.Position, next.Resource));
            }
            foreach (var line in touched)
                if (line.Next is { } following)
                    ready.Remove((following.Event.Position, line.Resource));
            return taken;
        }
    }

    /// <summary>Events that a lease had before, and that are read only now, are anybody's.</summary>
    public void Forget(Guid lease)
    {
        lock (gate)
            foreach (var position in leased.Where(each => each.Value == lease).Select(each => each.Key).ToArray())
                leased.Remove(position);
    }

    /// <summary>What a lease still has, in order.</summary>
    public List<DeliveryItem> Leased(Guid lease)
    {
        lock (gate)
            return
            [
                .. lines
                    .Values.Where(line => line.Lease == lease)
                    .SelectMany(line => line.Items.Take(line.Taken))
                    .OrderBy(item => item.Event.Position),
            ];
    }

    /// <summary>The event is delivered. False when the lease does not have it.</summary>
    public bool Ack(Guid lease, DeliveryItem item)
    {
        lock (gate)
        {
            if (Find(lease, item) is not (var line, var at))
                return false;
            line.Items.RemoveAt(at);
            line.Taken--;
            if (!line.IsCatchingUp)
                Close(item);
            else
                Advance(line.Resource, line.Items is [var next, ..] ? next.Event.Position : item.Event.Position + 1);
            Free(line);
            return true;
        }
    }

    /// <summary>
    /// The event is to be taken again, after a time, and with it what the lease has of the resource behind it. False
    /// when the lease does not have it.
    /// </summary>
    public bool Nack(Guid lease, DeliveryItem item, DateTimeOffset notBefore)
    {
        lock (gate)
        {
            if (Find(lease, item) is not (var line, var at))
                return false;
            line.Taken = at;
            line.NotBefore = notBefore;
            Free(line);
            return true;
        }
    }

    /// <summary>
    /// Holds a resource back from an event on; its events behind that are passed over. False when the lease does not
    /// have the event.
    /// </summary>
    /// <param name="retryAt">When the event is tried again; null = only by a replay.</param>
    public bool Park(Guid lease, DeliveryItem item, DateTimeOffset? retryAt, string error, DateTimeOffset now)
    {
        lock (gate)
        {
            if (Find(lease, item) is not (var line, var at))
                return false;
            var before = parked.GetValueOrDefault(line.Resource);
            var passedOver = Math.Max(before?.PassedOver ?? 0, line.Items[^1].Event.Position);
            if (!line.IsCatchingUp)
                foreach (var dropped in line.Items[at..])
                    Close(dropped);
            // When a resource that catches up has an earlier event that is not settled either, it stays parked from
            // there on.
            var from = line.IsCatchingUp ? line.Items[0].Event.Position : item.Event.Position;
            line.Items.RemoveRange(at, line.Items.Count - at);
            line.Taken = at;
            parked[line.Resource] = new(
                line.Resource,
                Math.Min(before?.Start ?? from, from),
                from,
                item.Attempts,
                retryAt,
                error,
                before?.Since ?? now,
                passedOver
            );
            changed.Add(line.Resource);
            Free(line);
            return true;
        }
    }

    /// <summary>Since when a resource is parked; null when it is not.</summary>
    public DateTimeOffset? ParkedSince(Guid resource)
    {
        lock (gate)
            return parked.GetValueOrDefault(resource)?.Since;
    }

    /// <summary>Parked resources whose events should be read again now: as many as may catch up at a time.</summary>
    public List<ParkedResource> Due(DateTimeOffset now, int most)
    {
        lock (gate)
        {
            var room = most - lines.Values.Count(line => line.IsCatchingUp);
            return room <= 0
                ? []
                :
                [
                    .. parked
                        .Values.Where(each => each.RetryAt <= now && !lines.ContainsKey(each.Resource))
                        .OrderBy(each => each.RetryAt)
                        .Take(room),
                ];
        }
    }

    /// <summary>Takes in events of a parked resource, read from where it was parked on.</summary>
    public void Refill(Guid resource, LogPage page)
    {
        lock (gate)
        {
            if (!parked.TryGetValue(resource, out var held) || lines.ContainsKey(resource))
                return;
            var line = new DeliveryLine(resource, isCatchingUp: true);
            foreach (var logged in page.Events.TakeWhile(logged => logged.Position <= held.PassedOver))
            {
                line.Items.Add(new(logged) { Attempts = logged.Position == held.Position ? held.Attempts : 0 });
                Restore(line);
            }
            if (line.Items is [var first, ..])
            {
                lines.Add(resource, line);
                if (line.Taken is 0)
                    ready.Add((first.Event.Position, resource));
            }
            else
                Advance(
                    resource,
                    page.Events is [] ? Math.Min(page.Reached, held.PassedOver) + 1 : held.PassedOver + 1
                );
        }
    }

    /// <summary>
    /// What has to be stored, as it is at this moment; parked resources that were not stored yet, or are no longer
    /// parked.
    /// </summary>
    public (long Position, List<ParkedResource> Parked, List<Guid> Released) Changes()
    {
        lock (gate)
        {
            var held = new List<ParkedResource>();
            var released = new List<Guid>();
            foreach (var resource in changed)
                if (parked.TryGetValue(resource, out var state))
                    held.Add(state);
                else
                    released.Add(resource);
            changed.Clear();
            return (open.Count > 0 ? open.Min - 1 : reached, held, released);
        }
    }

    (DeliveryLine Line, int At)? Find(Guid lease, DeliveryItem item) =>
        lines.TryGetValue(item.Event.Resource, out var line)
        && line.Lease == lease
        && line.Items.IndexOf(item, 0, line.Taken) is >= 0 and var at
            ? (line, at)
            : null;
}
