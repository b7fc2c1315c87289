using Resources.Projections;

namespace Resources.Domain.Tests;

/// <summary>The texts of <c>q</c>.</summary>
public class SearchTextTests
{
    [Theory]
    [InlineData("johann wolf Johann", "any(johann,wolf)")]
    [InlineData("\"johann wolf\"", "any(johann wolf)")]
    [InlineData("\"Wolf wolf\"", "any(wolf wolf)")]
    [InlineData("faust \"johann wolf\" goethe", "[any(faust,goethe) & any(johann wolf)]")]
    [InlineData("\"a b\"\"c d\"", "[any(a b) & any(c d)]")]
    [InlineData("faust\"johann wolf", "[any(faust) & any(johann wolf)]")]
    [InlineData("\"johann\" \"\" \"!\"", "any(johann)")]
    [InlineData("name:\"a b\"", "[any(name) & any(a b)]")]
    [InlineData("a\\\"b", "[any(a) & any(b)]")]
    public void Quoted_words_are_a_phrase_and_others_are_each_for_itself(string text, string expected) =>
        Assert.Equal(expected, FilterNotation.Show(SearchText.Read(text)!));

    [Theory, InlineData(""), InlineData(" ! "), InlineData("\""), InlineData("\"\"\"!")]
    public void Text_without_words_asks_for_nothing(string text) => Assert.Null(SearchText.Read(text));
}
