using System.Globalization;
using CsCheck;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Domain.Tests;

/// <summary>Printing and parsing of filters.</summary>
public class FilterRoundTripTests
{
    static readonly Gen<Comparator> Equality = Gen.OneOf(Comparator.Equal, Comparator.NotEqual);
    static readonly Gen<Comparator> Relation = Gen.OneOf(
        Comparator.Equal,
        Comparator.NotEqual,
        Comparator.Less,
        Comparator.AtMost,
        Comparator.Greater,
        Comparator.AtLeast
    );

    static readonly Gen<string> Chars = Gen.OneOf(
            "a",
            "B",
            " ",
            "\"",
            "\\",
            "*",
            "(",
            ")",
            ".",
            "'",
            "=",
            "é",
            "😀",
            "\n",
            "AND",
            "-",
            "/",
            "~",
            "5"
        )
        .Array[0, 5]
        .Select(string.Concat);
    static readonly Gen<FilterValue> Plain = Chars.Select(text => (FilterValue)FilterValue.Text.Of(text));
    static readonly Gen<FilterValue> Wild = Chars
        .Array[1, 3]
        .Select(pieces =>
            (FilterValue)
                new FilterValue.Text(string.Join('*', pieces.Select(piece => FilterValue.Text.Of(piece).Pattern)))
        );
    static readonly Gen<FilterValue> Number = Gen.OneOf(
            "0",
            "-0",
            "9.50",
            "-1e300",
            "1E-7",
            "12345678901234567890.12345678"
        )
        .Select(json => (FilterValue)new FilterValue.Number(json));
    static readonly Gen<FilterValue> Constant = Gen.OneOf<FilterValue>(
        new FilterValue.Truth(true),
        new FilterValue.Truth(false),
        new FilterValue.Null()
    );
    static readonly Gen<FilterValue> Time = Gen.Long[0, 4_000_000_000_000_000]
        .Select(micros => (FilterValue)new FilterValue.Time(DateTimeOffset.UnixEpoch.AddMicroseconds(micros)));

    static readonly Gen<ResourceField> TextField = Gen.OneOf(
        ResourceField.Type,
        ResourceField.Name,
        ResourceField.Status,
        ResourceField.Owner,
        ResourceField.CreatedBy,
        ResourceField.UpdatedBy
    );
    static readonly Gen<ResourceField> TimeField = Gen.OneOf(
        ResourceField.CreatedAt,
        ResourceField.UpdatedAt,
        ResourceField.DeletedAt
    );
    static readonly Gen<string> Pointer = Chars.Array[1, 3].Select(steps => steps.Aggregate("", JsonPointer.Append));
    static readonly Gen<string> Word = Gen.OneOf("faust", "é", "1", "and");
    static readonly Gen<string[]> Words = Word.Array[1, 3].Select(words => words.Distinct().ToArray());
    static readonly Gen<string[]> Phrase = Word.Array[2, 3];

    static readonly Gen<Filter> Leaf = Gen.OneOf(
        Gen.Select(TextField, Equality, Wild, (field, comparator, value) =>
            (Filter)new Filter.Field(field, comparator, value)
        ),
        Gen.Select(TextField, Relation, Plain, (field, comparator, value) =>
            (Filter)new Filter.Field(field, comparator, value)
        ),
        Gen.Select(Equality, Gen.Guid, (comparator, id) =>
            (Filter)new Filter.Field(ResourceField.Id, comparator, new FilterValue.Id(id))
        ),
        Gen.Select(Relation, Gen.Long[0, long.MaxValue], (comparator, number) =>
            (Filter)new Filter.Field(ResourceField.Version, comparator, new FilterValue.Whole(number))
        ),
        Gen.Select(TimeField, Relation, Time, (field, comparator, value) =>
            (Filter)new Filter.Field(field, comparator, value)
        ),
        Gen.OneOf(TextField, TimeField).Select(field => (Filter)new Filter.FieldPresent(field)),
        Gen.Select(
            Pointer,
            Gen.OneOf(Equality, Gen.Const(Comparator.Has)),
            Gen.OneOf(Wild, Constant),
            (pointer, comparator, value) => (Filter)new Filter.Metadata(pointer, comparator, value)
        ),
        Gen.Select(Pointer, Relation, Gen.OneOf(Plain, Number), (pointer, comparator, value) =>
            (Filter)new Filter.Metadata(pointer, comparator, value)
        ),
        Gen.OneOf(Pointer, Gen.Const("")).Select(pointer => (Filter)new Filter.MetadataPresent(pointer)),
        Gen.Select(Words, Gen.Bool, (words, nameOnly) => (Filter)new Filter.Search(words, nameOnly)),
        Gen.Select(Phrase, Gen.Bool, (words, nameOnly) => (Filter)new Filter.Search(words, nameOnly, IsPhrase: true))
    );

