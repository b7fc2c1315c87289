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
    // One that is not valid itself says nothing.
    [InlineData("""{"properties":{"a":{"type":"integer","default":[]}}}""", "{}", null)]
    [InlineData("""{"properties":{"a":{"maximum":3,"default":5},"b":{"default":1}}}""", "{}", """{"b":1}""")]
    [InlineData("""{"properties":{"a":{"$ref":"#/$defs/d","maximum":3}},"$defs":{"d":{"default":5}}}""", "{}", null)]
    public void Defaults_are_put_in_where_a_member_is_absent(string schema, string value, string? expected)
    {
        Assert.True(TestSchema.Of(schema).TryPutDefaults(TestJson.Parse(value), out var filled));
        if (expected is null)
            Assert.Null(filled);
        else
            Assert.True(TestJson.Same(TestJson.Parse(expected), filled!.Value), filled.ToString());
    }

    [Fact]
    public void Numbers_keep_their_spelling()
    {
        var schema = TestSchema.Of("""{"properties":{"a":{"default":1.10}}}""");
        Assert.True(schema.TryPutDefaults(TestJson.Parse("""{"b":9.50}"""), out var filled));
        Assert.Equal("""{"b":9.50,"a":1.10}""", filled!.Value.GetRawText());
    }

    [Fact]
    public void Defaults_that_are_too_costly_to_check_are_refused()
    {
        var deep = new string('[', 40) + "1" + new string(']', 40);
        var faults = TestSchema.Faults(
            $$"""{"properties":{"a":{"$ref":"#/$defs/d","default":{{deep}}} },"$defs":{"d":{"items":{"anyOf":[{"$ref":"#/$defs/d"},{"$ref":"#/$defs/d"}]},"type":"array"} } }"""
        );
        Assert.Equal(" TOO_COSTLY", faults);
    }

    [Fact]
    public void Value_that_is_too_costly_is_left_to_the_check()
    {
        var schema = TestSchema.Of(
            """{"items":{"allOf":[{"$ref":"#"},{"$ref":"#/$defs/d"}]},"$defs":{"d":{"properties":{"a":{"default":1}}}}}"""
        );
        var value = TestJson.Parse($"[{string.Join(",", Enumerable.Repeat("{}", 60_000))}]");
        Assert.True(schema.TryPutDefaults(value, out var filled));
        Assert.Null(filled);
        Assert.False(schema.Accepts(value));
    }

    /// <summary>A value of 150 KB has room for 49,000 defaults of 120 KB.</summary>
    [Theory, InlineData(120_000, 49_000, false), InlineData(40, 49_000, false), InlineData(20, 30_000, true)]
    public void Defaults_that_make_a_value_too_large_are_not_put_in(int size, int count, bool fits)
    {
        var content = new string('x', size);
        var schema = TestSchema.Of(
            $$$$$$$"""{"properties":{"a":{"items":{"properties":{"d":{"default":"{{{{{{{content}}}}}}}"}}}}}}"""
        );
        var value = TestJson.Parse($$"""{"a":[{{string.Join(",", Enumerable.Repeat("{}", count))}}]}""");
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(fits, schema.TryPutDefaults(value, out var filled));
        Assert.Equal(fits, filled is not null);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100 << 20);
    }

    [Theory, InlineData(32, 31, true), InlineData(32, 32, false), InlineData(62, 60, false)]
    public void Default_that_is_nested_too_deeply_where_it_goes_is_not_put_in(int place, int depth, bool fits)
    {
        var content = new string('[', depth) + new string(']', depth);
        var schema = TestSchema.Of($$$$"""{"properties":{"c":{"$ref":"#"},"d":{"default":{{{{content}}}}}}}""");
        var nested = string.Concat(Enumerable.Repeat("""{"c":""", place - 1)) + "{}" + new string('}', place - 1);
        Assert.Equal(fits, schema.TryPutDefaults(TestJson.Parse(nested), out var filled));
        Assert.Equal(fits, filled is not null);
    }
}
