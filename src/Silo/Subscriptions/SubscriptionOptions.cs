using System.ComponentModel.DataAnnotations;

namespace Resources.Silo;

/// <summary>Section <c>Subscriptions</c>.</summary>
public sealed class SubscriptionOptions
{
    /// <summary>Subscriptions that one account may have.</summary>
    [Range(1, 100_000)]
    public int MaxPerOwner { get; set; } = 100;

    /// <summary>Events that a subscription reads ahead of the first one that is not delivered.</summary>
    [Range(1, 100_000)]
    public int MaxUnacked { get; set; } = 1_000;

    /// <summary>
    /// What all subscriptions at work on this node read ahead, in MiB; those of one owner a quarter of it. Null = an eighth
    /// of the memory that the process may use.
    /// </summary>
    [Range(1, 1_000_000)]
    public int? MaxReadAheadMegabytes { get; set; }

    /// <summary><see cref="MaxReadAheadMegabytes"/> in bytes.</summary>
    public long MaxReadAheadBytes =>
        MaxReadAheadMegabytes * (1L << 20) ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8;
}
