using CsCheck;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Domain.Tests;

public class SearchWordsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("?! 😀 𝄞 ½ ²", "")]
    [InlineData("Goethe's FAUST, der Tragödie 2. Teil", "goethe|s|faust|der|tragödie|2|teil")]
    [InlineData("snake_case kebab-case a.b/c", "snake|case|kebab|case|a|b|c")]
    [InlineData("e\u0301té ÀÉ", "été|àé")]
    [InlineData("İSTANBUL i\u0307stanbul", "i\u0307stanbul|i\u0307stanbul")]
    [InlineData("Straße STRASSE STRAẞE", "strasse|strasse|strasse")]
    [InlineData("ΟΔΟΣ οδος ΟΔΟσ", "οδοσ|οδοσ|οδοσ")]
    [InlineData("ſo so \u1E9B \u1E61", "so|so|ṡ|ṡ")]
    [InlineData("ﬁn \u212Bngstr\u00F6m", "fin|ångström")]
    [InlineData("각 \u1100\u1161\u11A8", "각|각")]
    [InlineData("日本語 मराठी ١٢٣", "日本語|मराठी|١٢٣")]
    [InlineData("𐐀𐐁 x𝒜y", "𐐨𐐩|x𝒜y")]
    [InlineData("faust faust", "faust|faust")]
    public void Words_are_runs_of_letters_marks_and_digits(string text, string expected) =>
        Assert.Equal(expected, string.Join('|', SearchWords.Of(text)));

    [Fact]
    public void Lone_surrogate_separates_words() => Assert.Equal(["a", "b"], SearchWords.Of("a\uD83Db\uDE00"));

    /// <summary>A resource may have a megabyte of them, and lists wait for its words.</summary>
    [Fact]
    public void Marks_without_end_cost_no_more_than_other_letters()
    {
        var marks = new string('\u0301', 250_000) + new string('\u0323', 250_000);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(64, Assert.Single(SearchWords.Of(marks)).Length);
        Assert.Equal(marks.Length, UnicodeForms.Compose(marks).Length);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.StartsWith("\u0323", UnicodeForms.Compose(marks), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_first_64_characters_of_a_word_count()
    {
        Assert.Equal([new string('a', 64)], SearchWords.Of(new string('A', 64)));
        Assert.Equal([new string('a', 64), "b"], SearchWords.Of(new string('A', 1000) + " b"));
        Assert.Equal(
            [string.Concat(Enumerable.Repeat("𐐨", 64))],
            SearchWords.Of(string.Concat(Enumerable.Repeat("𐐀", 65)))
        );
    }

    [Fact]
    public void Words_are_found_in_texts_of_any_size_and_kind() =>
        Gen.String.Sample(text =>
        {
            var words = SearchWords.Of(text).ToArray();
            return words.All(word => word.Length is > 0 and <= 128 && SearchWords.Of(word).SequenceEqual([word]));
        });

    [Theory]
    [InlineData("café", "cafe")]
    [InlineData("i\u0307zmir", "izmir")]
    [InlineData("việt", "viet")]
    [InlineData("ѝ", "и")]
    [InlineData("が각", "か각")]
    [InlineData("faust", null)]
    [InlineData("søren", null)]
    [InlineData("日本語", null)]
    [InlineData("\u0301", null)]
    public void Word_without_marks_is_another_word(string word, string? expected) =>
        Assert.Equal(expected, SearchWords.WithoutMarks(word));

    [Fact]
    public void Word_without_marks_has_none_and_is_a_word() =>
        Gen.String.Sample(text =>
            SearchWords
                .Of(text)
                .Select(SearchWords.WithoutMarks)
                .OfType<string>()
                .All(plain => SearchWords.WithoutMarks(plain) is null && SearchWords.Of(plain).SequenceEqual([plain]))
        );

    [Fact]
    public void Metadata_values_are_searched_at_any_depth_but_names_are_not()
    {
        var metadata = JsonText.From(
            TestJson.Parse("""{"key":"One \u00e9","list":["two",[{"deep":"THREE\nfour"}],5,true,null],"e":{}}""")
        );
        Assert.Equal(["One é", "two", "THREE\nfour"], SearchWords.TextsOf(metadata));
        Assert.Empty(SearchWords.TextsOf(JsonText.Empty));
    }

    [Fact]
    public void Query_matches_prefixes_of_words()
    {
        Assert.Equal("'fau':*A", SearchWords.Query("fau", nameOnly: true));
        Assert.Equal("'fau':*", SearchWords.Query("fau", nameOnly: false));
        Assert.Equal("""'a''b\\c':*""", SearchWords.Query("""a'b\c""", nameOnly: false));
        Assert.Equal("'fau' | 'faust'", SearchWords.Query(["fau", "faust"], nameOnly: false));
        Assert.Equal("'fau':A | 'faust':A", SearchWords.Query(["fau", "faust"], nameOnly: true));
    }

    [Theory]
    [InlineData(false, null, "('a' <-> 'b':*) | ('a' & 'b':* & (!'.':A | !'.':D))")]
    [InlineData(true, null, "('a':A <-> 'b':*A) | ('a':A & 'b':*A & !'.':A)")]
    [InlineData(false, "b bc", "('a' <-> ('b' | 'bc')) | ('a' & ('b' | 'bc') & (!'.':A | !'.':D))")]
    public void Phrase_needs_places_where_they_are_known(bool nameOnly, string? ends, string expected) =>
        Assert.Equal(expected, SearchWords.Phrase(["a", "b"], ends?.Split(' '), nameOnly));
}
