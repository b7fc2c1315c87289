namespace Resources.Grains;

/// <summary>
/// Something that was begun and has to be ended soon: a login that waits for its second factor, a ceremony with a
/// passkey. The key is random, and whoever has it may end it, once. It is kept in memory only: with its node it is
/// lost, and is to be begun again.
/// </summary>
[Alias("resources.ITicketGrain")]
public interface ITicketGrain : IGrainWithStringKey
{
    /// <summary>Begins.</summary>
    /// <param name="tries">How often <see cref="Try"/> may be called.</param>
    [Alias("Begin")]
    Task Begin(byte[] content, TimeSpan life, int tries);

    /// <summary>What was begun, for one try to end it; null when there is nothing, or not any more.</summary>
    [Alias("Try")]
    Task<byte[]?> Try();

    /// <summary>Ends it; whether it was there, which only one of several is told.</summary>
    [Alias("End")]
    Task<bool> End();
}

[CollectionAgeLimit(Minutes = 5)]
sealed class TicketGrain(TimeProvider time) : Grain, ITicketGrain
{
    (byte[] Content, DateTimeOffset Until, int Tries)? ticket;

    public Task Begin(byte[] content, TimeSpan life, int tries)
    {
        ticket = (content, time.GetUtcNow() + life, tries);
        DelayDeactivation(life);
        return Task.CompletedTask;
    }

    public Task<byte[]?> Try()
    {
        if (ticket is not var (content, until, tries) || time.GetUtcNow() >= until || tries is 0)
            return Task.FromResult<byte[]?>(null);
        ticket = (content, until, tries - 1);
        return Task.FromResult<byte[]?>(content);
    }

    public Task<bool> End()
    {
        var was = ticket is var (_, until, _) && time.GetUtcNow() < until;
        ticket = null;
        return Task.FromResult(was);
    }
}
