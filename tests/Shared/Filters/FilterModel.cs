using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Resources.Tests;

/// <summary>
/// The tests' own model of a filter, evaluated over the JSON of a resource without a parser or a database. It shares no
/// code with the product.
/// </summary>
public abstract record FilterModel
{
    public abstract bool Matches(JsonElement resource);

    public sealed record All(FilterModel Left, FilterModel Right) : FilterModel
    {
        public override bool Matches(JsonElement resource) => Left.Matches(resource) && Right.Matches(resource);
    }

    public sealed record Any(FilterModel Left, FilterModel Right) : FilterModel
    {
        public override bool Matches(JsonElement resource) => Left.Matches(resource) || Right.Matches(resource);
    }

    public sealed record Negated(FilterModel Inner) : FilterModel
    {
        public override bool Matches(JsonElement resource) => !Inner.Matches(resource);
    }

    /// <summary>
    /// Conditions that all compare the same path by the same sign, written with their values in parentheses.
    /// </summary>
    public sealed record Shared(string[] Path, string Sign, FilterModel Inner) : FilterModel
    {
        public override bool Matches(JsonElement resource) => Inner.Matches(resource);
    }

    /// <summary>
    /// Each word of the text is a prefix of a word in the name or in the metadata; or they stand in one of the texts as a
    /// phrase.
    /// </summary>
    public sealed record Searched(string Text, bool IsPhrase) : FilterModel
    {
        public override bool Matches(JsonElement resource)
        {
            string[] texts = [resource.GetProperty("name").GetString()!, .. Texts(resource.GetProperty("metadata"))];
            return IsPhrase ? texts.Any(text => Stand(Text, text)) : Begin(Text, [.. texts.SelectMany(Words)]);
        }
    }

    public sealed record Compared(string[] Path, string Sign, ModelValue Value) : FilterModel
    {
        public override bool Matches(JsonElement resource) =>
            Path switch
            {
                ["metadata"] => Value.Kind is ModelKind.Star
                    || resource.GetProperty("metadata").TryGetProperty(Value.Literal, out _),
                ["metadata", .. var steps] => Member(resource.GetProperty("metadata"), steps),
                [var name] => Field(resource.GetProperty(name), name),
                _ => throw new InvalidOperationException("Only metadata has members."),
            };

        bool Field(JsonElement field, string name)
        {
            if (Value.Kind is ModelKind.Star && Sign is ":")
                return field.ValueKind is not JsonValueKind.Null;
            return name switch
            {
                "createdAt" or "updatedAt" or "deletedAt" => field.ValueKind is not JsonValueKind.Null
                    && Holds(Micros(field.GetString()!).CompareTo(Value.Micros)),
                "version" => Holds(field.GetInt64().CompareTo(long.Parse(Value.Literal, CultureInfo.InvariantCulture))),
                "name" when Sign is ":" => Stand(Value.Literal, field.GetString()!),
                _ when Sign is "=" or ":" => Like(field.GetString()!, Value.Pieces),
                _ when Sign is "!=" => !Like(field.GetString()!, Value.Pieces),
                _ => Holds(ByCodePoint(field.GetString()!, Value.Literal)),
            };
        }

        bool Member(JsonElement metadata, string[] steps)
        {
            if (Sign is ":")
            {
                var reached = steps
                    .Aggregate((IEnumerable<JsonElement>)[metadata], (items, step) =>
                        items.SelectMany(Opened).Where(item => Has(item, step)).Select(item => item.GetProperty(step))
                    )
                    .ToArray();
                return Value.Kind is ModelKind.Star ? reached is not [] : reached.SelectMany(Opened).Any(Is);
            }
            foreach (var step in steps)
                if (Has(metadata, step))
                    metadata = metadata.GetProperty(step);
                else
                    return false;
            return Sign switch
            {
                "=" => Is(metadata),
                "!=" => !Is(metadata),
                _ => (metadata.ValueKind, Value.Kind) switch
                {
                    (JsonValueKind.String, ModelKind.Text) => Holds(ByCodePoint(metadata.GetString()!, Value.Literal)),
                    (JsonValueKind.Number, ModelKind.Number) => Holds(ByValue(metadata.GetRawText(), Value.Literal)),
                    _ => false,
                },
            };
        }

        bool Is(JsonElement item) =>
            (item.ValueKind, Value.Kind) switch
            {
                (JsonValueKind.String, ModelKind.Text) => Like(item.GetString()!, Value.Pieces),
                (JsonValueKind.Number, ModelKind.Number) => ByValue(item.GetRawText(), Value.Literal) is 0,
                (JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null, ModelKind.Constant) =>
                    item.GetRawText() == Value.Literal,
                _ => false,
            };

        bool Holds(int order) =>
            Sign switch
            {
                "=" or ":" => order is 0,
                "!=" => order is not 0,
                "<" => order < 0,
                "<=" => order <= 0,
                ">" => order > 0,
                ">=" => order >= 0,
                _ => throw new InvalidOperationException(Sign),
            };

