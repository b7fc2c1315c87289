namespace Resources.Grains;

[CollectionAgeLimit(Minutes = 5)]
sealed class TypeGrain(
    EventLog log,
    LogDb db,
    Snapshots snapshots,
    StoreContact contact,
    TimeProvider time,
    TypeBook types,
    EarlierNodes earlier
) : EventSourcedGrain<TypeState, TypeEvent>(log, snapshots, contact, time), ITypeGrain
{
    public async Task<Reply<TypeState>> Execute(TypeCommand command, Intent intent)
    {
        await LearnAsync(command);
        var declared = command is DeclareType ? await CountAsync() : 0;
        var hasUnicode = command is DeclareType or ReplaceType or PatchType && await Collations.HasUnicodeAsync(db);
        var reply = await Transact(intent, (state, context) =>
            TypeState.Decide(
                state,
                command,
                new(
                    context.Version,
                    context.Intent,
                    context.Now,
                    name => types[name].IsDeclared,
                    declared,
                    earlier.WithoutTypes,
                    hasUnicode
                )
            )
        );
        if (reply.Value is { } type)
            await types.RefreshAsync(type.Name);
        return reply.Rejection is { Kind: Refusal.NotUnique } ? Reply<TypeState>.Refused(TypeNames.Taken) : reply;
    }

    public Task<Reply<TypeState>> Get() => Current();

    public Task<Reply<TypeState>> GetPast(long version) => Past(version);

    public async Task<TypeVerdict?> GetOutcome(Guid change)
    {
        if ((await Current()).Value is not { } type || type.Proposal?.Change == change)
            return null;
        foreach (var recorded in await ReadAsync(type.Outcome?.Change == change ? type.Outcome.Version - 1 : 0))
            if (TypeState.OutcomeOf(recorded) is { } outcome && outcome.Change == change)
                return new(outcome, (recorded.Data as TypeChangeAbandoned)?.Offenders ?? []);
        return null;
    }

    protected override TypeState Evolve(TypeState? state, Recorded<TypeEvent> recorded) =>
        TypeState.Evolve(state, recorded);

    /// <summary>How many types are declared, or are just being declared: each has its names among the unique values.</summary>
    Task<long> CountAsync() =>
        db.ScalarAsync<long>(
            "select count(distinct resource) from unique_claims where scope = $1",
            [Arg.Of(TypeNames.Scope)]
        );

    /// <summary>A type that was declared a moment ago may be referred to, though this node has not heard of it.</summary>
    async Task LearnAsync(TypeCommand command)
    {
        var definition = command switch
        {
            DeclareType c => c.Definition,
            ReplaceType c => c.Definition,
            PatchType c => c.Patch,
            _ => null,
        };
        foreach (var name in definition is null ? [] : TypeDefinition.TypesIn(definition))
            if (!types[name].IsDeclared)
                await types.RefreshAsync(name);
    }
}
