namespace Resources.Grains;

/// <summary>The deletion of a resource together with what refers to it, as one unit.</summary>
sealed partial class ResourceGrain
{
    /// <summary>
    /// A unit may come to the database for so long after the references were read. Grains of its members distrust their
    /// memory for longer, however long this node was paused meanwhile.
    /// </summary>
    static readonly TimeSpan UnitLife = TimeSpan.FromSeconds(8);

    /// <summary>So many members are in memory at a time: single ones may have a megabyte.</summary>
    const int Page = 50;

    /// <summary>What is left of members that lose references may have so many bytes together.</summary>
    const int MaxUnitBytes = 16 << 20;

    /// <summary>Values and references of all members. Each takes the database some 25 µs under the log's lock.</summary>
    const int MaxUnitRows = 10_000;

    public Task Distrust()
    {
        Distrust(UnitLife);
        return Task.CompletedTask;
    }

    /// <summary>Appends the deletion with all that has to happen to others because of it.</summary>
    async Task<AppendOutcome> AppendWithReferrersAsync(UnitMember own, DeleteResource command)
    {
        var plan = new DeletionPlan(own.Stream, command, own.Intent.Actor);
        DateTimeOffset? readAt = null;
        for (Guid[] level = [own.Stream]; level is not []; )
        {
            var found = await references.ReadAsync(level, DeletionPlan.MaxMembers);
            readAt ??= found.FirstOrDefault()?.ReadAt;
            level = plan.Add(found);
            if (plan.IsStale)
                return new Conflict();
            if (plan.IsTooLarge)
                return plan.Holding is [] ? new Declined(GuardRefusal.TooManyReferrers) : new StillReferenced();
        }
        if (plan.Holding is not [] and var holding)
            return Held(holding);
        // The last referrer has gone by itself.
        if (readAt is null)
            return new Conflict();

        var others = plan.Members;
        others.Remove(own.Stream);
        await Task.WhenAll(others.Select(DistrustAsync));
        var (members, refusal) = await DecideAsync(
            plan,
            others,
            own.Intent with
            {
                Fingerprint = null,
                Conditions = Conditions.None,
            }
        );
        if (refusal is not null)
            return refusal;
        var outcome = await AppendUnitAsync([.. members, own], readAt.Value + UnitLife);
        if (outcome is Appended)
            await ForgetAsync(others);
        return outcome is Withheld withheld
            ? withheld.Reason switch
            {
                Taken { Claim: var claim } => Held(new Holder(withheld.Stream, claim.Change)),
                TargetMissing { Reference: var reference } => Held(new Holder(withheld.Stream, reference.Change)),
                _ => new Conflict(),
            }
            : outcome;
    }

    /// <summary>What is appended to the other members, or why nothing can be.</summary>
    async Task<(List<UnitMember> Members, AppendOutcome? Refusal)> DecideAsync(
        DeletionPlan plan,
        List<Guid> others,
        Intent intent
    )
    {
        var members = new List<UnitMember>(others.Count);
        var holding = new List<Holder>();
        var (bytes, rows) = (0, 0);
        foreach (var page in others.Chunk(Page))
        {
            var known = await states.FoldAsync<Resource, ResourceEvent>(
                reads,
                page,
                Resource.Evolve,
                default,
                isExact: true
            );
            foreach (var id in page)
            {
                var (state, version, _) = known[id];
                var decision = earlier.Readable(state, plan.Decide(id, state, new(version, intent, Now)));
                if (decision.Rejection is { } rejection)
                    holding.Add(new(id, rejection.Change));
                else if (decision.Events is [])
                    return (members, new Conflict());
                else
                    members.Add(new(id, version, decision.Events, intent, decision.Guards));
                rows += decision.Guards is { } guards ? guards.Claims.Length + guards.References.Length : 0;
                bytes += plan.Deletes(id) ? 0 : state.Metadata.Utf8.Length;
            }
            if (bytes > MaxUnitBytes || rows > MaxUnitRows)
                return (members, new Declined(GuardRefusal.TooManyReferrers));
        }
        return (members, holding is [] ? null : Held([.. holding.OrderBy(one => one.Id)]));
    }

    /// <summary>A refusal of what others hold: by a change of a type, if that alone makes them hold it.</summary>
    static Declined Held(params Holder[] holding) =>
        new(
            GuardRefusal.StillReferenced(new(holding.Length, Array.ConvertAll(holding, one => one.Id))) with
            {
                Change = Array.TrueForAll(holding, one => one.Change is not null) ? holding[0].Change : null,
            }
        );

    Task DistrustAsync(Guid member) =>
        ClusterCalls.SendAsync(async _ =>
        {
            await GrainFactory.GetGrain<IResourceGrain>(member).Distrust();
            return true;
        });

    /// <summary>
    /// Tells grains again: one that was activated anew before the commit knows of nothing. If this fails, the change of the
    /// cluster's members that made it fail is a reason for distrust itself.
    /// </summary>
    async Task ForgetAsync(List<Guid> members)
    {
        try
        {
            await Task.WhenAll(members.Select(DistrustAsync));
        }
        catch (Exception e) when (ClusterCalls.IsLostNode(e)) { }
    }
}
