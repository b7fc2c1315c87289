using System.Globalization;
using System.Text;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The words of a row with their places, as texts of a tsvector. Name and metadata have ranges of their own: the vector of a
/// row is both texts one behind the other, and either is replaced without the other.
/// </summary>
public static class SearchVector
{
    const int FirstOfName = 1,
        FirstOfMetadata = 1_000,
        LastOfMetadata = 16_383; // PostgreSQL knows no place behind it.

    /// <summary>Only so many different words are kept.</summary>
    const int MaxWords = 2_000;

    /// <summary>PostgreSQL keeps no more places of a word.</summary>
    const int MaxPlaces = 255;

    /// <summary>So much space have words without their marks: with all others they fit into a tsvector, of 1 MiB.</summary>
    const int MaxPlainBytes = 400_000;

    /// <summary>The words of a name, with the weight A.</summary>
    public static string OfName(string name) => Write([name], FirstOfName, FirstOfMetadata - 2, "A");

    /// <summary>The words of every text in the metadata, with the least weight, which has no letter.</summary>
    public static string OfMetadata(JsonText metadata) =>
        Write(SearchWords.TextsOf(metadata), FirstOfMetadata, LastOfMetadata, "");

    /// <summary>
    /// Each word stands at its place, and without its marks there as well. Texts are a place apart, so that no phrase goes
    /// from one to the next. Words that there is no place for share the last one, which is next to no other.
    /// </summary>
    static string Write(IReadOnlyList<string> texts, int first, int last, string weight)
    {
        var places = new SortedDictionary<string, List<int>>(StringComparer.Ordinal) { [SearchWords.Mark] = [first] };
        var plains = new Dictionary<string, string?>(StringComparer.Ordinal);
        var spare = MaxPlainBytes;
        var next = first;
        foreach (var text in texts)
        {
            foreach (var word in SearchWords.Of(text))
            {
                var place = next > last - 2 ? last : next++;
                if (!plains.TryGetValue(word, out var plain))
                {
                    if (plains.Count is MaxWords)
                        continue;
                    plain = SearchWords.WithoutMarks(word);
                    if (plain is not null && (spare -= Encoding.UTF8.GetByteCount(plain)) < 0)
                        plain = null;
                    plains.Add(word, plain);
                }
                Note(word, place);
                if (plain is not null)
                    Note(plain, place);
            }
            next++;
        }
        return string.Join(' ', places.Select(one => $"{SearchWords.Lexeme(one.Key)}:{Text(one.Value, weight)}"));

        void Note(string word, int place)
        {
            if (!places.TryGetValue(word, out var known))
                places.Add(word, [place]);
            else if (known.Count < MaxPlaces && known[^1] != place)
                known.Add(place);
        }
    }

    static string Text(List<int> places, string weight) =>
        string.Join(',', places.Select(place => place.ToString(CultureInfo.InvariantCulture) + weight));
}
