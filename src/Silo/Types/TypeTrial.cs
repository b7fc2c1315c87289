using System.Buffers.Binary;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>What a change of a type would find, were it made now.</summary>
/// <param name="IsComplete">Whether every resource was looked at.</param>
public sealed record TypeTrialResult(TypeChangeKind Kind, TypeReport Report, bool IsComplete);

/// <summary>
/// Tries changes of types without making them. A node runs one at a time, for a bounded time and in bounded memory; the next
/// one waits as long. Nothing holds afterwards.
/// </summary>
public sealed class TypeTrial(TypeBook types, ReadIndex index, TypeCheck check, ReadsDb reads, TimeProvider time)
{
    static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(20);

    /// <summary>Values are told apart by a part of their hashes: a set of so many needs about 50 MB while it grows.</summary>
    const int MaxValues = 1_000_000;

    readonly SemaphoreSlim turn = new(1);

    /// <summary>Looks at the stored resources of a type under a definition.</summary>
    /// <exception cref="StoreOverloadedException">Other trials were under way at this node for too long.</exception>
    public async Task<Reply<TypeTrialResult>> RunAsync(string name, JsonText text, CancellationToken ct)
    {
        var rules = await types.RefreshAsync(name);
        var faults = new List<Fault>();
        var now = TypeDefinition.Read(text, faults);
        if (now is not null)
            await CheckNamesAsync(name, now, faults);
        if (now is null || faults is not [])
            return Reply<TypeTrialResult>.Refused(Resource.Invalid([.. faults]));
        if (types.All.Any(other => other.Name != name && TypeNames.Clash(other, now)))
            return Reply<TypeTrialResult>.Refused(TypeNames.Taken);
        var old = rules.InForce?.Definition;
        var kind = TypeChange.KindOf(old, now);
        var head = await index.HeadAsync(ct);
        if (kind is not TypeChangeKind.Checked)
            return new(new(kind, new(0, 0, []), true), 0, head, false, null);
        if (!await turn.WaitAsync(MaxTime, ct))
            throw new StoreOverloadedException("Other dry runs are under way at this node.");
        try
        {
            var numbers = TypeChange.Number(rules.State?.Form, old, now, rules.State?.LastField ?? 0);
            var proposed = rules with { State = null, Proposed = new(now, numbers, 0), Migration = now.Migration };
            var (found, position) = await LookAsync(proposed, head, ct);
            return new(found, 0, position, false, null);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Adds faults where a definition has another name, or refers to what is not there.</summary>
    /// <param name="name">The name that the definition has to have.</param>
    public async Task CheckNamesAsync(string name, TypeDefinition definition, List<Fault> faults)
    {
        await Task.WhenAll(
            definition.References.Select(rule => rule.Type).Where(Slug.IsValid).Distinct().Select(types.RefreshAsync)
        );
        TypeChange.Check(
            types[name].InForce?.Definition,
            name,
            definition,
            name => types[name].IsDeclared,
            await Collations.HasUnicodeAsync(reads),
            faults
        );
    }

    /// <summary>Looks at all of them in one snapshot, behind the head of the log; returns its position, too.</summary>
    async Task<(TypeTrialResult Found, long Position)> LookAsync(TypeRules rules, long head, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        while ((await index.WaitAsync(head, ct)).State is ReachedState.Behind)
            if (time.GetElapsedTime(started) >= MaxTime)
                return (new(TypeChangeKind.Checked, TypeChangeProgress.None.Report, false), head);
        var values = new HashSet<long>();
        var progress = TypeChangeProgress.None;
        var isComplete = false;
        var position = await check.WalkAsync(
            rules,
            head,
            async (page, snapshot) =>
            {
                var missing = await TypeChangeStore.MissingAsync(
                    snapshot,
                    [.. page.Rows.SelectMany(row => row.References)],
                    ct
                );
                foreach (var row in page.Rows)
                    page.Offenders.AddRange(
                        TypeCheck.Offenders(
                            row,
                            row.Claims.Where(claim =>
                                !values.Add(claim.Rule ^ BinaryPrimitives.ReadInt64LittleEndian(claim.Value))
                            ),
                            row.References.Where(reference => missing.Contains((reference.Target, reference.Type)))
                        )
                    );
                progress = progress.After(page);
                isComplete = page.IsLast;
                return time.GetElapsedTime(started) < MaxTime && values.Count < MaxValues;
            },
            ct
        );
        return (new(TypeChangeKind.Checked, progress.Report, isComplete && position >= head), position);
    }
}
