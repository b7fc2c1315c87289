namespace Resources.Domain.Tests;

public class SchemaDefaultsTests
{
    [Theory]
    [InlineData("""{"properties":{"a":{"default":1}}}""", "{}", """{"a":1}""")]
    [InlineData(
        """{"properties":{"a":{"default":1.10},"b":{"default":null}}}""",
        """{"c":2.50}""",
        """{"c":2.50,"a":1.10,"b":null}"""
    )]
    [InlineData("""{"properties":{"a":{"default":1}}}""", """{"a":null}""", null)]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", "{}", null)]
    [InlineData("""{"default":{"a":1}}""", "{}", null)]
    // Only in objects that are there.
    [InlineData("""{"properties":{"o":{"properties":{"a":{"default":1}}}}}""", "{}", null)]
    [InlineData("""{"properties":{"o":{"properties":{"a":{"default":1}}}}}""", """{"o":{}}""", """{"o":{"a":1}}""")]
    [InlineData("""{"properties":{"o":{"default":{},"properties":{"a":{"default":1}}}}}""", "{}", """{"o":{}}""")]
    [InlineData("""{"items":{"properties":{"a":{"default":1}}}}""", """[{},{"a":2},3]""", """[{"a":1},{"a":2},3]""")]
    [InlineData("""{"prefixItems":[{"properties":{"a":{"default":1}}}],"items":true}""", "[{},{}]", """[{"a":1},{}]""")]
    // Through what always holds, and through nothing else.
    [InlineData(
        """{"allOf":[{"$ref":"#/$defs/d"}],"$defs":{"d":{"properties":{"a":{"default":1}}}}}""",
        "{}",
        """{"a":1}"""
    )]
    [InlineData("""{"properties":{"a":{"$ref":"#/$defs/d"}},"$defs":{"d":{"default":1}}}""", "{}", """{"a":1}""")]
    [InlineData(
        """{"properties":{"a":{"default":1}},"allOf":[{"properties":{"a":{"default":2}}}]}""",
        "{}",
        """{"a":1}"""
    )]
    [InlineData("""{"anyOf":[{"properties":{"a":{"default":1}}}]}""", "{}", null)]
    [InlineData("""{"if":true,"then":{"properties":{"a":{"default":1}}}}""", "{}", null)]
    [InlineData(
        """{"properties":{"c":{"$ref":"#"},"a":{"default":1}}}""",
        """{"c":{"c":{}}}""",
        """{"c":{"c":{"a":1},"a":1},"a":1}"""
    )]
    [InlineData("""{"properties":{"é\"":{"default":"é\""}}}""", "{}", """{"é\"":"é\""}""")]
    public void Defaults_are_put_in_where_a_member_is_absent(string schema, string value, string? expected)
    {
        var filled = TestSchema.Of(schema).WithDefaults(TestJson.Parse(value));
        if (expected is null)
            Assert.Null(filled);
        else
            Assert.True(TestJson.Same(TestJson.Parse(expected), filled!.Value), filled.ToString());
    }

    [Fact]
    public void Numbers_keep_their_spelling() =>
        Assert.Equal(
            """{"b":9.50,"a":1.10}""",
            TestSchema
                .Of("""{"properties":{"a":{"default":1.10}}}""")
                .WithDefaults(TestJson.Parse("""{"b":9.50}"""))!
                .Value.GetRawText()
        );

    [Fact]
    public void Value_that_is_too_costly_is_left_to_the_check()
    {
        var schema = TestSchema.Of(
            """{"items":{"allOf":[{"$ref":"#"},{"$ref":"#/$defs/d"}]},"$defs":{"d":{"properties":{"a":{"default":1}}}}}"""
        );
        var value = TestJson.Parse($"[{string.Join(",", Enumerable.Repeat("{}", 60_000))}]");
        Assert.Null(schema.WithDefaults(value));
        Assert.False(schema.Accepts(value));
    }
}
