using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Writes filters as SQL conditions over <c>resource_views</c>. Conditions on metadata and words keep the form that GIN
/// indexes on those columns serve.
/// </summary>
public static class FilterSql
{
    /// <summary>
    /// The condition, to stand behind <c>where</c> or between <c>and</c>s. Whatever came from the filter's author
    /// becomes a parameter, <c>$n</c>, numbered from those that are there already.
    /// </summary>
    /// <param name="lexicon">
    /// What is known of the words searched for, at the moment of which the rows are; null = nothing.
    /// </param>
    public static string Write(Filter filter, NpgsqlParameterCollection parameters, Lexicon? lexicon = null) =>
        filter switch
        {
            Filter.And and => $"({Write(and.Left, parameters, lexicon)} and {Write(and.Right, parameters, lexicon)})",
            Filter.Or or => $"({Write(or.Left, parameters, lexicon)} or {Write(or.Right, parameters, lexicon)})",
            // In SQL a condition can also be unknown, which is as good as false here and must be so under a negation as
            // well.
            Filter.Not not => $"(({Write(not.Inner, parameters, lexicon)}) is not true)",
            Filter.Field { Value: FilterValue.Text text } field => Text(field, text, parameters),
            Filter.Field field => Ordered(field, Parameter(field.Value, parameters)),
            Filter.FieldPresent { Name: ResourceField.DeletedAt } => "deleted_at is not null",
            Filter.FieldPresent => "true",
            Filter.Metadata { Comparator: Comparator.NotEqual } member => NotEqual(member, parameters),
            // No index on metadata knows an order, and a scan of all of it must not look cheap to the planner. What it
            // would guess from its sample of the rows is as often wrong as right.
            Filter.Metadata
            {
                Comparator: Comparator.Less or Comparator.AtMost or Comparator.Greater or Comparator.AtLeast
            } member => $"coalesce(metadata @@ {Path(MetadataPath.Comparison(member), parameters)}, false)",
            Filter.Metadata member => $"metadata @@ {Path(MetadataPath.Comparison(member), parameters)}",
            Filter.MetadataPresent { Pointer: "" } => "true",
            Filter.MetadataPresent member =>
                $"metadata @? {Path(MetadataPath.Presence(member.Pointer, lax: true), parameters)}",
            Filter.Search { IsPhrase: true } phrase => Phrase(phrase, parameters, lexicon),
            Filter.Search search =>
                $"({string.Join(" and ", search.Words.Select(word => Word(word, search.NameOnly, parameters, lexicon)))})",
            _ => throw new UnreachableException($"FilterSql has no arm for {filter.GetType().Name}."),
        };

    static string Word(string beginning, bool nameOnly, NpgsqlParameterCollection parameters, Lexicon? lexicon) =>
        lexicon?.WordsFrom(beginning) switch
        {
            null => Matches(SearchWords.Query(beginning, nameOnly), parameters),
            [] => "false",
            var words => Matches(SearchWords.Query(words, nameOnly), parameters),
        };

    static string Phrase(Filter.Search phrase, NpgsqlParameterCollection parameters, Lexicon? lexicon) =>
        lexicon?.WordsFrom(phrase.Words[^1]) switch
        {
            [] => "false",
            var ends => Matches(SearchWords.Phrase(phrase.Words, ends, phrase.NameOnly), parameters),
        };

    static string Matches(string query, NpgsqlParameterCollection parameters) =>
        $"words @@ {parameters.Place(query, NpgsqlDbType.Text)}::tsquery";

    static string Text(Filter.Field field, FilterValue.Text text, NpgsqlParameterCollection parameters)
    {
        var pieces = text.Pieces;
        if (pieces.Count is 1)
            return Ordered(field, parameters.Place(pieces[0], NpgsqlDbType.Text));
        var like = parameters.Place(string.Join('%', pieces.Select(EscapeLike)), NpgsqlDbType.Text);
        return field.Comparator switch
        {
            Comparator.Equal => $"{Column(field.Name)} like {like}",
            Comparator.NotEqual => $"{Column(field.Name)} not like {like}",
            _ => throw new UnreachableException("An order is compared without wildcards."),
        };
    }

    static string Ordered(Filter.Field field, string parameter) =>
        $"{Column(field.Name)} {Operator(field.Comparator)} {parameter}";

    static string NotEqual(Filter.Metadata member, NpgsqlParameterCollection parameters)
    {
        var present = Path(MetadataPath.Presence(member.Pointer, lax: false), parameters);
        return $"""
            (metadata @? {present} and (metadata @@ {Path(
                MetadataPath.Comparison(member with { Comparator = Comparator.Equal }),
                parameters
            )}) is not true)
            """;
    }

    static string Column(ResourceField field) =>
        field switch
        {
            ResourceField.Id => "id",
            ResourceField.Type => "type",
            ResourceField.Name => "name",
            ResourceField.Status => "status",
            ResourceField.Owner => "owner",
            ResourceField.Version => "version",
            ResourceField.CreatedAt => "created_at",
            ResourceField.CreatedBy => "created_by",
            ResourceField.UpdatedAt => "updated_at",
            ResourceField.UpdatedBy => "updated_by",
            ResourceField.DeletedAt => "deleted_at",
            _ => throw new UnreachableException($"{field} has no column."),
        };

    static string Operator(Comparator comparator) =>
        comparator switch
        {
            Comparator.Equal => "=",
            Comparator.NotEqual => "<>",
            Comparator.Less => "<",
            Comparator.AtMost => "<=",
            Comparator.Greater => ">",
            Comparator.AtLeast => ">=",
            _ => throw new UnreachableException($"{comparator} is no operator of SQL."),
        };

    static string EscapeLike(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("%", "\\%", StringComparison.Ordinal)
            .Replace("_", "\\_", StringComparison.Ordinal);

    static string Parameter(FilterValue value, NpgsqlParameterCollection parameters) =>
        value switch
        {
            FilterValue.Id id => parameters.Place(id.Value, NpgsqlDbType.Uuid),
            FilterValue.Whole whole => parameters.Place(whole.Value, NpgsqlDbType.Bigint),
            FilterValue.Time time => parameters.Place(time.Value, NpgsqlDbType.TimestampTz),
            _ => throw new UnreachableException($"No field is a {value.GetType().Name}."),
        };

    static string Path(string path, NpgsqlParameterCollection parameters) =>
        parameters.Place(path, NpgsqlDbType.JsonPath);
}
