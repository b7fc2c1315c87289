using System.Runtime.CompilerServices;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// A list and what becomes of it: the whole list at one position, then the resources that enter, change and leave.
/// Several changes of one resource may come as one. Between two positions the reader goes from one consistent list to
/// the next.
/// </summary>
sealed class ListFeed(
    ResourceDoor door,
    LogTail tail,
    StreamLease lease,
    ResourceSelection selection,
    ResourcePage snapshot
)
{
    /// <summary>Changes are read no sooner than this, so that a busy log is not read for each of its events.</summary>
    static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(10);

    static readonly TimeSpan MaxDelay = TimeSpan.FromMilliseconds(250);

    readonly Dictionary<Guid, long> held = [];

    /// <summary>Until it was sent: rows may be large, and the list may be followed for days.</summary>
    ResourcePage? unsent = snapshot;

    /// <summary>The list, then its changes; ends when there are so many that the list is better read anew.</summary>
    public async IAsyncEnumerable<IReadOnlyList<ListChange>> FollowAsync(
        TimeSpan pulse,
        [EnumeratorCancellation] CancellationToken ct
    )
    {
        using var reading = tail.Join();
        var position = unsent!.Position;
        using (unsent.Memory)
        {
            yield return Begin(unsent);
            unsent = null;
        }
        for (var delay = MinDelay; lease.End is null; )
        {
            var moved = tail.Moved;
            if (position >= tail.Reached)
            {
                await moved.WaitAsync(pulse, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                ct.ThrowIfCancellationRequested();
                if (!moved.IsCompleted)
                    yield return [new(ListChangeKind.Position, position)];
                continue;
            }
            var (changes, memory) = await door.ChangesAsync(lease, selection, position, ct);
            using (memory)
            {
                if (changes is null)
                    yield break;
                var hasMoved = changes.Position > position;
                if (hasMoved)
                    yield return Changes(changes);
                delay =
                    hasMoved ? MinDelay
                    : delay + delay < MaxDelay ? delay + delay
                    : MaxDelay;
                position = changes.Position;
            }
            await Task.Delay(delay, ct);
        }
    }

    List<ListChange> Begin(ResourcePage snapshot)
    {
        List<ListChange> changes = [new(ListChangeKind.Reset, snapshot.Position)];
        foreach (var row in snapshot.Rows)
        {
            held[row.Id] = row.Version;
            changes.Add(new(ListChangeKind.Snapshot, snapshot.Position, row.Id, row));
        }
        changes.Add(new(ListChangeKind.CaughtUp, snapshot.Position));
        return changes;
    }

    List<ListChange> Changes(ResourceChanges found)
    {
        var changes = new List<ListChange>();
        foreach (var (id, row) in found.Rows)
        {
            var had = held.TryGetValue(id, out var version);
            if (row is null ? !had : had && version == row.Version)
                continue;
            if (row is null)
                held.Remove(id);
            else
                held[id] = row.Version;
            var kind =
                row is null ? ListChangeKind.Removed
                : had ? ListChangeKind.Changed
                : ListChangeKind.Added;
            changes.Add(new(kind, found.Position, id, row));
        }
        if (changes is not [])
            changes.Add(new(ListChangeKind.Position, found.Position));
        return changes;
    }
}

/// <summary>One step of a list that is followed.</summary>
/// <param name="Position">The position at which the list has it.</param>
/// <param name="Row">The resource; null when it has left the list, or for what is about the whole list.</param>
public readonly record struct ListChange(
    ListChangeKind Kind,
    long Position,
    Guid Id = default,
    ResourceRow? Row = null
);

/// <summary>What a step of a list is.</summary>
public enum ListChangeKind
{
    /// <summary>A whole list follows; what came before is void.</summary>
    Reset,

    /// <summary>A resource of the whole list.</summary>
    Snapshot,

    /// <summary>The list is complete.</summary>
    CaughtUp,
    Added,
    Changed,
    Removed,

    /// <summary>The list is complete up to a position.</summary>
    Position,
}
