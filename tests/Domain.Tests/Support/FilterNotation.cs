using Resources.Grains;
using Resources.Projections;

namespace Resources.Domain.Tests;

/// <summary>
/// Filters as short texts for tables, with every combination in brackets: <c>[a | !b]</c>. Words of a search have commas
/// between them, and those of a phrase have spaces.
/// </summary>
static class FilterNotation
{
    public static readonly Dictionary<Comparator, string> Signs = new()
    {
        [Comparator.Equal] = "=",
        [Comparator.NotEqual] = "!=",
        [Comparator.Less] = "<",
        [Comparator.AtMost] = "<=",
        [Comparator.Greater] = ">",
        [Comparator.AtLeast] = ">=",
        [Comparator.Has] = ":",
    };

    /// <summary>The filter of a text, or its errors as "position detail".</summary>
    public static string Read(string text)
    {
        var faults = new List<FilterFault>();
        var filter = FilterParser.Parse(text, faults);
        Assert.True(filter is null || faults is []);
        return filter is null
            ? string.Join("\n", faults.Select(fault => $"{fault.Position} {fault.Detail}"))
            : Show(filter);
    }

    public static string Show(Filter filter) =>
        filter switch
        {
            Filter.And and => $"[{Show(and.Left)} & {Show(and.Right)}]",
            Filter.Or or => $"[{Show(or.Left)} | {Show(or.Right)}]",
            Filter.Not not => $"!{Show(not.Inner)}",
            Filter.Field field => $"{field.Name} {Signs[field.Comparator]} {Show(field.Value)}",
            Filter.FieldPresent field => $"{field.Name}?",
            Filter.Metadata member => $"{member.Pointer} {Signs[member.Comparator]} {Show(member.Value)}",
            Filter.MetadataPresent member => $"{member.Pointer}?",
            Filter.Search search =>
                $"{(search.NameOnly ? "name" : "any")}({string.Join(search.IsPhrase ? ' ' : ',', search.Words)})",
            _ => throw new ArgumentException(filter.GetType().Name),
        };

    static string Show(FilterValue value) =>
        value switch
        {
            FilterValue.Text text => $"\"{text.Pattern}\"",
            FilterValue.Number number => number.Json,
            FilterValue.Truth truth => truth.Value ? "true" : "false",
            FilterValue.Null => "null",
            FilterValue.Whole whole => $"#{whole.Value}",
            FilterValue.Id id => $"{id.Value}",
            FilterValue.Time time => $"{time.Value:yyyy-MM-ddTHH:mm:ss.FFFFFFFZ}",
            _ => throw new ArgumentException(value.GetType().Name),
        };
}
