using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The bounds that a filter sets to the values of an indexed member. All that the filter takes is within them; what is
/// within them is still compared with the filter, as an index has only the beginning of a long text. A filter compares code
/// points, whatever the collation of the type: so do the bounds, and the index that has that order leads to them.
/// </summary>
public sealed class MemberRange
{
    readonly List<(string Operator, string Value)> bounds = [];

    MemberRange(IndexedMember member, string column) => (Member, Column) = (member, column);

    public IndexedMember Member { get; }

    /// <summary>Whether numbers or texts are compared.</summary>
    public string Column { get; }

    /// <summary>The number of the member, once it was looked up.</summary>
    public int Number { get; private init; }

    /// <summary>The ranges of what has to hold for all that a filter takes, one for each member.</summary>
    public static MemberRange[] In(Filter? filter, IndexedMembers? indexed)
    {
        var ranges = new Dictionary<IndexedMember, MemberRange>();
        if (filter is not null && indexed is not null)
            Collect(filter, indexed, ranges);
        return [.. ranges.Values];
    }

    /// <summary>
    /// Whether a list is a type in the order of a member, and its filter no more than a bound to the numbers of that member:
    /// so all that its index has behind the bound is in the list. Equal numbers stand in the order of nothing else.
    /// </summary>
    public static bool IsStretch(ResourceSelection selection, ResourceSort? sort) =>
        sort?.Member is { } sorted
        && selection
            is {
                Indexed: { } indexed,
                Filter: Filter.Metadata
                {
                    Value: FilterValue.Number,
                    Comparator: Comparator.Less or Comparator.AtMost or Comparator.Greater or Comparator.AtLeast
                } condition
            }
        && indexed.Members.Any(one => one.Path == sorted && one.Pointer == "/metadata" + condition.Pointer);

    /// <summary>The same range of a member whose number is known.</summary>
    public MemberRange Of(int number)
    {
        var found = new MemberRange(Member, Column) { Number = number };
        found.bounds.AddRange(bounds);
        return found;
    }

    /// <summary>The condition for rows of the index.</summary>
    public string Sql(NpgsqlParameterCollection parameters) =>
        $"member = {Number.ToString(CultureInfo.InvariantCulture)} and {Bounds(parameters)}";

    /// <summary>The condition for rows of the index that are of the member.</summary>
    public string Bounds(NpgsqlParameterCollection parameters) =>
        string.Join(
            " and ",
            bounds.Select(bound =>
            {
                var value = parameters.Place(bound.Value, NpgsqlDbType.Text);
                return Column is "number"
                    ? $"number {bound.Operator} {value}::numeric"
                    : $"text {bound.Operator} left({value}, 256)";
            })
        );

    static void Collect(Filter filter, IndexedMembers indexed, Dictionary<IndexedMember, MemberRange> ranges)
    {
        if (filter is Filter.And both)
        {
            Collect(both.Left, indexed, ranges);
            Collect(both.Right, indexed, ranges);
        }
        else if (
            filter is Filter.Metadata condition
            && Bound(condition) is var (column, comparator, value)
            && indexed.Members.FirstOrDefault(one => one.Pointer == "/metadata" + condition.Pointer) is { } member
            // Times are compared as the texts that they are, and their index has another order.
            && !(member.IsTime && column is "text")
        )
        {
            if (!ranges.TryGetValue(member, out var range))
                ranges[member] = range = new(member, column);
            if (range.Column == column)
                range.bounds.Add((comparator, value));
        }
    }

    /// <summary>What a condition says of the value that the index has; null = nothing.</summary>
    static (string Column, string Operator, string Value)? Bound(Filter.Metadata condition)
    {
        // An index has whole numbers, and of a text the beginning: a greater text may begin alike.
        var isExact = condition.Value is FilterValue.Number;
        var comparator = condition.Comparator switch
        {
            Comparator.Equal => "=",
            Comparator.Less when isExact => "<",
            Comparator.Greater when isExact => ">",
            Comparator.Less or Comparator.AtMost => "<=",
            Comparator.Greater or Comparator.AtLeast => ">=",
            _ => null,
        };
        return (comparator, condition.Value) switch
        {
            (null, _) => null,
            (_, FilterValue.Number number) => ("number", comparator, number.Json),
            (_, FilterValue.Text { Pieces: [var text] }) => ("text", comparator, text),
            (_, FilterValue.Truth truth) => ("text", comparator, truth.Value ? "true" : "false"),
            _ => null,
        };
    }
}
