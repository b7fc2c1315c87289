using Resources.Projections;

namespace Resources.Silo;

/// <summary>A resource whose events are held back.</summary>
/// <param name="Start">Events from here on belong to it; those before go out as others do.</param>
/// <param name="Position">That of the first of them that is not delivered.</param>
/// <param name="Attempts">How often that one has failed.</param>
/// <param name="RetryAt">When it is tried again; null = only by a replay.</param>
/// <param name="PassedOver">That of the last event that was read and not delivered.</param>
sealed record ParkedResource(
    Guid Resource,
    long Start,
    long Position,
    int Attempts,
    DateTimeOffset? RetryAt,
    string Error,
    DateTimeOffset Since,
    long PassedOver
);

/// <summary>An event on its way.</summary>
sealed class DeliveryItem(LogEvent logged)
{
    public LogEvent Event => logged;

    /// <summary>How often it was taken.</summary>
    public int Attempts { get; set; }
}

/// <summary>
/// The events of one resource that are on their way, in order; the first of them are taken, by one lease.
/// </summary>
/// <param name="isCatchingUp">Whether the resource is parked and these were passed over before.</param>
sealed class DeliveryLine(Guid resource, bool isCatchingUp)
{
    public Guid Resource => resource;

    public bool IsCatchingUp => isCatchingUp;

    public List<DeliveryItem> Items { get; } = [];

    /// <summary>The data of its events.</summary>
    public long Bytes => Items.Sum(item => (long)item.Event.Data.Utf8.Length);

    public int Taken { get; set; }

    public Guid? Lease { get; set; }

    /// <summary>The next event is not taken before this.</summary>
    public DateTimeOffset NotBefore { get; set; }

    /// <summary>The first event that is not taken.</summary>
    public DeliveryItem? Next => Items.Count > Taken ? Items[Taken] : null;

    /// <summary>Gives the next event to a lease.</summary>
    public DeliveryItem Take(Guid lease)
    {
        Lease = lease;
        var item = Items[Taken++];
        item.Attempts++;
        return item;
    }
}
