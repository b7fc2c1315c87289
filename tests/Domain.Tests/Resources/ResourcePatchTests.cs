using Resources.Grains;
using static Resources.Domain.Tests.Story;

namespace Resources.Domain.Tests;

/// <summary>Merge patches and JSON patches of one resource.</summary>
[Trait("Conformance", "D13")]
public class ResourcePatchTests
{
    [Theory]
    [InlineData("{}", "")]
    [InlineData("""{"name":"Faust","status":"active","metadata":{}}""", "")]
    [InlineData("""{"name":"Urfaust"}""", """renamed{"name":"Urfaust","changed":["/name"]}""")]
    [InlineData("""{"status":"draft"}""", """status_changed{"status":"draft","changed":["/status"]}""")]
    [InlineData("""{"metadata":{"price":9.5,"author":{"first":"Johann"}}}""", "")]
    [InlineData(
        """{"metadata":{"price":null,"tags":null,"author":{"first":null}}}""",
        """metadata_changed{"metadata":{"author":{"last":"Goethe"}},"changed":["/metadata/tags","/metadata/price","/metadata/author/first"]}"""
    )]
    [InlineData(
        """{"metadata":{"tags":null,"author":null,"price":9.50,"isbn":12345678901234567890.12345678}}""",
        """metadata_changed{"metadata":{"isbn":12345678901234567890.12345678,"price":9.50},"changed":["/metadata/tags","/metadata/author","/metadata/isbn"]}"""
    )]
    [InlineData(
        """{"metadata":null}""",
        """metadata_changed{"metadata":{},"changed":["/metadata/tags","/metadata/price","/metadata/author"]}"""
    )]
    // One event a command: the members that changed, and no others.
    [InlineData(
        """{"metadata":null,"status":"draft","name":"Urfaust"}""",
        """changed{"name":"Urfaust","status":"draft","metadata":{},"changed":["/name","/status","/metadata/tags","/metadata/price","/metadata/author"]}"""
    )]
    [InlineData(
        """{"metadata":{"price":1},"status":"active","name":"Urfaust"}""",
        """changed{"name":"Urfaust","metadata":{"tags":["a","b"],"price":1,"author":{"last":"Goethe","first":"Johann"}},"changed":["/name","/metadata/price"]}"""
    )]
    // All faults at once, with pointers into the patch.
    [InlineData(
        """{"name":"","status":"No Slug","metadata":[],"id":1}""",
        "Invalid /name TOO_SHORT; /status INVALID_SLUG; /metadata WRONG_TYPE; /id UNKNOWN_MEMBER"
    )]
    [InlineData("""{"name":null,"status":null}""", "Invalid /name NULL_NOT_ALLOWED; /status NULL_NOT_ALLOWED")]
    [InlineData(
        """{"owner":"bob","type":"film","version":9}""",
        "Invalid /owner UNKNOWN_MEMBER; /type UNKNOWN_MEMBER; /version UNKNOWN_MEMBER"
    )]
    [InlineData(
        """{"name":"a","name":"b","metadata":{"n":1e999}}""",
        "Invalid /name DUPLICATE_MEMBER; /metadata/n NUMBER_OUT_OF_RANGE"
    )]
    [InlineData("[]", "Invalid  WRONG_TYPE")]
    [InlineData("", "Invalid  INVALID_JSON")]
    public void Merge_patch_changes_only_the_named_members(string patch, string then) =>
        Assert.Equal(then, Told(When([Created], MergePatch(patch))));

