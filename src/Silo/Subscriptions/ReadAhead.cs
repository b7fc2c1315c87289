namespace Resources.Silo;

/// <summary>
/// What the subscriptions at work on this node have read of the log and not delivered, in bytes. Beyond the bound of the
/// node, or of an owner, a subscription reads only when it has nothing to deliver: so each goes on, whatever others hold.
/// </summary>
/// <param name="bytes">The bound of the node. An owner may have a quarter.</param>
sealed class ReadAhead(long bytes)
{
    /// <summary>The bound of one subscription.</summary>
    public const long MaxBytes = 16 << 20;

    /// <summary>The same while its target fails: who delivers nothing needs nothing.</summary>
    public const long MaxBytesWhileFailing = 1 << 20;

    readonly Lock gate = new();
    readonly Dictionary<Guid, long> owners = [];
    long total;

    /// <summary>What is read ahead at this moment.</summary>
    public long Used
    {
        get
        {
            lock (gate)
                return total;
        }
    }

    /// <summary>Begins to count for a subscription, until the result is disposed.</summary>
    public ReadAheadShare Begin(Guid owner) => new(this, owner);

    internal void Add(Guid owner, long size)
    {
        lock (gate)
        {
            total += size;
            if (owners.GetValueOrDefault(owner) + size is > 0 and var now)
                owners[owner] = now;
            else
                owners.Remove(owner);
        }
    }

    internal bool IsFull(Guid owner)
    {
        lock (gate)
            return total >= bytes || owners.GetValueOrDefault(owner) >= bytes / 4;
    }
}

/// <summary>The part of one subscription.</summary>
sealed class ReadAheadShare(ReadAhead ahead, Guid owner) : IDisposable
{
    long size;

    /// <summary>Whether the subscription, which has so many bytes, should read no more.</summary>
    /// <param name="isFailing">Whether its target fails.</param>
    public bool IsFull(long bytes, bool isFailing)
    {
        Set(bytes);
        return bytes >= (isFailing ? ReadAhead.MaxBytesWhileFailing : ReadAhead.MaxBytes)
            || bytes > 0 && ahead.IsFull(owner);
    }

    /// <summary>Whether others have what the subscription could have beside its next event.</summary>
    public bool IsTight => ahead.IsFull(owner);

    /// <summary>Counts what the subscription has.</summary>
    public void Set(long bytes) => ahead.Add(owner, bytes - Interlocked.Exchange(ref size, bytes));

    public void Dispose() => Set(0);
}
