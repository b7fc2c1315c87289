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
}
