using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>How resources move between being ready, leased and parked; the gate is held.</summary>
sealed partial class DeliveryWindow
{
    /// <summary>
    /// Gives the event that was added last back to the lease that had it. Events of the resource before it which the
    /// lease does not have were acknowledged: a resource is leased from its first event on.
    /// </summary>
    void Restore(DeliveryLine line)
    {
        if (!leased.Remove(line.Items[^1].Event.Position, out var lease) || line.Lease is { } other && other != lease)
            return;
        foreach (var done in line.Items[line.Taken..^1])
        {
            ready.Remove((done.Event.Position, line.Resource));
            if (!line.IsCatchingUp)
                Close(done);
        }
        line.Items.RemoveRange(line.Taken, line.Items.Count - 1 - line.Taken);
        line.Take(lease);
    }

    /// <summary>Whether the next event of a ready resource may be taken now, by somebody who may read as much.</summary>
    static bool IsFor(DeliveryLine line, DateTimeOffset now, Reach? sight) =>
        line.NotBefore <= now
        && (sight is null || line.Next is { Event: var next } && sight.Allows(next.ResourceType, next.Owner));

    void Close(DeliveryItem item)
    {
        open.Remove(item.Event.Position);
        bytes -= item.Event.Data.Utf8.Length;
    }

    /// <summary>Lets others have a resource of which nothing is taken.</summary>
    void Free(DeliveryLine line)
    {
        if (line.Taken > 0)
            return;
        line.Lease = null;
        if (line.Next is { } next)
            ready.Add((next.Event.Position, line.Resource));
        else
            lines.Remove(line.Resource);
    }

    /// <summary>
    /// A parked resource has caught up to before a position; when nothing is left it is parked no more.
    /// </summary>
    void Advance(Guid resource, long position)
    {
        changed.Add(resource);
        var held = parked[resource];
        if (position > held.PassedOver)
            parked.Remove(resource);
        else
            parked[resource] = held with { Position = position, Attempts = 0 };
    }
}
