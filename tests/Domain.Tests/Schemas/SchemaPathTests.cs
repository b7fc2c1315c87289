namespace Resources.Domain.Tests;

public class SchemaPathTests
{
    [Theory]
    [InlineData("""{"properties":{"a":true}}""", "/a", "/b /a/b a")]
    [InlineData("""{"properties":{"a":{"properties":{"b/c":{}}},"d":false}}""", "/a/b~1c /a", "/a/b /d")]
    [InlineData("""{"patternProperties":{"^x":{"properties":{"a":true}}}}""", "/x1/a /x", "/y /x/b")]
    [InlineData("""{"additionalProperties":{"type":"string"}}""", "/a", "/a/b")]
    [InlineData("""{"additionalProperties":true}""", "", "/a")]
    [InlineData("""{"additionalProperties":false}""", "", "/a")]
    [InlineData("""{"items":{"properties":{"a":true}}}""", "/*/a /0/a /7", "/a /*/b /01 /-")]
    [InlineData("""{"prefixItems":[{"properties":{"a":true}},true]}""", "/0/a /1 /* /*/a", "/2 /1/a")]
    [InlineData("""{"$ref":"#/$defs/d","$defs":{"d":{"properties":{"a":{"$ref":"#"}}}}}""", "/a/a/a", "/b")]
    [InlineData(
        """{"anyOf":[{"properties":{"a":true}},{"oneOf":[{"properties":{"b":true}}]}],"then":{"properties":{"c":true}}}""",
        "/a /b /c",
        "/d"
    )]
    [InlineData("""{"not":{"properties":{"a":true}},"if":{"properties":{"b":true}}}""", "", "/a /b")]
    public void Schema_describes_members(string schema, string described, string others)
    {
        var compiled = TestSchema.Of(schema);
        Assert.All(described.Split(' '), pointer => Assert.True(compiled.Describes(pointer), pointer));
        Assert.All(others.Split(' '), pointer => Assert.False(compiled.Describes(pointer), pointer));
    }
}