    static readonly Gen<Filter> Any = OfDepth(5);

    [Fact]
    public void Printed_filter_parses_to_an_equal_filter() =>
        Any.Sample(
            filter =>
            {
                var faults = new List<FilterFault>();
                return filter.Equals(FilterParser.Parse(Print(filter), faults));
            },
            print: filter => $"{FilterNotation.Show(filter)} from {Print(filter)}"
        );

    [Fact]
    public void Equal_filters_have_equal_hashes() =>
        Gen.Select(Any, Any).Sample((one, other) => !one.Equals(other) || one.GetHashCode() == other.GetHashCode());

    static Gen<Filter> OfDepth(int depth) =>
        depth is 0
            ? Leaf
            : Gen.Frequency(
                (1, Leaf),
                (
                    2,
                    Gen.Select(OfDepth(depth - 1), OfDepth(depth - 1), (left, right) =>
                        (Filter)new Filter.And(left, right)
                    )
                ),
                (
                    2,
                    Gen.Select(OfDepth(depth - 1), OfDepth(depth - 1), (left, right) =>
                        (Filter)new Filter.Or(left, right)
                    )
                ),
                (1, OfDepth(depth - 1).Select(inner => (Filter)new Filter.Not(inner)))
            );

    /// <summary>With parentheses and AND only where they are needed. Juxtaposition binds tighter than AND.</summary>
    static string Print(Filter filter) =>
        filter switch
        {
            Filter.And and =>
                $"{Print(and.Left)}{(and.Left is Filter.And ? " AND " : " ")}{Inner(and.Right, and.Right is Filter.And)}",
            Filter.Or or =>
                $"{Inner(or.Left, or.Left is Filter.And)} OR {Inner(or.Right, or.Right is Filter.And or Filter.Or)}",
            Filter.Not not => $"-{Inner(not.Inner, not.Inner is Filter.And or Filter.Or or Filter.Not)}",
            Filter.Field field => $"{Name(field.Name)}{FilterNotation.Signs[field.Comparator]}{Print(field.Value)}",
            Filter.FieldPresent field => $"{Name(field.Name)}:*",
            Filter.Metadata member =>
                $"{Path(member.Pointer)} {FilterNotation.Signs[member.Comparator]} {Print(member.Value)}",
            Filter.MetadataPresent member => $"{Path(member.Pointer)}:*",
            Filter.Search { IsPhrase: true } phrase =>
                $"{(phrase.NameOnly ? "name:" : "")}\"{string.Join(", ", phrase.Words)}\"",
            Filter.Search search => $"{(search.NameOnly ? "name:" : "")}{string.Join(',', search.Words)}",
            _ => throw new ArgumentException(filter.GetType().Name),
        };

    static string Inner(Filter filter, bool parentheses) => parentheses ? $"({Print(filter)})" : Print(filter);

    static string Name(ResourceField field) => char.ToLowerInvariant(field.ToString()[0]) + field.ToString()[1..];

    static string Path(string pointer) =>
        "metadata" + string.Concat(JsonPointer.Parse(pointer)!.Select(step => $".{Quote(step)}"));

    static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    static string Print(FilterValue value) =>
        value switch
        {
            FilterValue.Text text => $"\"{text.Pattern.Replace("\"", "\\\"", StringComparison.Ordinal)}\"",
            FilterValue.Number number => number.Json,
            FilterValue.Truth truth => truth.Value ? "true" : "false",
            FilterValue.Null => "null",
            FilterValue.Whole whole => whole.Value.ToString(CultureInfo.InvariantCulture),
            FilterValue.Id id => id.Value.ToString(),
            FilterValue.Time time => time.Value.UtcDateTime.ToString(
                "yyyy-MM-ddTHH:mm:ss.ffffffZ",
                CultureInfo.InvariantCulture
            ),
            _ => throw new ArgumentException(value.GetType().Name),
        };
}
