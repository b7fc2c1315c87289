using System.Text.Json.Nodes;
using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

public class JsonPointerTests
{
    const string Rfc6901 = """
        {"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}
        """;

    [Theory]
    // RFC 6901, section 5, each as the value a test operation finds.
    [InlineData("", Rfc6901)]
    [InlineData("/foo", """["bar","baz"]""")]
    [InlineData("/foo/0", "\"bar\"")]
    [InlineData("/", "0")]
    [InlineData("/a~1b", "1")]
    [InlineData("/c%d", "2")]
    [InlineData("/e^f", "3")]
    [InlineData("/g|h", "4")]
    [InlineData("/i\\\\j", "5")]
    [InlineData("/k\\\"l", "6")]
    [InlineData("/ ", "7")]
    [InlineData("/m~0n", "8")]
    public void Pointer_finds_its_value(string pointer, string value)
    {
        var patch = JsonPatch.Parse(TestJson.Parse($$"""[{"op":"test","path":"{{pointer}}","value":{{value}}}]"""), []);
        Assert.IsType<PatchResult.Done>(patch!.Apply(JsonNode.Parse(Rfc6901), _ => false, 1_000));
    }

    [Theory]
    [InlineData("", new string[0])]
    [InlineData("/", new[] { "" })]
    [InlineData("//", new[] { "", "" })]
    [InlineData("/a/0/-", new[] { "a", "0", "-" })]
    [InlineData("/~01/~10", new[] { "~1", "/0" })]
    public void Pointer_is_split_into_steps(string pointer, string[] steps) =>
        Assert.Equal(steps, JsonPointer.Parse(pointer));

    [Theory]
    [InlineData("a")]
    [InlineData("#/a")]
    [InlineData(" /a")]
    [InlineData("/~")]
    [InlineData("/a~2")]
    [InlineData("/~0~")]
    [InlineData("/~/a")]
    public void Invalid_pointer_is_refused(string text) => Assert.Null(JsonPointer.Parse(text));

    [Fact]
    public void Any_steps_survive_a_round_trip_through_their_pointer() =>
        Gen.String[Gen.OneOf('~', '/', '0', '1', 'a', 'é'), 0, 5]
            .Array[0, 5]
            .Sample(steps => JsonPointer.Parse(steps.Aggregate("", JsonPointer.Append))!.SequenceEqual(steps));
}
