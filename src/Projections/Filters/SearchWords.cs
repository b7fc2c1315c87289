using System.Globalization;
using System.Text;
using System.Text.Json;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The words by which resources are found. Rows and questions take theirs from here, so that PostgreSQL's own idea of
/// words, which changes with its version and locale, has no part in it.
/// </summary>
public static class SearchWords
{
    /// <summary>
    /// No word, but in every vector: it says that the places of the words are true. Nodes of the release before kept none.
    /// </summary>
    public const string Mark = ".";

    const int MaxWordLength = 64;

    /// <summary>So many UTF-16 units of a word are looked at: far more than its first 64 characters have in any form.</summary>
    const int MaxUnits = 1024;

    /// <summary>
    /// The words of a text: runs of letters, marks and decimal digits, of which the first 64 characters count. They are
    /// the same for texts that differ by case or by their canonical form alone.
    /// </summary>
    public static IEnumerable<string> Of(string text)
    {
        for (var at = 0; at < text.Length; )
        {
            var start = at;
            var end = at;
            while (at < text.Length && IsPartOfWord(text, at, out var width))
            {
                at += width;
                if (at - start <= MaxUnits)
                    end = at;
            }
            if (end > start)
                yield return Cut(UnicodeForms.Fold(text[start..end]));
            else
                at += WidthAt(text, at);
        }
    }

    /// <summary>
    /// A word without its combining marks, as <c>cafe</c> is of <c>café</c>; null where that is the word itself, or nothing.
    /// </summary>
    /// <param name="word">A word as <see cref="Of"/> gives it.</param>
    public static string? WithoutMarks(string word)
    {
        if (Ascii.IsValid(word))
            return null;
        var letters = new StringBuilder(word.Length);
        foreach (var rune in UnicodeForms.Decompose(word).EnumerateRunes())
            if (Rune.GetUnicodeCategory(rune) is not UnicodeCategory.NonSpacingMark)
                letters.Append(rune);
        var plain = UnicodeForms.Compose(letters.ToString());
        return plain == word || plain is "" ? null : Cut(plain);
    }

    /// <summary>Every text in the metadata, at any depth. Names of members and other values are not looked at.</summary>
    public static List<string> TextsOf(JsonText metadata)
    {
        var texts = new List<string>();
        var reader = new Utf8JsonReader(metadata.Utf8.Span);
        while (reader.Read())
            if (reader.TokenType is JsonTokenType.String)
                texts.Add(reader.GetString()!);
        return texts;
    }

    /// <summary>The text of a tsquery: the word is the beginning of a word of the vector.</summary>
    /// <param name="word">A word as <see cref="Of"/> gives it.</param>
    /// <param name="nameOnly">Whether only words of weight A count, which are those of a name.</param>
    public static string Query(string word, bool nameOnly) => Lexeme(word) + (nameOnly ? ":*A" : ":*");

    /// <summary>The text of a tsquery: one of these is a word of the vector.</summary>
    /// <param name="words">At least one word of vectors.</param>
    /// <param name="nameOnly">Whether only words of weight A count, which are those of a name.</param>
    public static string Query(IEnumerable<string> words, bool nameOnly) =>
        string.Join(" | ", words.Select(word => Lexeme(word) + (nameOnly ? ":A" : "")));

    /// <summary>
    /// The text of a tsquery: words of the vector stand side by side, in this order. Where their places are not known all of
    /// them are words of it.
    /// </summary>
    /// <param name="words">At least two words as <see cref="Of"/> gives them; the last one is the beginning of one.</param>
    /// <param name="ends">The words of vectors that begin with the last one, at least one; null = they are not known.</param>
    /// <param name="nameOnly">Whether only words of weight A count, which are those of a name.</param>
    public static string Phrase(IReadOnlyList<string> words, string[]? ends, bool nameOnly)
    {
        string[] parts =
        [
            .. words.SkipLast(1).Select(word => Query([word], nameOnly)),
            ends is null ? Query(words[^1], nameOnly) : $"({Query(ends, nameOnly)})",
        ];
        var unknown = nameOnly ? $"!{Lexeme(Mark)}:A" : $"(!{Lexeme(Mark)}:A | !{Lexeme(Mark)}:D)";
        return $"({string.Join(" <-> ", parts)}) | ({string.Join(" & ", parts)} & {unknown})";
    }

    /// <summary>A word as a tsvector and a tsquery have it.</summary>
    internal static string Lexeme(string word) =>
        $"'{word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";

    static string Cut(string word)
    {
        if (word.Length <= MaxWordLength)
            return word;
        var end = 0;
        for (var length = 0; length < MaxWordLength && end < word.Length; length++)
            end += WidthAt(word, end);
        return word[..end];
    }

    static bool IsPartOfWord(string text, int at, out int width)
    {
        width = WidthAt(text, at);
        var category = width is 2
            ? CharUnicodeInfo.GetUnicodeCategory(char.ConvertToUtf32(text[at], text[at + 1]))
            : CharUnicodeInfo.GetUnicodeCategory(text[at]);
        return category
            is UnicodeCategory.UppercaseLetter
                or UnicodeCategory.LowercaseLetter
                or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.OtherLetter
                or UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.DecimalDigitNumber;
    }

    static int WidthAt(string text, int at) =>
        at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
}
