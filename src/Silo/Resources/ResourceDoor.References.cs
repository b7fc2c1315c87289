using System.Text.Json;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>What the resources of a list refer to.</summary>
public sealed partial class ResourceDoor
{
    /// <summary>A page ends early when what its rows refer to has more metadata than this, in bytes.</summary>
    const int MaxReferredBytes = 1 << 20;

    /// <summary>Or when they refer to more resources than this, each of which is read.</summary>
    const int MaxReferred = 1_000;

    /// <summary>The references of a type that have these names, in their order; or why there are none.</summary>
    public async Task<Reply<IReadOnlyList<ReferenceRule>>> ReferencesAsync(
        Caller caller,
        string? type,
        IReadOnlyList<string> names
    )
    {
        var found = new ReferenceRule?[names.Count];
        // Of a type whose resources are out of reach nothing is told.
        if (type is not null && MayRead(caller, type))
        {
            found = Find(types[type]);
            // What is refused is refused by the definition of this moment.
            if (found.Contains(null))
                found = Find(await types.RefreshAsync(type));
            if (!found.Contains(null))
                return new([.. found.Select(rule => rule!)], 0, 0, false, null);
        }
        var detail = type is null
            ? "Only lists of one type can be expanded."
            : $"The type has no reference '{names[Array.IndexOf(found, null)]}'.";
        return Reply<IReadOnlyList<ReferenceRule>>.Refused(
            new(Refusal.Invalid, detail, [new("?expand", "UNKNOWN_REFERENCE", detail)])
        );

        ReferenceRule?[] Find(TypeRules rules) =>
            [.. names.Select(name => rules.InForce?.Definition.References.FirstOrDefault(rule => rule.Name == name))];
    }

    /// <summary>
    /// The page with what its rows refer to: live resources within the caller's reach, each read once. It is of a moment
    /// that is no earlier than the page, and ends early where the page would become too large.
    /// </summary>
    /// <param name="limit">Rows behind it are not shown.</param>
    public async Task<ResourcePage> ExpandAsync(
        Caller caller,
        ResourcePage page,
        int limit,
        IReadOnlyList<ReferenceRule> references,
        CancellationToken ct
    )
    {
        var paths = references.Select(rule => (Rule: rule, Path: new MemberPath(rule.Pointer))).ToArray();
        var shown = new List<(ResourceRow Row, (ReferenceRule Rule, bool IsList, Guid[] Ids)[] References)>();
        var places = new Dictionary<Guid, int>();
        foreach (var row in page.Rows.Take(limit))
        {
            var made = paths.Select(each => Of(row, each.Rule, each.Path)).ToArray();
            if (shown is not [] && places.Count + made.Sum(each => each.Ids.Length) > MaxReferred)
                break;
            foreach (var id in made.SelectMany(each => each.Ids))
                places.TryAdd(id, places.Count);
            shown.Add((row, made));
        }
        var selection = new ResourceSelection(ReachOf(caller, includeDeleted: false));
        var (found, seen) = places.Count is 0
            ? (new Dictionary<Guid, ResourceRow>(), 0)
            : await turns.ListAsync(
                caller.Id,
                selection,
                sort: null,
                CountKind.None,
                () => resources.OfIdsAsync(selection.Visible, [.. places.Keys], MaxReferredBytes, ct),
                ct
            );
        var rows = new List<ResourceRow>();
        var bytes = 0L;
        foreach (var (row, made) in shown)
        {
            // Several rows may refer to one, and each shows it.
            bytes += made.SelectMany(each => each.Ids)
                .Sum(id => found.TryGetValue(id, out var target) ? target.Resource.Metadata.Utf8.Length : 0L);
            if (
                rows is not []
                && (bytes > MaxReferredBytes || made.SelectMany(each => each.Ids).Any(id => places[id] >= seen))
            )
                break;
            rows.Add(
                row with
                {
                    Referred = made.ToDictionary(
                        each => each.Rule.Name,
                        each => new Referred(
                            each.IsList,
                            [.. each.Ids.Where(found.ContainsKey).Select(id => found[id])]
                        )
                    ),
                }
            );
        }
        var wasCut = rows.Count < Math.Min(limit, page.Rows.Count);
        return page with { Rows = wasCut ? rows : [.. rows, .. page.Rows.Skip(limit)], IsCut = page.IsCut || wasCut };
    }

    /// <summary>The ids that a resource has at a reference.</summary>
    static (ReferenceRule Rule, bool IsList, Guid[] Ids) Of(ResourceRow row, ReferenceRule rule, MemberPath path)
    {
        var metadata = row.Resource.Metadata.ToElement();
        var isList =
            rule.Pointer.Contains("/*", StringComparison.Ordinal)
            || path.In(metadata) is { ValueKind: JsonValueKind.Array };
        return (
            rule,
            isList,
            [
                .. path.AllIn(metadata)
                    .Select(one => one.Value.ValueKind is JsonValueKind.String ? one.Value.GetString() : null)
                    .Select(text => Guid.TryParse(text, out var id) ? id : Guid.Empty)
                    .Where(id => id != Guid.Empty),
            ]
        );
    }
}
