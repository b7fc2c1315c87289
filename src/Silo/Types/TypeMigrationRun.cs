using System.Diagnostics;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Gives every live resource of a type the form that a change leads to, each through its grain. Writers of the old form
/// make new ones meanwhile, so it goes through the rows again until none is left. Then nothing is written in the old form
/// any more, and what came in between is migrated in a last pass.
/// </summary>
sealed class TypeMigrationRun(
    IGrainFactory grains,
    ResourceGrains grainOf,
    ReadIndex index,
    ResourceQueries resources,
    TypeBook types,
    TypeChangeStore store
)
{
    const int PageSize = 1_000;
    const int PageBytes = 4 << 20;

    /// <summary>So many are under way at a time: writes of others go into the same batches of the log.</summary>
    const int MostAtATime = 128;

    /// <summary>While others still write the old form, pauses are so many times as long as passes.</summary>
    const int Share = 4;

    static readonly TimeSpan MinPause = TimeSpan.FromSeconds(1);

    /// <summary>Migrates what has the old form.</summary>
    /// <returns>
    /// Null when no live resource has it, and none can get it; else how long to wait, as others still write it.
    /// </returns>
    public async Task<TimeSpan?> RunAsync(string name, Guid change, CancellationToken ct)
    {
        for (var passes = 0; ; passes++)
        {
            if ((await types.RefreshAsync(name)).State?.Proposal is not { } proposal || proposal.Change != change)
                return null;
            var started = Stopwatch.GetTimestamp();
            var found = await PassAsync(name, proposal, ct);
            if (proposal.IsClosing)
                return null;
            if (found is 0)
                await SendAsync(proposal, intent =>
                    grains
                        .GetGrain<ITypeGrain>(TypeState.StreamOf(name))
                        .Execute(new CloseTypeMigration(proposal.Change), intent)
                );
            else if (passes > 0)
                return MinPause + Share * Stopwatch.GetElapsedTime(started);
        }
    }

    /// <summary>Migrates what the read model shows in the old form, and returns how much that was.</summary>
    async Task<long> PassAsync(string name, TypeProposal proposal, CancellationToken ct)
    {
        var head = await index.HeadAsync(ct);
        var found = 0L;
        object[]? after = null;
        for (var reading = ReadAsync(name, proposal, after, head, ct); ; )
        {
            var page = await reading;
            if (page.Position < head)
            {
                await index.WaitAsync(head, ct);
                reading = ReadAsync(name, proposal, after, head, ct);
                continue;
            }
            if (page.Rows is not [.., var last])
                return found;
            after = ResourceSort.Newest.PlaceOf(last);
            // The next page is read while this one is migrated.
            reading = ReadAsync(name, proposal, after, head, ct);
            reading.Ignore();
            await Parallel.ForEachAsync(
                page.Rows,
                new ParallelOptions { MaxDegreeOfParallelism = MostAtATime, CancellationToken = ct },
                async (row, _) => await MigrateAsync(proposal, row)
            );
            await store.AddMigratedAsync(TypeState.StreamOf(name), proposal.Change, page.Rows.Count, ct);
            found += page.Rows.Count;
        }
    }

    Task<ResourcePage> ReadAsync(
        string name,
        TypeProposal proposal,
        object[]? after,
        long head,
        CancellationToken ct
    ) =>
        resources.PageAsync(
            new(Reach.All, name, NotOf: proposal.Begun),
            ResourceSort.Newest,
            after,
            PageSize,
            PageBytes,
            CountKind.None,
            head,
            ct,
            areLarge: true
        );

    async Task MigrateAsync(TypeProposal proposal, ResourceRow row)
    {
        var command = new MigrateResource(proposal.Change, row.Resource, row.Version);
        var reply = await SendAsync(
            proposal,
            intent => grainOf[row.Id].Execute(command, intent),
            DerivedId.Of("migrate", proposal.Change.ToString(), row.Id.ToString())
        );
        if (reply.Rejection is { } refused)
            throw new InvalidDataException($"{row.Id} is not migrated: {refused.Kind} {refused.Detail}");
    }

    /// <summary>Sends a command as the act of whoever asked for the change.</summary>
    /// <param name="id">What tells a repetition; a new one where it needs none.</param>
    static Task<T> SendAsync<T>(TypeProposal proposal, Func<Intent, Task<T>> call, Guid? id = null)
    {
        var intent = Intent.OfNode() with { Actor = proposal.By };
        return ClusterCalls.SendAsync(intent with { CommandId = id ?? intent.CommandId }, call);
    }
}
