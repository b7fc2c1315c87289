using System.Net;
using System.Net.Sockets;
using System.Text.Json;
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

    /// <summary>Applicators of the parts of a value.</summary>
    static readonly string[] Steps =
    [
        """{"properties":{"a":#}}""",
        """{"patternProperties":{"a":#}}""",
        """{"additionalProperties":#}""",
        """{"propertyNames":#}""",
        """{"unevaluatedProperties":#}""",
        """{"items":#}""",
        """{"prefixItems":[#]}""",
        """{"contains":#}""",
        """{"unevaluatedItems":#}""",
    ];

    [Fact]
    public void Circle_without_a_step_into_the_value_is_refused()
    {
        for (var length = 1; length <= 10; length++)
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

    [Fact]
    public void Circle_through_the_value_ends_with_the_value()
    {
        var objects = string.Concat(Enumerable.Repeat("""{"a":""", 60)) + "1" + new string('}', 60);
        var arrays = new string('[', 60) + "1" + new string(']', 60);
        foreach (var step in Steps)
        foreach (var wrapper in Wrappers)
        {
            var back = wrapper.Replace("#/$defs/N", "@", StringComparison.Ordinal);
            var schema = step.Replace("#", back, StringComparison.Ordinal).Replace('@', '#');
            Assert.Equal("", TestSchema.Faults(schema));
            Cost.Of(schema, objects).IsBounded();
            Cost.Of(schema, arrays).IsBounded();
        }
    }

    [Fact]
    public void Nesting_is_bounded_through_every_applicator()
    {
        string[] others =
        [
            """{"allOf":[#]}""",
            """{"anyOf":[#]}""",
            """{"oneOf":[#]}""",
            """{"not":#}""",
            """{"if":#}""",
            """{"then":#}""",
            """{"else":#}""",
            """{"dependentSchemas":{"a":#}}""",
            """{"$defs":{"a":#}}""",
            """{"contentSchema":#}""",
        ];
        foreach (var step in Steps.Concat(others))
        {
            string Within(string inner) => step.Replace("#", inner, StringComparison.Ordinal);
            var deepest = Enumerable.Range(1, 31).Aggregate("true", (inner, _) => Within(inner));
            Assert.Equal("", TestSchema.Faults(deepest));
            Assert.EndsWith(" TOO_LARGE", TestSchema.Faults(Within(deepest)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Nothing_outside_the_schema_is_asked()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string[] places =
        [
            "http://HOST/a",
            "https://HOST/a",
            "ftp://HOST/a",
            "file://HOST/a",
            "file:///etc/hosts",
            "//HOST/a",
            @"\\HOST\a",
            "a",
            "urn:a:b",
            "data:,true",
        ];
        foreach (var place in places)
        foreach (var keyword in new[] { "$ref", "$dynamicRef", "$schema" })
        foreach (var fragment in new[] { "", "#", "#/a", "#a" })
        {
            var uri = place.Replace("HOST", $"{listener.LocalEndpoint}", StringComparison.Ordinal) + fragment;
            var code = keyword is "$schema" ? FaultCode.UnsupportedDialect : FaultCode.RemoteReference;
            Assert.Equal(
                $"/not/{keyword} {code}",
                TestSchema.Faults($$"""{"not":{"{{keyword}}":{{JsonSerializer.Serialize(uri)}}} }""")
            );
        }
        Assert.False(listener.Pending());
    }

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
        const string Schema = """{"items":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]},"type":"array"}""";
        var value = new string('[', 40) + "1" + new string(']', 40);
        var cost = Cost.Of(Schema, value);
        Assert.Equal(" TOO_COSTLY", cost.Faults);
        cost.IsBounded();
        Assert.False(TestSchema.Of(Schema).Accepts(TestJson.Parse(value)));
    }

    [Fact]
    public void Too_costly_is_refused_under_a_negation_too()
    {
        var schema = TestSchema.Of(
            """{"not":{"$ref":"#/$defs/d"},"$defs":{"d":{"items":{"anyOf":[{"$ref":"#/$defs/d"},{"$ref":"#/$defs/d"}]},"type":"array"}}}"""
        );
        Assert.Equal(" TOO_COSTLY", schema.Faults(new string('[', 40) + "1" + new string(']', 40)));
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

    static T OnSmallStack<T>(Func<T> run)
    {
        var result = default(T)!;
        var thread = new Thread(() => result = run(), maxStackSize: 512 * 1024);
        thread.Start();
        thread.Join();
        return result;
    }
}
