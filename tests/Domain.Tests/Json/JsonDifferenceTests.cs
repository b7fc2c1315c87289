using System.Text.Json;
using CsCheck;
using Resources.Grains;
using static Resources.Domain.Tests.Story;

namespace Resources.Domain.Tests;

/// <summary>Where two states of an object differ.</summary>
public class JsonDifferenceTests
{
    [Theory]
    [InlineData("{}", "{}", "")]
    [InlineData("""{"a":1,"b":"x"}""", """{"b":"\u0078","a":1.0}""", "")]
    [InlineData("""{"a":1}""", """{"a":2}""", "/m/a")]
    [InlineData("""{"a":1}""", """{"b":1}""", "/m/a /m/b")]
    [InlineData("""{"a":null}""", "{}", "/m/a")]
    [InlineData("""{"a":null}""", """{"a":false}""", "/m/a")]
    // The deepest place that says it: a member that is new in an object, or the whole of what becomes one.
    [InlineData("""{"a":{"b":{"c":1,"d":2}}}""", """{"a":{"b":{"c":1,"d":3}}}""", "/m/a/b/d")]
    [InlineData("""{"a":{"b":1}}""", """{"a":{"b":1,"c":{"d":2}}}""", "/m/a/c")]
    [InlineData("""{"a":{}}""", """{"a":[]}""", "/m/a")]
    [InlineData("""{"a":1}""", """{"a":{"b":1}}""", "/m/a")]
    [InlineData("""{"a":{"b":1},"z":0}""", """{"a":{},"z":0}""", "/m/a/b")]
    // Lists as a whole.
    [InlineData("""{"a":[1,2,{"b":1}]}""", """{"a":[0,1,2,{"b":1}]}""", "/m/a")]
    [InlineData("""{"a":[{"b":1}]}""", """{"a":[{"b":2}]}""", "/m/a")]
    [InlineData("""{"a":[1,2]}""", """{"a":[1.0,2]}""", "")]
    // Names are escaped as pointers need it.
    [InlineData("{}", """{"a/b":1,"m~n":1,"":1}""", "/m/ /m/a~1b /m/m~0n")]
    public void Places_are_named_by_pointers(string before, string after, string places) =>
        Assert.Equal(places, string.Join(' ', Between(before, after)!));

    [Fact]
    public void A_hundred_places_are_named_and_no_more()
    {
        Assert.Equal(JsonDifference.MaxPlaces, Between("{}", Members(JsonDifference.MaxPlaces, "n"))!.Length);
        Assert.Null(Between("{}", Members(JsonDifference.MaxPlaces + 1, "n")));
        Assert.Null(Between(Members(JsonDifference.MaxPlaces + 1, "n"), "{}"));
        Assert.Null(Between(Members(100_000, "n"), Members(100_000, "m")));
    }

    [Fact]
    public void Long_names_are_not_repeated_a_hundred_times()
    {
        var name = new string('x', JsonDifference.MaxLength / 2);
        Assert.Single(Between("{}", $$"""{"{{name}}":1}""")!);
        Assert.Null(Between($$"""{"{{name}}":{} }""", $$"""{"{{name}}":{{Members(2, "n")}}}"""));
    }

    [Fact]
    public void Nothing_differs_exactly_where_the_values_are_equal() =>
        Gen.Select(TestJson.Object, TestJson.Object)
            .Sample(
                (one, other) => Between(one, other) is [] == Text(one).Equals(Text(other)) && Between(one, one) is []
            );

    static string Members(int count, string prefix) =>
        "{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{prefix}{i}\":{i}")) + "}";

    static string[]? Between(string before, string after)
    {
        var difference = new JsonDifference();
        difference.Compare("m", Text(before), Text(after));
        return difference.Places;
    }
}
