using System.Diagnostics;
using System.Text;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Schemas and values that were made to cost: each is refused, or answered at a bounded price.</summary>
public class SchemaAttackTests
{
    static readonly string[] Wrappers =
    [
        """{"$ref":"#/$defs/N"}""",
        """{"$dynamicRef":"#/$defs/N"}""",
        """{"allOf":[{"$ref":"#/$defs/N"}]}""",
        """{"anyOf":[true,{"$ref":"#/$defs/N"}]}""",
        """{"oneOf":[{"$ref":"#/$defs/N"}]}""",
        """{"not":{"$ref":"#/$defs/N"}}""",
        """{"if":{"$ref":"#/$defs/N"}}""",
        """{"if":true,"then":{"$ref":"#/$defs/N"}}""",
        """{"if":true,"else":{"$ref":"#/$defs/N"}}""",
        """{"dependentSchemas":{"a":{"$ref":"#/$defs/N"}}}""",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public void Circle_without_a_step_into_the_value_is_refused(int length)
    {
        foreach (var wrapper in Wrappers)
        {
            var links = Enumerable
                .Range(0, length)
                .Select(i => $"\"d{i}\":{wrapper.Replace("N", $"d{(i + 1) % length}", StringComparison.Ordinal)}");
            var faults = TestSchema.Faults($$"""{"$defs":{ {{string.Join(",", links)}} } }""");
            Assert.Contains("ENDLESS_REFERENCE", faults, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"$dynamicAnchor":"a","$dynamicRef":"#a"}""")]
    [InlineData("""{"$dynamicRef":"#a","$defs":{"x":{"$dynamicAnchor":"a","allOf":[{"$ref":"#"}]}}}""")]
    [InlineData("""{"allOf":[{"$ref":"#/allOf/0"}]}""")]
    public void Schema_that_is_itself_is_refused(string schema) =>
        Assert.Contains("ENDLESS_REFERENCE", TestSchema.Faults(schema), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"properties":{"a":{"$ref":"#"}}}""")]
    [InlineData("""{"items":{"$ref":"#"}}""")]
    [InlineData("""{"additionalProperties":{"allOf":[{"$ref":"#"}]}}""")]
    [InlineData("""{"propertyNames":{"not":{"$ref":"#"}}}""")]
    public void Circle_through_the_value_is_taken(string schema) => Assert.Equal("", TestSchema.Faults(schema));

    [Fact]
    public void Long_chain_of_references_neither_overflows_the_stack_nor_is_taken()
    {
        var links = Enumerable
            .Range(0, 1_900)
            .Select(i =>
                $$"""
                    "d{{i}}":{"$ref":"#/$defs/d{{i + 1}}"}
                    """
            );
        var schema = $$"""{"$ref":"#/$defs/d0","$defs":{ {{string.Join(",", links)}},"d1900":true} }""";
        Assert.Contains("TOO_COSTLY", OnSmallStack(() => TestSchema.Faults(schema)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("anyOf", "[{0},{0}]")]
    [InlineData("allOf", "[{0},{0}]")]
    [InlineData("oneOf", "[{0},{0}]")]
    [InlineData("if", """{0},"then":{0},"else":{0}""")]
    public void Doubling_thirty_times_is_refused(string keyword, string form)
    {
        var levels = Enumerable
            .Range(0, 30)
            .Select(i =>
                $"\"d{i}\":{{\"{keyword}\":{form.Replace("{0}", $"{{\"$ref\":\"#/$defs/d{i + 1}\"}}", StringComparison.Ordinal)}}}"
            );
        var faults = TestSchema.Faults(
            $$"""{"$ref":"#/$defs/d0","$defs":{ {{string.Join(",", levels)}},"d30":false} }"""
        );
        Assert.Contains("TOO_COSTLY", faults, StringComparison.Ordinal);
    }

    [Fact]
    public void Doubling_with_each_level_of_the_value_ends_after_the_steps()
    {
        var schema = TestSchema.Of("""{"items":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]},"type":"array"}""");
        var value = new string('[', 40) + "1" + new string(']', 40);
        Assert.Equal(" TOO_COSTLY", Quickly(() => schema.Faults(value)));
        Assert.False(schema.Accepts(TestJson.Parse(value)));
    }

    [Fact]
    public void Too_costly_is_refused_under_a_negation_too()
    {
        var schema = TestSchema.Of(
            """{"not":{"$ref":"#/$defs/d"},"$defs":{"d":{"items":{"anyOf":[{"$ref":"#/$defs/d"},{"$ref":"#/$defs/d"}]},"type":"array"}}}"""
        );
        Assert.Equal(" TOO_COSTLY", schema.Faults(new string('[', 40) + "1" + new string(']', 40)));
    }

    [Theory]
    [InlineData("^(a+)+$", "a")]
    [InlineData("^(a|a)*$", "a")]
    [InlineData("^(a|aa)+$", "a")]
    [InlineData("^(a*)*b$", "a")]
    [InlineData("(.*)*x$", "ab")]
    [InlineData("^([a-z]+)*[0-9]$", "abc")]
    [InlineData("(x+x+)+y", "x")]
    [InlineData("^(([a-z])+.)+[A-Z]([a-z])+$", "a")]
    [InlineData("^([a-zA-Z0-9])(([\\\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}$", "a")]
    [InlineData("^(\\\\d+(,\\\\d+)*)*;$", "1,1")]
    [InlineData("(a{0,30}){0,30}$", "a")]
    [InlineData("^((a?){50}){50}$", "a")]
    [InlineData("\\\\s+$", " ")]
    [InlineData("(\\\\p{L}*)*\\\\p{N}", "é")]
    [InlineData("a{9990}$", "a")]
    public void Pattern_costs_no_more_than_the_steps_allow(string pattern, string piece)
    {
        var schema = TestSchema.Of($$"""{"pattern":"{{pattern}}"}""");
        var text = new StringBuilder();
        while (text.Length < 65_000)
            text.Append(piece);
        var value = TestJson.Parse($"\"{text}!\"");
        Assert.False(Quickly(() => schema.Accepts(value)));
    }

    [Fact]
    public void Many_items_are_compared_quickly()
    {
        var schema = TestSchema.Of("""{"uniqueItems":true}""");
        var numbers = $"[{string.Join(",", Enumerable.Range(0, 13_000))}]";
        Assert.Equal("", Quickly(() => schema.Faults(numbers)));
        Assert.Equal(" UNIQUE_ITEMS", Quickly(() => schema.Faults(numbers[..^1] + ",1.0]")));
        var nested = $"[{string.Join(",", Enumerable.Range(0, 8_000).Select(i => $"[[{i}]]"))}]";
        Assert.Equal("", Quickly(() => schema.Faults(nested)));
    }

    [Fact]
    public void Deepest_value_is_checked_on_a_small_stack()
    {
        var schema = TestSchema.Of(
            """{"allOf":[{"$ref":"#/$defs/d"}],"$defs":{"d":{"anyOf":[{"items":{"$ref":"#"}}],"unevaluatedItems":false}}}"""
        );
        var value = new string('[', 64) + new string(']', 64);
        Assert.Equal("", OnSmallStack(() => schema.Faults(value)));
    }

    [Fact]
    public void Long_chain_at_each_level_ends_before_the_stack_does()
    {
        var links = Enumerable
            .Range(0, 30)
            .Select(i =>
                $$"""
                    "d{{i}}":{"anyOf":[{"$ref":"#/$defs/d{{i + 1}}"}],"unevaluatedProperties":false}
                    """
            );
        var schema = TestSchema.Of(
            $$"""{"$ref":"#/$defs/d0","$defs":{ {{string.Join(",", links)}},"d30":{"properties":{"a":{"$ref":"#"} } } } }"""
        );
        var value = string.Concat(Enumerable.Repeat("""{"a":""", 63)) + "{}" + new string('}', 63);
        Assert.Equal(" TOO_COSTLY", OnSmallStack(() => schema.Faults(value)));
    }

    [Fact]
    public void Steps_grow_with_the_document_alone()
    {
        var schema = TestSchema.Of(
            """{"items":{"properties":{"a":{"type":"string"},"b":{"enum":[1,2]}},"required":["a"]}}"""
        );
        string Document(int items) => $"[{string.Join(",", Enumerable.Repeat("""{"a":"text","b":1}""", items))}]";
        // Three steps an item: the bound is where it is expected, whatever the machine.
        Assert.Equal("", schema.Faults(Document(25_000)));
        Assert.Equal(" TOO_COSTLY", schema.Faults(Document(40_000)));
    }

    static T Quickly<T>(Func<T> run)
    {
        run();
        var watch = Stopwatch.StartNew();
        var result = run();
        // A hundred milliseconds on a machine of its own; nothing that is exponential ends in this time either.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), watch.Elapsed.ToString());
        return result;
    }

    static T OnSmallStack<T>(Func<T> run)
    {
        var result = default(T)!;
        var thread = new Thread(() => result = run(), maxStackSize: 512 * 1024);
        thread.Start();
        thread.Join();
        return result;
    }
}
