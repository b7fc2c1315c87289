using System.Diagnostics;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Looks at every stored resource of a type under a proposal, and decides the proposal by what was found. What was written
/// since the proposal satisfies it already; everything older is looked at. So what comes into force is true of everything.
/// </summary>
sealed class TypeChangeRun(
    IGrainFactory grains,
    ReadIndex index,
    ResourceQueries resources,
    TypeBook types,
    TypeFollower follower,
    TypeCheck check,
    TypeChangeStore store,
    TypeMigrationRun migration
)
{
    /// <summary>
    /// So many values and references are entered under one lock of the log. Each takes the database some 25 µs.
    /// </summary>
    const int EntrySize = 200;

    /// <summary>Where there are appends, they have the log for so many times as long as the entries do.</summary>
    const int Share = 4;

    /// <summary>Does what there is to do.</summary>
    /// <returns>How long to wait before there is more of it; null where the change is decided.</returns>
    public async Task<TimeSpan?> RunAsync(TypeRules rules, CancellationToken ct)
    {
        var proposal = rules.State!.Proposal!;
        // Another node may have made the last pass.
        if (
            proposal is { Begun: not null, IsClosing: false }
            && await store.PauseLeftAsync(proposal.Change, ct) is var left
            && left > TimeSpan.Zero
        )
            return left;
        while ((await index.WaitAsync(proposal.Position, ct)).State is not ReachedState.Passed)
            await Task.Delay(TimeSpan.FromSeconds(1), ct);
        var found =
            proposal.Definition is null ? await LookForUsersAsync(rules, proposal, ct)
            : proposal.Begun is null ? await CheckAsync(rules, proposal, ct)
            : new BeginTypeMigration(proposal.Change);
        if (found is CompleteTypeChange && proposal.Migration is not null)
            found = new BeginTypeMigration(proposal.Change);
        if (found is null)
            return null;
        await SendAsync(rules, proposal, found);
        if (found is not BeginTypeMigration)
            return null;
        if (await migration.RunAsync(rules.Name, proposal.Change, ct) is { } pause)
        {
            await store.PauseAsync(proposal.Change, pause, ct);
            return pause;
        }
        var progress = await store.ReadAsync(proposal.Change, ct) ?? TypeChangeProgress.None;
        await SendAsync(rules, proposal, new CompleteTypeChange(proposal.Change, progress.Checked, progress.Migrated));
        return null;
    }

    /// <summary>Sends a command to the type, as the act of whoever asked for the change.</summary>
    Task SendAsync(TypeRules rules, TypeProposal proposal, TypeCommand command) =>
        ClusterCalls.SendAsync(Intent.OfNode() with { Actor = proposal.By }, sent =>
            grains.GetGrain<ITypeGrain>(rules.Fence.Stream).Execute(command, sent)
        );

    /// <summary>The verdict on a definition; null where the proposal was decided meanwhile.</summary>
    async Task<TypeCommand?> CheckAsync(TypeRules rules, TypeProposal proposal, CancellationToken ct)
    {
        // Read after the proposal: a type that is deleted at the same time sees the proposal, or is seen here.
        foreach (var name in rules.Proposed!.Definition.References.Select(rule => rule.Type).Distinct())
            if (name != rules.Name && !(await types.RefreshAsync(name)).IsDeclared)
                return new AbandonTypeChange(proposal.Change, AbandonReason.UnknownType, 0, 0, []);
        var progress = await store.ReadAsync(proposal.Change, ct) ?? TypeChangeProgress.None;
        for (var (head, before) = (0L, 0L); ; before = head)
        {
            if (types[rules.Name].Change != proposal.Change)
                return null;
            if (await check.PageAsync(rules, progress.Last, proposal.Position, ct) is not { } page)
            {
                await index.WaitAsync(proposal.Position, ct);
                continue;
            }
            head = await index.HeadAsync(ct);
            foreach (var rows in page.PartsOf(EntrySize))
            {
                if (await EnterAsync(rules, rows, areAppends: head != before, ct) is not { } offenders)
                    return null;
                page.Offenders.AddRange(offenders);
            }
            progress = progress.After(page);
            await store.WriteAsync(rules.Fence.Stream, proposal.Change, progress, ct);
            if (page.IsLast)
                break;
        }
        return progress.Offending is 0
            ? new CompleteTypeChange(proposal.Change, progress.Checked)
            : new AbandonTypeChange(
                proposal.Change,
                AbandonReason.BreaksData,
                progress.Checked,
                progress.Offending,
                progress.Offenders
            );
    }

    async Task<List<TypeOffender>?> EnterAsync(
        TypeRules rules,
        List<CheckedRow> rows,
        bool areAppends,
        CancellationToken ct
    )
    {
        var started = Stopwatch.GetTimestamp();
        var offenders = await store.EnterAsync(rules.Fence, rows, ct);
        if (areAppends)
            await Task.Delay(Share * Stopwatch.GetElapsedTime(started), ct);
        return offenders;
    }

    /// <summary>Whether live resources, or other types, need a type that is to be deleted.</summary>
    async Task<TypeCommand> LookForUsersAsync(TypeRules rules, TypeProposal proposal, CancellationToken ct)
    {
        var page = await resources.PageAsync(
            new(Reach.All, rules.Name),
            ResourceSort.Newest,
            null,
            TypeCheck.MaxOffenders,
            1,
            CountKind.Exact,
            proposal.Position,
            ct,
            areLarge: true
        );
        var others = await Task.WhenAll((await follower.NamesAsync(ct)).Select(types.RefreshAsync));
        return page.Count is 0 && !others.Any(other => other.Name != rules.Name && other.RefersTo(rules.Name))
            ? new CompleteTypeChange(proposal.Change)
            : new AbandonTypeChange(
                proposal.Change,
                AbandonReason.InUse,
                page.Count ?? 0,
                page.Count ?? 0,
                [.. page.Rows.Select(row => new TypeOffender(row.Id, row.Version, []))]
            );
    }
}
