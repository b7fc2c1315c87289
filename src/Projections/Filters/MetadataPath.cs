using System.Diagnostics;
using System.Text;
using System.Text.Encodings.Web;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Conditions on metadata in PostgreSQL's jsonpath. Its strict mode takes a path as it is; its lax mode looks into
/// arrays, one level at each step and at the end.
/// </summary>
static class MetadataPath
{
    const string Metacharacters = @"\^$.|?*+()[]{}";

    /// <summary>Answers a value where the member is there; for <c>@?</c>.</summary>
    public static string Presence(string pointer, bool lax) => $"{(lax ? "lax" : "strict")} ${Steps(pointer)}";

    /// <summary>
    /// Answers true where the relation holds, and otherwise false or nothing; for <c>@@</c>. A filter for <c>@?</c>, as
    /// in <c>$.a ? (@ == 5)</c>, would in the lax mode open an array inside an array as well.
    /// </summary>
    public static string Comparison(Filter.Metadata member) =>
        $"{(member.Comparator is Comparator.Has ? "lax" : "strict")} ${Steps(member.Pointer)} {Predicate(member)}";

    static string Predicate(Filter.Metadata member) =>
        member.Value switch
        {
            FilterValue.Text { Pieces: { Count: > 1 } pieces } => Like(pieces),
            FilterValue.Text text => $"{Operator(member.Comparator)} {Quote(text.Literal)}",
            FilterValue.Number number => $"{Operator(member.Comparator)} {number.Json}",
            FilterValue.Truth truth => $"== {(truth.Value ? "true" : "false")}",
            FilterValue.Null => "== null",
            _ => throw new UnreachableException($"Metadata has no {member.Value.GetType().Name}."),
        };

    static string Like(IReadOnlyList<string> pieces)
    {
        // Wildcards side by side are as good as one, and thousands of them would be too much for a regular expression.
        string[] inner = [.. pieces.Skip(1).SkipLast(1).Where(piece => piece is not "")];
        return inner is [] && pieces[^1] is ""
            ? $"starts with {Quote(pieces[0])}"
            : $"like_regex {Quote($"^{string.Join(".*", inner.Prepend(pieces[0]).Append(pieces[^1]).Select(EscapeRegex))}$")} flag \"s\"";
    }

    static string Operator(Comparator comparator) =>
        comparator switch
        {
            Comparator.Equal or Comparator.Has => "==",
            Comparator.Less => "<",
            Comparator.AtMost => "<=",
            Comparator.Greater => ">",
            Comparator.AtLeast => ">=",
            _ => throw new UnreachableException($"{comparator} is no operator of jsonpath."),
        };

    static string Steps(string pointer) => string.Concat(JsonPointer.Parse(pointer)!.Select(step => $".{Quote(step)}"));

    static string EscapeRegex(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var c in text)
            (Metacharacters.Contains(c, StringComparison.Ordinal) ? escaped.Append('\\') : escaped).Append(c);
        return escaped.ToString();
    }

    // Strings of jsonpath have the escapes of JSON.
    static string Quote(string text) => $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"";
}
