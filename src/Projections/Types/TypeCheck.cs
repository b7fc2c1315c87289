using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>A resource of a page, with what it has under the rules that are new in a proposal.</summary>
public sealed record CheckedRow(Guid Id, long Version, List<Claim> Claims, List<Reference> References)
{
    /// <summary>How many values and references there are.</summary>
    public int Entries => Claims.Count + References.Count;
}

/// <summary>A part of the resources of a type, looked at under a proposal.</summary>
/// <param name="Count">How many there are.</param>
/// <param name="Rows">Those that satisfy it, apart from other resources.</param>
/// <param name="Offenders">Those that do not.</param>
/// <param name="Last">The place of the last one; null where there is none.</param>
/// <param name="IsLast">Whether no others follow.</param>
public sealed record CheckedPage(
    int Count,
    List<CheckedRow> Rows,
    List<TypeOffender> Offenders,
    object[]? Last,
    bool IsLast
)
{
    /// <summary>
    /// The rows that have values or references, in parts that have so many of them together. No row is divided.
    /// </summary>
    public IEnumerable<List<CheckedRow>> PartsOf(int size)
    {
        var part = new List<CheckedRow>();
        var entries = 0;
        foreach (var row in Rows.Where(row => row.Entries > 0))
        {
            if (part is not [] && entries + row.Entries > size)
            {
                yield return part;
                (part, entries) = ([], 0);
            }
            part.Add(row);
            entries += row.Entries;
        }
        if (part is not [])
            yield return part;
    }
}

/// <summary>Looks at the stored resources of a type under a proposed definition, page by page, the newest first.</summary>
public sealed class TypeCheck(ResourceQueries resources)
{
    /// <summary>A report has so many examples.</summary>
    public const int MaxOffenders = 100;

    const int PageSize = 1_000;
    const int PageBytes = 4 << 20;

    /// <summary>An example has so many faults.</summary>
    const int MaxFaults = 10;

    /// <summary>The next page after a place; null while the read model has not passed the position.</summary>
    /// <param name="after">The place of the last resource of the page before; null = from the start.</param>
    /// <param name="position">What was written behind it satisfies the proposal already.</param>
    public async Task<CheckedPage?> PageAsync(TypeRules rules, object[]? after, long position, CancellationToken ct)
    {
        var page = await resources.PageAsync(
            new(Reach.All, rules.Name),
            ResourceSort.Newest,
            after,
            PageSize,
            PageBytes,
            CountKind.None,
            position,
            ct,
            areLarge: true
        );
        if (page.Position < position)
            return null;
        var rows = new List<CheckedRow>();
        var offenders = new List<TypeOffender>();
        foreach (var row in page.Rows)
            Look(rules, row, rows, offenders);
        return new(
            page.Rows.Count,
            rows,
            offenders,
            page.Rows is [.., var last] ? ResourceSort.Newest.PlaceOf(last) : null,
            page.Rows.Count < PageSize && !page.IsCut
        );
    }

    /// <summary>
    /// Looks at all resources of the type in one snapshot, and returns its position. While the read model has not passed the
    /// position that is wanted, there are none.
    /// </summary>
    /// <param name="goesOn">Whether to go on after a page. It may ask for more of the snapshot.</param>
    public Task<long> WalkAsync(
        TypeRules rules,
        long position,
        Func<CheckedPage, NpgsqlConnection, Task<bool>> goesOn,
        CancellationToken ct
    )
    {
        var rows = new List<CheckedRow>();
        var offenders = new List<TypeOffender>();
        return resources.WalkAsync(
            new(Reach.All, rules.Name),
            position,
            PageSize,
            row => Look(rules, row, rows, offenders),
            async (connection, isLast) =>
            {
                var page = new CheckedPage(rows.Count + offenders.Count, rows, offenders, null, isLast);
                (rows, offenders) = ([], []);
                return await goesOn(page, connection);
            },
            ct
        );
    }

    static void Look(TypeRules rules, ResourceRow row, List<CheckedRow> rows, List<TypeOffender> offenders)
    {
        var faults = new List<Fault>();
        if (rules.FitsProposal(row.Id, row.Resource, faults))
        {
            var (claims, references) = rules.EntriesOf(row.Resource);
            rows.Add(new(row.Id, row.Version, claims, references));
        }
        else
            offenders.Add(Offender(row.Id, row.Version, faults));
    }

    /// <summary>A resource whose values another one has, or whose references lead nowhere; none where there are none.</summary>
    public static IEnumerable<TypeOffender> Offenders(
        CheckedRow row,
        IEnumerable<Claim> taken,
        IEnumerable<Reference> missing
    )
    {
        Fault[] faults =
        [
            .. taken.SelectMany(claim => GuardRefusal.NotUnique(claim).Faults!),
            .. missing.SelectMany(reference => GuardRefusal.ReferenceNotFound(reference).Faults!),
        ];
        return faults is [] ? [] : [Offender(row.Id, row.Version, faults)];
    }

    /// <summary>An example for a report.</summary>
    static TypeOffender Offender(Guid id, long version, IEnumerable<Fault> faults) =>
        new(id, version, [.. faults.Take(MaxFaults)]);
}
