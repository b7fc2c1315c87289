namespace Resources.Grains;

[CollectionAgeLimit(Minutes = 5)]
sealed class SessionGrain(EventLog log, Snapshots snapshots, StoreContact contact, SessionLimits options, TimeProvider time)
    : EventSourcedGrain<Session, SessionEvent>(log, snapshots, contact), ISessionGrain
{
    public async Task<Reply<Session>> Execute(SessionCommand command, Intent intent)
    {
        // A password that was changed, or an account that was disabled, has ended the session without its knowing.
        if (command is UseSession && (await Current()).Value is { EndedBy: null } session && !(await AccountAsync(session)).Allows(this.GetPrimaryKey(), session.AccountVersion))
            return Reply<Session>.Refused(Session.Over);
        var reply = await Transact(intent, (state, _) => Session.Decide(state, command, time.GetUtcNow(), options.Idle), startsStream: command is StartSession);
        return reply.Value?.EndedBy is not null && command is not EndSession ? Reply<Session>.Refused(Session.Over) : reply;
    }

    public async Task<OpenSession?> Find()
    {
        if (await Current() is not { Value: { } session } current || !session.IsOpen(time.GetUtcNow(), options.Idle)) return null;
        var account = await GrainFactory.GetGrain<IAccountGrain>(session.Account).Get();
        return account.Value!.Allows(this.GetPrimaryKey(), session.AccountVersion) ? new(session, current.Version, account.Value, account.Version) : null;
    }

    protected override Session Evolve(Session? state, Recorded<SessionEvent> recorded) => Session.Evolve(state, recorded);

    async Task<Account> AccountAsync(Session session) => (await GrainFactory.GetGrain<IAccountGrain>(session.Account).Get()).Value!;
}
