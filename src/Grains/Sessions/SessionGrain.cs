namespace Resources.Grains;

[CollectionAgeLimit(Minutes = 5)]
sealed class SessionGrain(
    EventLog log,
    Snapshots snapshots,
    StoreContact contact,
    SessionLimits limits,
    TimeProvider time
) : EventSourcedGrain<Session, SessionEvent>(log, snapshots, contact, time), ISessionGrain
{
    public Task<Reply<Session>> Execute(SessionCommand command, Intent intent) =>
        Transact(
            intent,
            (state, context) => Session.Decide(state, command, new(context, limits.Idle)),
            startsStream: command is StartSession
        );

    public async Task<OpenSession?> Use(SessionCommand command, Intent intent)
    {
        if ((await Current()).Value is not { } session)
            return null;
        // A changed password or a disabled account ends the session without an event in the session's stream.
        var account = await GrainFactory.GetGrain<IAccountGrain>(session.Account).Get();
        if (!account.Value!.Allows(this.GetPrimaryKey(), session.AccountVersion))
            return null;
        var reply = await Execute(command, intent with { Actor = session.Account.ToString() });
        return reply.Value is { EndedBy: null } used ? new(used, account.Value, account.Version) : null;
    }

    public async Task<OpenSession?> Find()
    {
        if ((await Current()).Value is not { } session || !session.IsOpen(Now, limits.Idle))
            return null;
        var account = await GrainFactory.GetGrain<IAccountGrain>(session.Account).Get();
        return account.Value!.Allows(this.GetPrimaryKey(), session.AccountVersion)
            ? new(session, account.Value, account.Version)
            : null;
    }

    protected override Session Evolve(Session? state, Recorded<SessionEvent> recorded) =>
        Session.Evolve(state, recorded);
}