        static bool Has(JsonElement item, string step) =>
            item.ValueKind is JsonValueKind.Object && item.TryGetProperty(step, out _);

        static IEnumerable<JsonElement> Opened(JsonElement item) =>
            item.ValueKind is JsonValueKind.Array ? item.EnumerateArray() : [item];
    }

    static bool Begin(string asked, string[] words) =>
        Words(asked).All(part => words.Any(word => Is(word, part, isBeginning: true)));

    static bool Stand(string asked, string text)
    {
        string[] parts = [.. Words(asked)];
        string[] words = [.. Words(text)];
        return Enumerable
            .Range(0, Math.Max(0, words.Length - parts.Length + 1))
            .Any(start =>
                parts.Index().All(part => Is(words[start + part.Index], part.Item, part.Index == parts.Length - 1))
            );
    }

    static bool Is(string word, string part, bool isBeginning) =>
        new[] { word, string.Concat(word.Select(WithoutMark)) }.Any(form =>
            isBeginning ? form.StartsWith(part, StringComparison.Ordinal) : form == part
        );

    /// <summary>Of the letters with marks that the generator's texts have.</summary>
    static char WithoutMark(char letter) =>
        letter switch
        {
            'é' => 'e',
            'ï' => 'i',
            'ä' => 'a',
            'ü' => 'u',
            _ => letter,
        };

    public static IEnumerable<string> Words(string text)
    {
        var word = new StringBuilder();
        foreach (var rune in (IEnumerable<Rune>)[.. text.EnumerateRunes(), new Rune(' ')])
            if (
                Rune.IsLetter(rune)
                || Rune.GetUnicodeCategory(rune)
                    is UnicodeCategory.DecimalDigitNumber
                        or UnicodeCategory.NonSpacingMark
                        or UnicodeCategory.SpacingCombiningMark
                        or UnicodeCategory.EnclosingMark
            )
                word.Append(Rune.ToLowerInvariant(rune));
            else if (word.Length > 0)
            {
                // The forms that the generator's texts have beside that of a single small letter.
                var form = word.ToString()
                    .Replace("e\u0301", "é", StringComparison.Ordinal)
                    .Replace("ß", "ss", StringComparison.Ordinal);
                yield return string.Concat(form.EnumerateRunes().Take(64));
                word.Clear();
            }
    }

    static IEnumerable<string> Texts(JsonElement item) =>
        item.ValueKind switch
        {
            JsonValueKind.String => [item.GetString()!],
            JsonValueKind.Array => item.EnumerateArray().SelectMany(Texts),
            JsonValueKind.Object => item.EnumerateObject().SelectMany(member => Texts(member.Value)),
            _ => [],
        };

    /// <summary>Whether a text consists of the pieces with anything between them.</summary>
    public static bool Like(string text, ReadOnlySpan<string> pieces) =>
        pieces switch
        {
            [var only] => text == only,
            [var first, .. var rest] when text.StartsWith(first, StringComparison.Ordinal) => LikeRest(
                text[first.Length..],
                rest
            ),
            _ => false,
        };

    static bool LikeRest(string text, ReadOnlySpan<string> pieces)
    {
        for (var start = 0; start <= text.Length; start++)
            if (Like(text[start..], pieces))
                return true;
        return false;
    }

    static int ByCodePoint(string left, string right) =>
        Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right));

    static int ByValue(string left, string right)
    {
        var (a, i) = Number(left);
        var (b, j) = Number(right);
        var scale = Math.Min(i, j);
        return (a * BigInteger.Pow(10, i - scale)).CompareTo(b * BigInteger.Pow(10, j - scale));
    }

    /// <summary>A number as whole × 10^exponent.</summary>
    static (BigInteger Whole, int Exponent) Number(string json)
    {
        var parts = json.ToUpperInvariant().Split('E');
        var exponent = parts.Length is 2 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        return point < 0
            ? (BigInteger.Parse(parts[0], CultureInfo.InvariantCulture), exponent)
            : (
                BigInteger.Parse(parts[0].Remove(point, 1), CultureInfo.InvariantCulture),
                exponent - (parts[0].Length - point - 1)
            );
    }

    static long Micros(string time) =>
        DateTimeOffset.Parse(time, CultureInfo.InvariantCulture).UtcTicks / TimeSpan.TicksPerMicrosecond;
}

public enum ModelKind
{
    Text,
    Number,
    Constant,
    Star,
    Whole,
    Id,
    Time,
}

/// <summary>A value to compare with.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Pieces">Its text: what stands between wildcards. All but texts have one piece, the spelling.</param>
/// <param name="Micros">For times.</param>
public sealed record ModelValue(ModelKind Kind, string[] Pieces, long Micros = 0)
{
    public string Literal => string.Join('*', Pieces);
}
