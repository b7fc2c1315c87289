using System.Globalization;
using System.Text;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Domain.Tests;

public class SearchVectorTests
{
    [Theory]
    [InlineData("", "'.':1A")]
    [InlineData("b a, B", "'.':1A 'a':2A 'b':1A,3A")]
    [InlineData("O'Brien", "'.':1A 'brien':2A 'o':1A")]
    public void Vector_of_a_name_has_each_word_at_its_places(string name, string expected) =>
        Assert.Equal(expected, SearchVector.OfName(name));

    [Fact]
    public void Word_stands_at_the_same_place_with_and_without_its_marks() =>
        Assert.Equal("'.':1A 'cafe':1A,2A 'café':2A 'i':3A 'i\u0307':3A", SearchVector.OfName("cafe Café İ"));

    [Theory]
    [InlineData("{}", "'.':1000")]
    [InlineData("""{"a":"b c","d":["e",{"f":"b"}],"g":5}""", "'.':1000 'b':1000,1005 'c':1001 'e':1003")]
    public void Texts_of_the_metadata_stand_apart(string metadata, string expected) =>
        Assert.Equal(expected, SearchVector.OfMetadata(JsonText.From(TestJson.Parse(metadata))));

    [Fact]
    public void Places_end_where_those_of_PostgreSQL_end()
    {
        var places = Places(
            SearchVector.OfMetadata(Metadata([.. Enumerable.Range(0, 40_000).Select(i => $"{i % 1_500}")]))
        );
        Assert.Equal(1_501, places.Count);
        Assert.Equal(12, places["0"].Length);
        Assert.All(places.Values.SelectMany(place => place), place => Assert.InRange(place, 1_000, 16_383));
        Assert.Contains(16_381, places.Values.SelectMany(place => place));
        Assert.DoesNotContain(16_382, places.Values.SelectMany(place => place));
        Assert.Equal(255, Places(SearchVector.OfMetadata(Metadata(Enumerable.Repeat("a", 300))))["a"].Length);
        var name = Places(SearchVector.OfName("a b" + string.Concat(Enumerable.Range(0, 2_000).Select(i => $" c{i}"))));
        Assert.Equal((1, 2, 998), (name["a"][0], name["b"][0], name["c1500"][0]));
    }

    [Fact]
    public void Only_the_first_2000_words_are_kept_and_the_others_keep_their_places()
    {
        var words = Enumerable.Range(0, 3_000).Select(i => $"{i}").Append("0");
        var places = Places(SearchVector.OfMetadata(Metadata(words)));
        Assert.Equal(2_001, places.Count);
        Assert.Equal([1_000, 4_000], places["0"]);
    }

    /// <summary>The largest words there are, all of which have another form without marks.</summary>
    [Fact]
    public void Vector_of_any_words_fits_into_a_tsvector()
    {
        static string Word(int number) =>
            string.Concat(
                Enumerable
                    .Range(0, 62)
                    .Select(bit => (number >> bit & 1) is 1 && bit < 12 ? "\U0001109A" : "\U0001109C")
            ) + "\U0001109A\U0001109A";
        var vector = SearchVector.OfMetadata(Metadata(Enumerable.Range(0, 2_500).Select(Word)));
        var places = Places(vector);
        Assert.InRange(places.Count, 2_002, 4_001);
        Assert.InRange(
            places.Sum(place => Encoding.UTF8.GetByteCount(place.Key) + 4 + 2 * place.Value.Length),
            500_000,
            (1 << 20) - 10_000
        );
    }

    static JsonText Metadata(IEnumerable<string> words) =>
        JsonText.From(TestJson.Parse($$"""{"text":"{{string.Join(' ', words)}}"}"""));

    static Dictionary<string, int[]> Places(string vector) =>
        vector
            .Split(' ')
            .Select(entry => entry.Split(':'))
            .ToDictionary(
                entry => entry[0].Trim('\''),
                entry =>
                    entry[1]
                        .Split(',')
                        .Select(place => int.Parse(place.TrimEnd('A'), CultureInfo.InvariantCulture))
                        .ToArray()
            );
}
