using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

[Trait("Conformance", "D13")]
public class MergePatchTests
{
    [Theory]
    // RFC 7396, appendix A.
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"a":null}""", "{}")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"c"}""", """{"a":["b"]}""", """{"a":["b"]}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""["a","b"]""", """["c","d"]""", """["c","d"]""")]
    [InlineData("""{"a":"b"}""", """["c"]""", """["c"]""")]
    [InlineData("""{"a":"foo"}""", "null", "null")]
    [InlineData("""{"a":"foo"}""", "\"bar\"", "\"bar\"")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("[1,2]", """{"a":"b","c":null}""", """{"a":"b"}""")]
    [InlineData("{}", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    // Section 3.
    [InlineData(
        """{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"}""",
        """{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}""",
        """{"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"}"""
    )]
    // Null inside a list is a value; numbers keep their text; names differ by case.
    [InlineData("{}", """{"a":[null,{"b":null}]}""", """{"a":[null,{"b":null}]}""")]
    [InlineData(
        """{"a":1.10,"b":9007199254740993}""",
        """{"c":12345678901234567890.12345678}""",
        """{"a":1.10,"b":9007199254740993,"c":12345678901234567890.12345678}"""
    )]
    [InlineData("""{"a":1}""", """{"A":null}""", """{"a":1}""")]
    [InlineData("""{"a":null}""", """{"a":{"b":null}}""", """{"a":{}}""")]
    public void Merge_patch_is_applied(string target, string patch, string expected) =>
        Assert.Equal(
            expected,
            JsonNodes.ToElement(MergePatch.Apply(TestJson.Parse(target), TestJson.Parse(patch))).GetRawText()
        );

    [Fact]
    public void Difference_of_two_objects_turns_one_into_the_other() =>
        Gen.Select(TestJson.Object, TestJson.Object)
            .Sample(
                (from, to) =>
                {
                    var a = TestJson.Parse(from);
                    var b = WithoutNulls(TestJson.Parse(to));
                    var patched = JsonNodes.ToElement(MergePatch.Apply(a, Difference(a, b)));
                    return TestJson.Same(WithoutNulls(patched), b);
                }
            );

    [Fact]
    public void Merge_patch_is_idempotent() =>
        Gen.Select(TestJson.Value, TestJson.Value)
            .Sample(
                (target, patch) =>
                {
                    var once = JsonNodes.ToElement(MergePatch.Apply(TestJson.Parse(target), TestJson.Parse(patch)));
                    return TestJson.Same(once, JsonNodes.ToElement(MergePatch.Apply(once, TestJson.Parse(patch))));
                }
            );

    [Fact]
    public void Removing_every_member_takes_linear_time()
    {
        var target = TestJson.Parse($"{{{string.Join(",", Enumerable.Range(0, 50_000).Select(i => $"\"m{i}\":1"))}}}");
        var patch = TestJson.Parse(
            $"{{{string.Join(",", Enumerable.Range(0, 50_000).Select(i => $"\"m{i}\":null"))}}}"
        );
        var watch = Stopwatch.StartNew();
        Assert.Equal("{}", JsonNodes.ToElement(MergePatch.Apply(target, patch)).GetRawText());
        Assert.InRange(watch.ElapsedMilliseconds, 0, 2_000);
    }

    /// <summary>The patch that removes missing members and sets new or different ones.</summary>
    static JsonElement Difference(JsonElement from, JsonElement to)
    {
        var patch = new JsonObject();
        foreach (var member in from.EnumerateObject())
            if (!to.TryGetProperty(member.Name, out _))
                patch[member.Name] = null;
        foreach (var member in to.EnumerateObject())
        {
            if (!from.TryGetProperty(member.Name, out var old))
                patch[member.Name] = JsonNodes.From(member.Value);
            else if (old.ValueKind == JsonValueKind.Object && member.Value.ValueKind == JsonValueKind.Object)
                patch[member.Name] = JsonNodes.From(Difference(old, member.Value));
            else if (!TestJson.Same(old, member.Value))
                patch[member.Name] = JsonNodes.From(member.Value);
        }
        return JsonNodes.ToElement(patch);
    }

    /// <summary>A merge patch cannot make a member null; lists are taken whole, with their nulls.</summary>
    static JsonElement WithoutNulls(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
            return value;
        var result = new JsonObject();
        foreach (var member in value.EnumerateObject().Where(member => member.Value.ValueKind != JsonValueKind.Null))
            result[member.Name] = JsonNodes.From(WithoutNulls(member.Value));
        return JsonNodes.ToElement(result);
    }
}
