namespace Resources.Grains;

/// <summary>
/// A short-lived single-use ticket: a login that waits for its second factor, or a passkey ceremony. The key is random,
/// and its holder may redeem the ticket once. Tickets are in memory only: the loss of their node voids them.
/// </summary>
[Alias("resources.ITicketGrain")]
public interface ITicketGrain : IGrainWithStringKey
{
    /// <summary>Issues the ticket.</summary>
    /// <param name="tries">How often <see cref="Try"/> may be called.</param>
    [Alias("Begin")]
    Task Begin(byte[] content, TimeSpan life, int tries);

    /// <summary>The content, for one try; null when there is no ticket, it has expired or no try is left.</summary>
    [Alias("Try")]
    Task<byte[]?> Try();

    /// <summary>Redeems the ticket. True for exactly one caller, and only before the ticket expires.</summary>
    [Alias("End")]
    Task<bool> End();
}
