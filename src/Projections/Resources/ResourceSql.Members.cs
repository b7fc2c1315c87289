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
    sealed record Run(char Mark, string? Column, string Condition, string Cast);

    static readonly Run Numbers = new('n', "number", "number is not null", "::numeric");
    static readonly Run Strings = new('t', "text", "text is not null", "");
    static readonly Run Without = new('-', null, "number is null and text is null", "");

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
        Run[] runs = sort.Keys[0].Descending ? [Strings, Numbers, Without] : [Numbers, Strings, Without];
        var branches =
            from run in runs.Index().SkipWhile(run => place is not null && run.Item.Mark != place[0])
            where range is null || range.Column == run.Item.Column
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
            return $"""
                (select {Columns}, '{run.Mark}'{value} as sorted, {at} as run, number, text
                from resource_index join resource_views on id = resource
                where {isThere} and member = {member} and {run.Condition}{(
                    range is null ? "" : " and " + range.Bounds(parameters)
                )} and {part} and {Asked(parameters, selection, LivesOf(selection))}{behind}
                order by {(run.Column is null ? "" : run.Column + direction + ", ")}resource{direction} limit {size})
                """;
        }
    }
}
