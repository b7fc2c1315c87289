using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>Pages in the order of an indexed member.</summary>
public static partial class ResourceSql
{
    /// <summary>
    /// A run of rows that one index has in order. The mark is the first character of the places in it, before the value.
    /// </summary>
    /// <param name="Kind">What a filter compares in it.</param>
    /// <param name="Column">What it is in the order of.</param>
    sealed record Run(char Mark, string? Kind, string? Column, string Condition, string Cast);

    /// <summary>The condition for rows of an index that have no value.</summary>
    internal const string LacksMember = "number is null and text is null";

    static readonly Run Numbers = new('n', "number", "number", "number is not null", "::numeric");
    static readonly Run Strings = new('t', "text", "text", "text is not null", "");
    static readonly Run Collated = new('c', "text", "collated", "collated is not null", "");
    static readonly Run Without = new('-', null, null, LacksMember, "");

    /// <summary>Whether a selection is all of a type, so that every row of its indexes is in the list.</summary>
    public static bool IsOfWholeType(ResourceSelection selection) =>
        selection is { Status: null, Owner: null, Type: { } type }
        && (selection.Visible.IsAll || selection.Visible.Scope.Types.Contains(type));

    /// <summary>
    /// A page by a member: what has a number, what has a text, and at the end of either direction what lacks the member.
    /// </summary>
    static string RowsByMember(
        NpgsqlParameterCollection parameters,
        ResourceSelection selection,
        ResourceSort sort,
        object[]? after,
        string isThere,
        string[] parts,
        string size
    )
    {
        var member = selection.Members!.Sorted!.Value.ToString(CultureInfo.InvariantCulture);
        var range = selection.Members.OfSorted;
        var direction = sort.Keys[0].Descending ? " desc" : "";
        var comparison = sort.Keys[0].Descending ? "<" : ">";
        var place = (string?)after?[0];
        var isWhole =
            IsOfWholeType(selection)
            && selection.NotOf is null
            && (selection.Filter is null || MemberRange.IsStretch(selection, sort));
        var texts = selection.Members.IsCollated ? Collated : Strings;
        Run[] runs = sort.Keys[0].Descending ? [texts, Numbers, Without] : [Numbers, texts, Without];
        if (place is not null && runs.All(run => run.Mark != place[0]))
            throw new OtherOrderException();
        var branches =
            from run in runs.Index().SkipWhile(run => place is not null && run.Item.Mark != place[0])
            where range is null || range.Column == run.Item.Kind
            from part in parts
            select Branch(run.Index, run.Item, part);
        return $"""
            select {Columns}, sorted from ({string.Join(" union all ", branches)}) branches
            order by run, number{direction}, text{direction}, id{direction} limit {size}
            """;

        string Branch(int at, Run run, string part)
        {
            var column = run.Column is null ? "" : run.Column + ", ";
            var value = run.Column is null ? "" : $" || {run.Column}";
            var behind = "";
            if (place?[0] == run.Mark)
            {
                var id = parameters.Place(after![1], NpgsqlDbType.Uuid);
                var given = run.Column is null ? "" : Text(parameters, place[1..]) + run.Cast + ", ";
                behind = $" and ({column}resource) {comparison} ({given}{id})";
            }
            var rows = $"""
                resource_index where {isThere} and member = {member} and {run.Condition}{(
                    range is null ? "" : " and " + range.Bounds(parameters)
                )}{behind}
                """;
            var key = run.Column is null ? "" : run.Column + direction + ", ";
            var order = $"order by {key}resource{direction} limit {size}";
            // PostgreSQL expects much of a run even if it is empty, and might walk all resources to find it. Few rows lead
            // to them, and a list of a whole type has all that the index has.
            var asked = $"{part} and {Asked(parameters, selection, LivesOf(selection))}";
            if (run.Column is null && selection.Members.AreFewWithout)
                return $"""
                    (select {Columns}, '{run.Mark}' as sorted, {at} as run, null::numeric as number, null::text as text
                    from resource_views where id = any (array(select resource from {rows})) and {asked}
                    order by id{direction} limit {size})
                    """;
            return $"""
                (select {Columns}, '{run.Mark}'{value} as sorted, {at} as run, number, {texts.Column} as text
                from (select resource, number, {texts.Column} from {rows} {(isWhole ? order : "")}) indexed
                join resource_views on id = resource where {asked} {order})
                """;
        }
    }
}
