using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

[Trait("Conformance", "D13")]
public class JsonPatchTests
{
    [Theory]
    // RFC 6902, appendix A.1 to A.7, A.10, A.11, A.14 and A.16.
    [InlineData("""{"foo":"bar"}""", """[{"op":"add","path":"/baz","value":"qux"}]""", """{"foo":"bar","baz":"qux"}""")]
    [InlineData(
        """{"foo":["bar","baz"]}""",
        """[{"op":"add","path":"/foo/1","value":"qux"}]""",
        """{"foo":["bar","qux","baz"]}"""
    )]
    [InlineData("""{"baz":"qux","foo":"bar"}""", """[{"op":"remove","path":"/baz"}]""", """{"foo":"bar"}""")]
    [InlineData(
        """{"foo":["bar","qux","baz"]}""",
        """[{"op":"remove","path":"/foo/1"}]""",
        """{"foo":["bar","baz"]}"""
    )]
    [InlineData(
        """{"baz":"qux","foo":"bar"}""",
        """[{"op":"replace","path":"/baz","value":"boo"}]""",
        """{"baz":"boo","foo":"bar"}"""
    )]
    [InlineData(
        """{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}""",
        """[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]""",
        """{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"""
    )]
    [InlineData(
        """{"foo":["all","grass","cows","eat"]}""",
        """[{"op":"move","from":"/foo/1","path":"/foo/3"}]""",
        """{"foo":["all","cows","eat","grass"]}"""
    )]
    [InlineData(
        """{"foo":"bar"}""",
        """[{"op":"add","path":"/child","value":{"grandchild":{}}}]""",
        """{"foo":"bar","child":{"grandchild":{}}}"""
    )]
    [InlineData(
        """{"foo":"bar"}""",
        """[{"op":"add","path":"/baz","value":"qux","xyz":123}]""",
        """{"foo":"bar","baz":"qux"}"""
    )]
    [InlineData("""{"/":9,"~1":10}""", """[{"op":"test","path":"/~01","value":10}]""", """{"/":9,"~1":10}""")]
    [InlineData(
        """{"foo":["bar"]}""",
        """[{"op":"add","path":"/foo/-","value":["abc","def"]}]""",
        """{"foo":["bar",["abc","def"]]}"""
    )]
    // A.8, A success.
    [InlineData(
        """{"baz":"qux","foo":["a",2,"c"]}""",
        """[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]""",
        """{"baz":"qux","foo":["a",2,"c"]}"""
    )]
    // The root, null, lists' ends, and copies that are independent of their source.
    [InlineData("{}", "[]", "{}")]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"","value":[1]}]""", "[1]")]
    [InlineData("""{"a":1}""", """[{"op":"replace","path":"","value":null}]""", "null")]
    [InlineData("""{"a":{"b":1}}""", """[{"op":"move","from":"/a","path":""}]""", """{"b":1}""")]
    [InlineData(
        """{"a":{"b":1}}""",
        """[{"op":"copy","from":"","path":"/a/c"}]""",
        """{"a":{"b":1,"c":{"a":{"b":1}}}}"""
    )]
    [InlineData(
        """{"a":1}""",
        """[{"op":"add","path":"/a","value":null},{"op":"test","path":"/a","value":null},{"op":"copy","from":"/a","path":"/b"}]""",
        """{"a":null,"b":null}"""
    )]
    [InlineData("[1]", """[{"op":"add","path":"/1","value":2},{"op":"add","path":"/0","value":0}]""", "[0,1,2]")]
    [InlineData(
        """{"a":{}}""",
        """[{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/a/x","value":1}]""",
        """{"a":{"x":1},"b":{}}"""
    )]
    [InlineData("""{"a":1}""", """[{"op":"move","from":"/a","path":"/a"}]""", """{"a":1}""")]
    [InlineData("""{"a":1,"ab":2}""", """[{"op":"move","from":"/a","path":"/ab"}]""", """{"ab":1}""")]
    [InlineData("""{"":1}""", """[{"op":"replace","path":"/","value":2}]""", """{"":2}""")]
    [InlineData("""{"01":1}""", """[{"op":"replace","path":"/01","value":2}]""", """{"01":2}""")]
    // Numbers keep their text.
    [InlineData(
        """{"a":1.10,"b":9007199254740993}""",
        """[{"op":"copy","from":"/a","path":"/c"},{"op":"add","path":"/d","value":12345678901234567890.12345678}]""",
        """{"a":1.10,"b":9007199254740993,"c":1.10,"d":12345678901234567890.12345678}"""
    )]
    public void Patch_is_applied(string document, string patch, string expected) =>
        Assert.Equal(expected, Outcome(document, patch));

    [Theory]
    // Appendix A.9, A.12, A.15.
    [InlineData("""{"baz":"qux"}""", """[{"op":"test","path":"/baz","value":"bar"}]""", "0 /baz test failed")]
    [InlineData("""{"foo":"bar"}""", """[{"op":"add","path":"/baz/bat","value":"qux"}]""", "0 /baz/bat PATH_NOT_FOUND")]
    [InlineData("""{"/":9,"~1":10}""", """[{"op":"test","path":"/~01","value":"10"}]""", "0 /~01 test failed")]
    [InlineData("""{"a":1}""", """[{"op":"test","path":"/b","value":null}]""", "0 /b test failed")]
    [InlineData("""{"a":[1]}""", """[{"op":"test","path":"/a/00","value":1}]""", "0 /a/00 test failed")]
    [InlineData(
        """{"a":1}""",
        """[{"op":"replace","path":"/a","value":2},{"op":"test","path":"/a","value":1}]""",
        "1 /a test failed"
    )]
    [InlineData("[1]", """[{"op":"add","path":"/2","value":1}]""", "0 /2 PATH_NOT_FOUND")]
    [InlineData("[1]", """[{"op":"add","path":"/01","value":1}]""", "0 /01 PATH_NOT_FOUND")]
    [InlineData("[1]", """[{"op":"add","path":"/-1","value":1}]""", "0 /-1 PATH_NOT_FOUND")]
    [InlineData("[1]", """[{"op":"add","path":"/1e0","value":1}]""", "0 /1e0 PATH_NOT_FOUND")]
    [InlineData("[1]", """[{"op":"add","path":"/4294967296","value":1}]""", "0 /4294967296 PATH_NOT_FOUND")]
    [InlineData("[1]", """[{"op":"add","path":"/","value":1}]""", "0 / PATH_NOT_FOUND")]
    [InlineData("[1]", """[{"op":"remove","path":"/-"}]""", "0 /- PATH_NOT_FOUND")]
    [InlineData("[1]", """[{"op":"replace","path":"/1","value":1}]""", "0 /1 PATH_NOT_FOUND")]
    [InlineData("[1]", """[{"op":"replace","path":"/-","value":1}]""", "0 /- PATH_NOT_FOUND")]
    [InlineData("[1]", """[{"op":"copy","from":"/-","path":"/0"}]""", "0 /- PATH_NOT_FOUND")]
    [InlineData("[1,2]", """[{"op":"move","from":"/0","path":"/2"}]""", "0 /2 PATH_NOT_FOUND")]
    [InlineData("{}", """[{"op":"remove","path":"/a"}]""", "0 /a PATH_NOT_FOUND")]
    [InlineData("{}", """[{"op":"replace","path":"/a","value":1}]""", "0 /a PATH_NOT_FOUND")]
    [InlineData("{}", """[{"op":"move","from":"/a","path":"/a"}]""", "0 /a PATH_NOT_FOUND")]
    [InlineData("""{"a":"x"}""", """[{"op":"add","path":"/a/0","value":1}]""", "0 /a/0 PATH_NOT_FOUND")]
    [InlineData("""{"a":null}""", """[{"op":"add","path":"/a/b","value":1}]""", "0 /a/b PATH_NOT_FOUND")]
    [InlineData("{}", """[{"op":"remove","path":""}]""", "0  ROOT_REMOVED")]
    [InlineData("""{"a":{"b":{}}}""", """[{"op":"move","from":"/a","path":"/a/b/c"}]""", "0 /a/b/c MOVE_INTO_ITSELF")]
    [InlineData("""{"a":{}}""", """[{"op":"move","from":"","path":"/a"}]""", "0 /a MOVE_INTO_ITSELF")]
    public void Inapplicable_patch_is_reported_with_its_operation(string document, string patch, string expected) =>
        Assert.Equal(expected, Outcome(document, patch));

    [Theory]
    [InlineData("1", "1.0", true)]
    [InlineData("100", "1e2", true)]
    [InlineData("0", "-0", true)]
    [InlineData("1e300", "10e299", true)]
    [InlineData("9007199254740993", "9007199254740992", false)]
    [InlineData("\"\\u00e9\"", "\"é\"", true)]
    [InlineData("""{"a":1,"b":[2]}""", """{"b":[2.0],"a":1}""", true)]
    [InlineData("[1,2]", "[2,1]", false)]
    [InlineData("null", "false", false)]
    [InlineData("{}", "[]", false)]
    public void Test_operation_compares_values(string actual, string tested, bool equal) =>
        Assert.Equal(
            !equal,
            Outcome($"{{\"a\":{actual}}}", $$"""[{"op":"test","path":"/a","value":{{tested}}}]""")
                .EndsWith("test failed", StringComparison.Ordinal)
        );

    [Theory]
    [InlineData("{}", " WRONG_TYPE")]
    [InlineData("[1,null]", "/0 WRONG_TYPE; /1 WRONG_TYPE")]
    [InlineData("[{}]", "/0/op REQUIRED; /0/path REQUIRED")]
    [InlineData("""[{"op":1,"path":null}]""", "/0/op WRONG_TYPE; /0/path WRONG_TYPE")]
    [InlineData(
        """[{"op":"spam","path":"/a"},{"op":"Add","path":"/a","value":1}]""",
        "/0/op UNKNOWN_OPERATION; /1/op UNKNOWN_OPERATION"
    )]
    [InlineData(
        """[{"op":"add","path":"/a"},{"op":"replace","path":"/a"},{"op":"test","path":"/a"}]""",
        "/0/value REQUIRED; /1/value REQUIRED; /2/value REQUIRED"
    )]
    [InlineData(
        """[{"op":"move","path":"/a"},{"op":"copy","path":"a"}]""",
        "/0/from REQUIRED; /1/path INVALID_POINTER; /1/from REQUIRED"
    )]
    [InlineData("""[{"op":"copy","path":"/~","from":"/~2"}]""", "/0/path INVALID_POINTER; /0/from INVALID_POINTER")]
    [InlineData("""[{"op":"add","path":"/a","value":null},{"op":"remove","path":"/a","from":7}]""", "")]
    public void Every_structural_error_is_reported_with_its_pointer(string patch, string expected)
    {
        var faults = new List<Fault>();
        Assert.Equal(expected.Length == 0, JsonPatch.Parse(TestJson.Parse(patch), faults) is not null);
        Assert.Equal(expected, TestJson.Summary(faults));
    }

    [Fact]
    [Trait("Conformance", "D3")]
    public void Duplicate_members_of_an_operation_are_refused_by_strict_JSON()
    {
        // RFC 6902, appendix A.13.
        var faults = new List<Fault>();
        Assert.Null(
            StrictJson.Read(TestJson.Bytes("""[{"op":"add","path":"/baz","value":"qux","op":"remove"}]"""), faults)
        );
        Assert.Equal("/0/op DUPLICATE_MEMBER", TestJson.Summary(faults));
    }

    [Theory]
    [InlineData(100, "")]
    [InlineData(101, " TOO_MANY_OPERATIONS")]
    public void Patch_has_at_most_a_hundred_operations(int count, string expected)
    {
        var faults = new List<Fault>();
        JsonPatch.Parse(
            TestJson.Parse($"[{string.Join(",", Enumerable.Repeat("""{"op":"remove","path":"/a"}""", count))}]"),
            faults
        );
        Assert.Equal(expected, TestJson.Summary(faults));
    }

    [Theory]
    [InlineData("""[{"op":"test","path":"/id","value":1}]""", """{"id":1,"m":{}}""")]
    [InlineData("""[{"op":"copy","from":"/id","path":"/m/id"}]""", """{"id":1,"m":{"id":1}}""")]
    [InlineData("""[{"op":"move","from":"/id","path":"/m/id"}]""", "0 /id forbidden")]
    [InlineData("""[{"op":"copy","from":"/m","path":"/id"}]""", "0 /id forbidden")]
    [InlineData("""[{"op":"remove","path":"/id"}]""", "0 /id forbidden")]
    [InlineData("""[{"op":"replace","path":"","value":{}}]""", "0  forbidden")]
    [InlineData(
        """[{"op":"test","path":"/id","value":2},{"op":"remove","path":"/nowhere"},{"op":"add","path":"/id","value":2}]""",
        "1 /nowhere forbidden"
    )]
    public void Only_allowed_members_are_written(string patch, string expected) =>
        Assert.Equal(
            expected,
            Outcome("""{"id":1,"m":{}}""", patch, pointer => pointer.StartsWith("/m/", StringComparison.Ordinal))
        );

    [Fact]
    public void Copy_bomb_is_stopped_by_its_size()
    {
        var document = $"{{\"a\":[\"{new string('x', 1_000)}\"]}}";
        var patch = $"[{string.Join(",", Enumerable.Repeat("""{"op":"copy","from":"/a","path":"/a/-"}""", 40))}]";
        // 1,000 bytes double with each copy: the twelfth passes four megabytes, the slack of work in progress.
        Assert.Equal("11 /a/- TOO_LARGE", Outcome(document, patch, maxBytes: 1_000_000));
    }

    [Fact]
    public void Oversized_result_is_refused_after_the_last_operation() =>
        Assert.Equal(
            "1 /c TOO_LARGE",
            Outcome(
                """{"a":"0123456789"}""",
                """[{"op":"copy","from":"/a","path":"/b"},{"op":"copy","from":"/a","path":"/c"}]""",
                maxBytes: 50
            )
        );

    [Fact]
    public void Replaced_values_do_not_count_towards_the_size()
    {
        var operation = $$"""{"op":"replace","path":"/a","value":"{{new string('y', 900)}}"}""";
        Assert.Equal(
            908,
            Outcome("""{"a":1}""", $"[{string.Join(",", Enumerable.Repeat(operation, 3))}]", maxBytes: 908).Length
        );
        Assert.Equal("0 /a TOO_LARGE", Outcome("""{"a":1}""", $"[{operation}]", maxBytes: 907));
    }

    [Theory]
    [InlineData(62, "\"x\"")]
    [InlineData(62, "[]")]
    [InlineData(62, "[[]]", "TOO_DEEP")]
    [InlineData(61, "[{}]")]
    public void Result_is_at_most_64_levels_deep(int steps, string value, string? code = null)
    {
        // The root and the lists below it are steps + 1 levels; the value comes into the innermost.
        var document =
            string.Concat(Enumerable.Repeat("[", steps + 1)) + string.Concat(Enumerable.Repeat("]", steps + 1));
        var path = string.Concat(Enumerable.Repeat("/0", steps)) + "/0";
        var outcome = Outcome(document, $$"""[{"op":"add","path":"{{path}}","value":{{value}}}]""");
        Assert.Equal(code is not null, outcome.Contains("TOO_DEEP", StringComparison.Ordinal));
    }

    [Fact]
    public void Copy_into_itself_is_bounded_by_depth()
    {
        // The document starts with two levels and gets two more from each copy.
        var copies = Enumerable.Repeat("""{"op":"copy","from":"","path":"/a/a"}""", 40);
        Assert.Equal("31 /a/a TOO_DEEP", Outcome("""{"a":{}}""", $"[{string.Join(",", copies)}]"));
    }

    [Fact]
    public void Patch_never_changes_its_input() =>
        Gen.Select(TestJson.Object, Operation.Array[0, 6])
            .Sample(
                (json, operations) =>
                {
                    var document = JsonNode.Parse(json);
                    var patch = JsonPatch.Parse(TestJson.Parse($"[{string.Join(",", operations)}]"), [])!;
                    var first = patch.Apply(document, _ => true, 10_000);
                    var second = patch.Apply(document, _ => true, 10_000);
                    return TestJson.Same(TestJson.Parse(json), JsonNodes.ToElement(document))
                        && Describe(first) == Describe(second);
                }
            );

    [Fact]
    public void Added_values_are_found_and_removed_values_are_gone() =>
        Gen.Select(TestJson.Object, TestJson.Value)
            .Sample(
                (json, value) =>
                {
                    var without = JsonNode.Parse(json)!.AsObject();
                    without.Remove("new");
                    var added = Outcome(
                        without.ToJsonString(),
                        $$"""[{"op":"add","path":"/new","value":{{value}}},{"op":"test","path":"/new","value":{{value}}},{"op":"remove","path":"/new"}]"""
                    );
                    return TestJson.Same(TestJson.Parse(added), JsonNodes.ToElement(without));
                }
            );

    static readonly Gen<string> Operation = Gen.Select(
        Gen.OneOf("add", "remove", "replace", "move", "copy", "test"),
        Path,
        Path,
        TestJson.Value,
        (op, path, from, value) => $$"""{"op":"{{op}}","path":"{{path}}","from":"{{from}}","value":{{value}}}"""
    );

    static Gen<string> Path => Gen.OneOf("", "/a", "/b", "/a/b", "/a/0", "/c/-", "/~0", "/~1/a", "/");

    static string Outcome(string document, string patch, Func<string, bool>? mayWrite = null, int maxBytes = 1 << 20)
    {
        var parsed = JsonPatch.Parse(TestJson.Parse(patch), [])!;
        return Describe(parsed.Apply(JsonNodes.From(TestJson.Parse(document)), mayWrite ?? (_ => true), maxBytes));
    }

    static string Describe(PatchResult result) =>
        result switch
        {
            PatchResult.Done done => JsonNodes.ToElement(done.Document).GetRawText(),
            PatchResult.TestFailed failed => $"{failed.Index} {failed.Pointer} test failed",
            PatchResult.Forbidden forbidden => $"{forbidden.Index} {forbidden.Pointer} forbidden",
            PatchResult.CannotApply cannot => $"{cannot.Index} {cannot.Pointer} {cannot.Code}",
            _ => throw new InvalidOperationException(),
        };
}
