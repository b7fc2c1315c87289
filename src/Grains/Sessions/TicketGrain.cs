namespace Resources.Grains;

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
