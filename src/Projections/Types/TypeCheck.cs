using Resources.Grains;

namespace Resources.Projections;

/// <summary>A resource of a page, with what it has under the rules that are new in a proposal.</summary>
public sealed record CheckedRow(Guid Id, long Version, List<Claim> Claims, List<Reference> References);

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
);

/// <summary>Looks at the stored resources of a type under a proposed definition, page by page, the newest first.</summary>
public sealed class TypeCheck(ResourceQueries resources)
{
    /// <summary>A report has so many examples.</summary>
    public const int MaxOffenders = 100;

    const int PageSize = 1_000;
    const int PageBytes = 4 << 20;

    /// <summary>An example has so many faults, none with a longer pointer than this: names of members may be long.</summary>
    const int MaxFaults = 10;
    const int MaxPointer = 1_000;

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
        var faults = new List<Fault>();
        foreach (var row in page.Rows)
        {
            faults.Clear();
            if (rules.Proposed!.Check(row.Id, row.Resource, faults))
            {
                var (claims, references) = rules.EntriesOf(row.Resource);
                rows.Add(new(row.Id, row.Version, claims, references));
            }
            else
                offenders.Add(Offender(row.Id, row.Version, faults));
        }
        return new(
            page.Rows.Count,
            rows,
            offenders,
            page.Rows is [.., var last] ? ResourceSort.Newest.PlaceOf(last) : null,
            page.Rows.Count < PageSize && !page.IsCut
        );
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
            .. taken.SelectMany(claim => GuardRefusal.NotUnique(claim.Pointers).Faults!),
            .. missing.SelectMany(reference => GuardRefusal.ReferenceNotFound(reference).Faults!),
        ];
        return faults is [] ? [] : [Offender(row.Id, row.Version, faults)];
    }

    /// <summary>An example for a report.</summary>
    static TypeOffender Offender(Guid id, long version, IEnumerable<Fault> faults) =>
        new(
            id,
            version,
            [.. faults.Take(MaxFaults).Select(fault => fault with { Pointer = Shortened(fault.Pointer) })]
        );

    /// <summary>The closest member above whose pointer is not too long.</summary>
    static string Shortened(string pointer) =>
        pointer.Length <= MaxPointer ? pointer : pointer[..pointer.LastIndexOf('/', MaxPointer)];
}
