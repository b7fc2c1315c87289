using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// The one way to types, whatever protocol a request comes by. Who may read or manage types sees all of them; others see
/// those whose resources are within their reach.
/// </summary>
public sealed class TypeDoor(
    IGrainFactory grains,
    TypeBook types,
    TypeFollower follower,
    TypeChangeStore changes,
    LogQueries log,
    ReadsDb reads,
    TimeProvider time
)
{
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    static readonly string[] OfTypes = [Permissions.TypeRead, Permissions.TypeManage];

    static readonly string[] OfResources =
    [
        Permissions.ResourceRead,
        Permissions.ResourceCreate,
        Permissions.ResourceUpdate,
        Permissions.ResourceDelete,
        Permissions.ResourceReadDeleted,
    ];

    /// <summary>The declared types that a caller sees, by name, and the position of the log that this is of.</summary>
    public async Task<Reply<IReadOnlyList<TypeRules>>> ListAsync(Caller caller, CancellationToken ct)
    {
        var head = await follower.CatchUpAsync(ct);
        return new(Known(caller), 0, head, false, null);
    }

    /// <summary>The declared types that a caller sees, by name, as this node knows them: it may be a moment behind.</summary>
    public IReadOnlyList<TypeRules> Known(Caller caller) =>
        [
            .. types
                .All.Where(rules => rules.InForce is not null && Sees(caller, rules.Name))
                .OrderBy(rules => rules.Name, StringComparer.Ordinal),
        ];

    /// <summary>Has this node know all that the log says of types.</summary>
    public Task CatchUpAsync(CancellationToken ct) => follower.CatchUpAsync(ct);

    /// <summary>Whether a caller sees every type.</summary>
    public static bool SeesAll(Caller caller) =>
        OfTypes.Any(permission => !caller.Permissions.ScopeOf(permission).IsNothing)
        || OfResources.Any(permission => caller.Permissions.ScopeOf(permission).IsAll);

    /// <summary>A type as it is, or as it was at a version.</summary>
    public async Task<Reply<TypeState>> GetAsync(Caller caller, string name, long? version = null)
    {
        if (!Slug.IsValid(name) || !Sees(caller, name))
            return Reply<TypeState>.Refused(TypeState.Undeclared());
        var grain = GrainOf(name);
        var reply = await ClusterCalls.ReadAsync(() => grain.Get());
        if (version is { } asked && reply.Value is not null)
        {
            if (asked > reply.Version)
                return Reply<TypeState>.Refused(new(Refusal.VersionNotFound, $"The type has no version {asked}."));
            reply = await ClusterCalls.ReadAsync(() => grain.GetPast(asked));
        }
        return reply.Value is { Form: not null } ? reply : Reply<TypeState>.Refused(TypeState.Undeclared());
    }

    /// <summary>How far the index of each indexed member is, by its pointer; null where there are none.</summary>
    public async Task<IReadOnlyDictionary<string, string>?> IndexesAsync(TypeState type, CancellationToken ct)
    {
        if (!type.Form!.Definition.ToElement().TryGetProperty("indexed", out _))
            return null;
        var known = await reads.QueryAsync(
            """
            select pointer, is_time, text_order, state from resource_index_members
            where type = $1 and declared = $2 and state <> 'leaving'
            """,
            [Arg.Of(type.Name), Arg.Of(type.CreatedAt)],
            reader =>
                (
                    Member: new IndexedMember(reader.GetString(0), reader.GetBoolean(1), reader.GetString(2)),
                    State: reader.GetString(3)
                ),
            ct
        );
        // Mostly the book has it compiled.
        var definition =
            types[type.Name].InForce is { } form && form.Version == type.Form.Version
                ? form.Definition
                : TypeDefinition.Stored(type.Form.Definition);
        return definition.Indexed.ToDictionary(
            member => member.Pointer,
            member => known.Find(one => one.Member == member).State ?? "building"
        );
    }

    /// <summary>Runs a command, and waits for the end of the change that it makes.</summary>
    /// <param name="wait">How long to wait while stored resources are checked.</param>
    /// <returns>
    /// The type when the change was in force; or the type with the proposal, when that was not over in time; or a refusal.
    /// </returns>
    public async Task<Reply<TypeState>> ExecuteAsync(
        Caller caller,
        string name,
        TypeCommand command,
        Attempt attempt,
        TimeSpan wait,
        CancellationToken ct
    )
    {
        if (caller.Permissions.ScopeOf(Permissions.TypeManage).IsNothing)
            return Reply<TypeState>.Refused(
                new(Refusal.Forbidden, $"The caller lacks the permission {Permissions.TypeManage}.")
            );
        if (!Slug.IsValid(name))
            return Reply<TypeState>.Refused(TypeState.Undeclared());
        var grain = GrainOf(name);
        // A migration writes resources, so the type asks for what the caller may do with them.
        var asked = attempt.By(caller) with { Permissions = caller.Permissions.OfResources };
        var reply = await ClusterCalls.SendAsync(asked, intent => grain.Execute(command, intent));
        if (reply.Value?.Proposal?.Change is not { } change)
            return reply;
        for (var started = time.GetTimestamp(); ; await Task.Delay(PollInterval, time, ct))
        {
            if (await ClusterCalls.ReadAsync(() => grain.GetOutcome(change)) is { } verdict)
                return RefusalOf(verdict) is { } refusal
                    ? Reply<TypeState>.Refused(refusal)
                    : await ClusterCalls.ReadAsync(() => grain.GetPast(verdict.Outcome.Version)) with
                    {
                        Replayed = reply.Replayed,
                    };
            if (time.GetElapsedTime(started) >= wait)
                return reply;
        }
    }

    /// <summary>The change of a type that is being checked, and how far that has come; or what became of the last one.</summary>
    public async Task<
        Reply<(TypeProposal? Proposal, TypeOutcome? Outcome, TypeChangeProgress Progress)>
    > GetChangeAsync(string name, CancellationToken ct)
    {
        if (!Slug.IsValid(name))
            return Reply<(TypeProposal?, TypeOutcome?, TypeChangeProgress)>.Refused(TypeState.Undeclared());
        var grain = GrainOf(name);
        var reply = await ClusterCalls.ReadAsync(() => grain.Get());
        return reply.Value switch
        {
            { Proposal: { } proposal } => new(
                (proposal, null, await ProgressAsync(proposal.Change, ct)),
                reply.Version,
                reply.Position,
                false,
                null
            ),
            { Outcome: { } outcome } => RefusalOf(
                (await ClusterCalls.ReadAsync(() => grain.GetOutcome(outcome.Change)))!
            )
                is { } refusal
                ? Reply<(TypeProposal?, TypeOutcome?, TypeChangeProgress)>.Refused(refusal)
                : new((null, outcome, TypeChangeProgress.None), reply.Version, reply.Position, false, null),
            _ => Reply<(TypeProposal?, TypeOutcome?, TypeChangeProgress)>.Refused(TypeState.Undeclared()),
        };
    }

    /// <summary>How far the check of a change has come.</summary>
    public async Task<TypeChangeProgress> ProgressAsync(Guid change, CancellationToken ct) =>
        await changes.ReadAsync(change, ct) ?? TypeChangeProgress.None;

    /// <summary>Why a change that is only tried would be refused, before anything stored is looked at; null when it would not.</summary>
    /// <param name="conditions">Those of a replacement; null for a declaration, whose name has to be free.</param>
    public async Task<Rejection?> CheckTrialAsync(string name, Conditions? conditions)
    {
        var reply = await ClusterCalls.ReadAsync(() => GrainOf(name).Get());
        if (conditions is null)
            return reply.Value is { Form: not null } ? TypeState.Declared() : null;
        return conditions.Hold(reply.Version) ? null : TypeState.Mismatch(reply.Version);
    }

    /// <summary>Why a caller has no access to the history of a name; null when it was declared once.</summary>
    public async Task<Rejection?> CheckHistoryAsync(Caller caller, string name) =>
        Slug.IsValid(name)
        && Sees(caller, name)
        && (await ClusterCalls.ReadAsync(() => GrainOf(name).Get())).Value is not null
            ? null
            : TypeState.Undeclared();

    /// <summary>The history of a type, after a version: a page, and whether it may have more.</summary>
    public async Task<Reply<TypeHistory>> ReadAsync(
        Caller caller,
        string name,
        long after,
        int limit,
        CancellationToken ct
    )
    {
        if (await CheckHistoryAsync(caller, name) is { } rejection)
            return Reply<TypeHistory>.Refused(rejection);
        var history = await log.OfTypeAsync(name, after, limit, ct);
        return new(history, 0, history.Events is [.., var last] ? last.Position : 0, false, null);
    }

    /// <summary>Why a type cannot be changed, whoever asks; null when it is there.</summary>
    public async Task<Rejection?> CheckAsync(string name) =>
        Slug.IsValid(name) && (await ClusterCalls.ReadAsync(() => GrainOf(name).Get())).Value is { Form: not null }
            ? null
            : TypeState.Undeclared();

    /// <summary>Whether a caller may know of a type.</summary>
    public static bool Sees(Caller caller, string name) =>
        OfTypes.Any(permission => !caller.Permissions.ScopeOf(permission).IsNothing)
        || OfResources.Any(permission => caller.Permissions.ScopeOf(permission).Allows(name, caller.Id, caller.Id));

    ITypeGrain GrainOf(string name) => grains.GetGrain<ITypeGrain>(TypeState.StreamOf(name));

    static Rejection? RefusalOf(TypeVerdict verdict)
    {
        var (outcome, examples) = verdict;
        var report = new TypeReport(outcome.Checked, outcome.Offending, examples);
        return outcome.Reason switch
        {
            null => null,
            AbandonReason.BreaksData => new(
                Refusal.TypeChangeBreaksData,
                $"{outcome.Offending} of {outcome.Checked} resources contradict the change.",
                Change: outcome.Change,
                Report: report
            ),
            AbandonReason.InUse => new(
                Refusal.TypeInUse,
                outcome.Offending is 0
                    ? "Another type refers to this one."
                    : $"There are {outcome.Offending} live resources of this type.",
                Change: outcome.Change,
                Report: report
            ),
            AbandonReason.UnknownType => new(
                Refusal.TypeChangeAbandoned,
                "A type that the change refers to was deleted meanwhile.",
                Change: outcome.Change
            ),
            _ => new(Refusal.TypeChangeAbandoned, "The change was withdrawn.", Change: outcome.Change),
        };
    }
}