    [Theory]
    [InlineData("[]", "")]
    [InlineData(
        """[{"op":"replace","path":"/name","value":"Urfaust"},{"op":"replace","path":"/status","value":"draft"}]""",
        """changed{"name":"Urfaust","status":"draft","changed":["/name","/status"]}"""
    )]
    [InlineData(
        """[{"op":"replace","path":"/name","value":"X"},{"op":"replace","path":"/name","value":"Faust"}]""",
        ""
    )]
    [InlineData(
        """[{"op":"replace","path":"/metadata","value":{"a":1}}]""",
        """metadata_changed{"metadata":{"a":1},"changed":["/metadata/tags","/metadata/price","/metadata/author","/metadata/a"]}"""
    )]
    [InlineData(
        """[{"op":"remove","path":"/metadata"}]""",
        """metadata_changed{"metadata":{},"changed":["/metadata/tags","/metadata/price","/metadata/author"]}"""
    )]
    [InlineData(
        """[{"op":"replace","path":"/metadata","value":{}},{"op":"add","path":"/metadata/by","value":null},{"op":"copy","from":"/owner","path":"/metadata/by"}]""",
        """metadata_changed{"metadata":{"by":"alice"},"changed":["/metadata/tags","/metadata/price","/metadata/author","/metadata/by"]}"""
    )]
    // Tests may look at what cannot be written.
    [InlineData(
        """[{"op":"test","path":"/version","value":1},{"op":"test","path":"/type","value":"book"},{"op":"test","path":"/metadata/price","value":9.5}]""",
        ""
    )]
    [InlineData(
        """[{"op":"test","path":"/version","value":2},{"op":"replace","path":"/name","value":"Urfaust"}]""",
        "PatchTestFailed"
    )]
    // Nothing is applied when one operation cannot be.
    [InlineData(
        """[{"op":"replace","path":"/name","value":"Urfaust"},{"op":"remove","path":"/metadata/none"}]""",
        "PatchNotApplicable /1 PATH_NOT_FOUND"
    )]
    [InlineData(
        """[{"op":"move","from":"/metadata/author","path":"/metadata/author/last"}]""",
        "PatchNotApplicable /0 MOVE_INTO_ITSELF"
    )]
    [InlineData("""[{"op":"test","path":"","value":{}}]""", "PatchTestFailed")]
    [InlineData("""[{"op":"replace","path":"","value":{}}]""", "Invalid /0 READ_ONLY")]
    [InlineData("""[{"op":"add","path":"/metadataX","value":1}]""", "Invalid /0 READ_ONLY")]
    [InlineData(
        """[{"op":"test","path":"/name","value":"Faust"},{"op":"move","from":"/owner","path":"/metadata/by"}]""",
        "Invalid /1 READ_ONLY"
    )]
    // The result is held to the rules of a body.
    [InlineData("""[{"op":"remove","path":"/name"}]""", "Invalid /name REQUIRED")]
    [InlineData(
        """[{"op":"replace","path":"/name","value":5},{"op":"replace","path":"/status","value":"No Slug"},{"op":"replace","path":"/metadata","value":null}]""",
        "Invalid /name WRONG_TYPE; /status INVALID_SLUG; /metadata NULL_NOT_ALLOWED"
    )]
    [InlineData(
        """[{"op":"jump","path":"name"},{"path":"/name"}]""",
        "Invalid /0/op UNKNOWN_OPERATION; /0/path INVALID_POINTER; /1/op REQUIRED"
    )]
    [InlineData("{}", "Invalid  WRONG_TYPE")]
    public void JSON_patch_applies_as_a_whole(string patch, string then) =>
        Assert.Equal(then, Told(When([Created], JsonPatch(patch))));

    [Fact]
    public void Patch_has_the_depth_limit_of_a_body()
    {
        // The root of the resource is level 1 and its metadata level 2, so that 62 levels are left.
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 62)) + "1" + new string('}', 62);
        var add = $$"""{"op":"add","path":"/metadata/d","value":{{deep}} }""";
        Assert.StartsWith("metadata_changed", Told(When([Created], JsonPatch($"[{add}]"))), StringComparison.Ordinal);
        Assert.Equal(
            "PatchNotApplicable /1 TOO_DEEP",
            Told(
                When([Created], JsonPatch($$"""[{{add}},{"op":"copy","from":"/metadata/d","path":"/metadata/d/b"}]"""))
            )
        );
    }

    [Fact]
    public void Metadata_never_exceeds_the_size_limit_of_a_body()
    {
        var large = Text($$"""{"a":"{{new string('x', 700_000)}}"}""");
        ResourceEvent[] given = [new ResourceCreated("book", "Faust", "active", large, Alice)];
        var more = "{\"metadata\":{\"b\":\"" + new string('x', 700_000) + "\"}}";
        Assert.Equal("Invalid /metadata TOO_LARGE", Told(When(given, MergePatch(more))));
        Assert.Equal(
            "Invalid /metadata TOO_LARGE",
            Told(When(given, JsonPatch("""[{"op":"copy","from":"/metadata/a","path":"/metadata/b"}]""")))
        );
    }
}
