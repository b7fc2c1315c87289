namespace Resources.Projections;
using Resources.Grains;
public static class SearchWords
{
    public static IEnumerable<string> Of(string text) => text.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
    public static string Vector(IEnumerable<string> words, char? weight) => string.Join(' ', words.Distinct().Select(w => $"'{w.Replace("'", "''")}':1{weight}"));
    public static IEnumerable<string> OfMetadata(JsonText metadata) => [];
    public static string Query(IReadOnlyList<string> words, bool nameOnly) => string.Join(" & ", words.Select(w => $"'{w}':*{(nameOnly ? "A" : "")}"));
}
