namespace Resources.Grains;

[CollectionAgeLimit(Minutes = 5)]
sealed class SessionGrain(
    EventLog log,
    Snapshots snapshots,
    StoreContact contact,
    SessionLimits limits,
    TimeProvider time
) : EventSourcedGrain<Session, SessionEvent>(log, snapshots, contact), ISessionGrain
{
    public Task<Reply<Session>> Execute(SessionCommand command, Intent intent) =>
        Transact(
            intent,
            (state, _) => Session.Decide(state, command, time.GetUtcNow(), limits.Idle),
            startsStream: command is StartSession
        );

    public async Task<OpenSession?> Use(SessionCommand command, Intent intent)
    {
        if ((await Current()).Value is not { } session)
            return null;
        // A password that was changed, or an account that was disabled, has ended the session without its knowing.
        var account = await GrainFactory.GetGrain<IAccountGrain>(session.Account).Get();
        if (!account.Value!.Allows(this.GetPrimaryKey(), session.AccountVersion))
            return null;
        var reply = await Execute(command, intent with { Actor = session.Account.ToString() });
        return reply.Value is { EndedBy: null } used ? new(used, account.Value, account.Version) : null;
    }

    public async Task<OpenSession?> Find()
    {
        if ((await Current()).Value is not { } session || !session.IsOpen(time.GetUtcNow(), limits.Idle))
            return null;
        var account = await GrainFactory.GetGrain<IAccountGrain>(session.Account).Get();
        return account.Value!.Allows(this.GetPrimaryKey(), session.AccountVersion)
            ? new(session, account.Value, account.Version)
            : null;
    }

    protected override Session Evolve(Session? state, Recorded<SessionEvent> recorded) =>
        Session.Evolve(state, recorded);
}
