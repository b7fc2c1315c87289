namespace Resources.Domain.Tests;

/// <summary>References, identifiers and anchors of JSON Schema 2020-12, from the specification.</summary>
public class SchemaReferenceTests
{
    [Theory]
    [InlineData("""{"$ref":"#/$defs/a~1b%25/items","$defs":{"a/b%":{"items":{"type":"string"}}}}""", "\"a\"", "1")]
    [InlineData("""{"$defs":{"a":{"$anchor":"x","type":"string"}},"$ref":"#x","maxLength":1}""", "\"a\"", "1 \"ab\"")]
    [InlineData(
        """{"properties":{"c":{"$ref":"#"}},"additionalProperties":false}""",
        "{\"c\":{\"c\":{}}}",
        "{\"c\":{\"d\":1}}"
    )]
    [InlineData(
        """{"$id":"http://a.invalid/x/","$ref":"b/../c","$defs":{"c":{"$id":"c","type":"string"}}}""",
        "\"a\"",
        "1"
    )]
    [InlineData(
        """{"$id":"urn:example:a","$ref":"urn:example:b","$defs":{"b":{"$id":"urn:example:b","$ref":"#d","$defs":{"d":{"$anchor":"d","const":1}}}}}""",
        "1",
        "2"
    )]
    [InlineData("""{"$ref":"item","$defs":{"i":{"$id":"item","const":1}}}""", "1", "2")]
    [InlineData(
        """{"$defs":{"x":{"$id":"x","$ref":"#/$defs/y","$defs":{"y":{"const":1}}},"y":{"const":2}},"$ref":"x"}""",
        "1",
        "2"
    )]
    [InlineData("""{"$dynamicRef":"#/$defs/a","$defs":{"a":{"const":1}}}""", "1", "2")]
    [InlineData("""{"$dynamicRef":"#a","$defs":{"a":{"$anchor":"a","const":1}}}""", "1", "2")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":true}}""", "1", "")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":false}}""", "", "1")]
    [InlineData("""{"$ref":"#/$defs/a","minimum":2,"$defs":{"a":{"maximum":3}}}""", "2 3", "1 4")]
    [InlineData("""{"$ref":"#/$defs/a~0b","$defs":{"a~b":{"const":1}}}""", "1", "2")]
    [InlineData("""{"$ref":"#/$defs//items","$defs":{"":{"items":false}}}""", "", "1")]
    [InlineData(
        """{"$ref":"#/properties/a/prefixItems/1","properties":{"a":{"prefixItems":[true,{"minimum":5}]}}}""",
        "5 \"a\"",
        "4"
    )]
    [InlineData("""{"properties":{"$ref":{"type":"string"}}}""", "{\"$ref\":\"a\"}", "{\"$ref\":1}")]
    [InlineData(
        """{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/c"},"c":{"type":"integer"}},"$ref":"#/$defs/a"}""",
        "1",
        "\"a\""
    )]
    [InlineData(
        """{"properties":{"a":{"$ref":"#/$defs/l"}},"$defs":{"l":{"properties":{"n":{"$ref":"#/$defs/l"}},"required":["v"]}}}""",
        "{} {\"a\":{\"v\":1}} {\"a\":{\"v\":1,\"n\":{\"v\":2}}}",
        "{\"a\":{}} {\"a\":{\"v\":1,\"n\":{}}}"
    )]
    [InlineData(
        """{"$id":"http://a.invalid/s","$ref":"http://a.invalid/s#x","$defs":{"x":{"$anchor":"x","const":1}}}""",
        "1",
        "2"
    )]
    [InlineData(
        """{"$id":"http://a.invalid/s","$ref":"#x","$defs":{"b":{"$id":"b","$defs":{"y":{"$anchor":"x","const":2}}},"x":{"$anchor":"x","const":1}}}""",
        "1",
        "2"
    )]
    [InlineData(
        """{"$ref":"b#x","$defs":{"b":{"$id":"b","$defs":{"y":{"$anchor":"x","const":2}}},"x":{"$anchor":"x","const":1}}}""",
        "2",
        "1"
    )]
    [InlineData("""{"$ref":"#/$defs/b/$defs/y","$defs":{"b":{"$id":"b","$defs":{"y":{"const":2}}}}}""", "2", "1")]
    [InlineData(
        """{"$schema":"https://json-schema.org/draft/2020-12/schema","$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true},"type":"null"}""",
        "null",
        "1"
    )]
    [InlineData("""{"enum":[{"$ref":"#/$defs/none"}]}""", "{\"$ref\":\"#/$defs/none\"}", "{}")]
    // The name is not dynamic where the reference leads at first: it stays there.
    [InlineData(
        """{"$id":"r","$ref":"i","$defs":{"o":{"$dynamicAnchor":"a","const":1},"i":{"$id":"i","$dynamicRef":"#a","$defs":{"a":{"$anchor":"a","const":2}}}}}""",
        "2",
        "1"
    )]
    // The outermost resource on the way counts, not the nearest.
    [InlineData(
        """{"$id":"r","$ref":"m","$defs":{"o":{"$dynamicAnchor":"a","const":1},"m":{"$id":"m","$ref":"i","$defs":{"a":{"$dynamicAnchor":"a","const":2}}},"i":{"$id":"i","$dynamicRef":"#a","$defs":{"a":{"$dynamicAnchor":"a","const":3}}}}}""",
        "1",
        "2 3"
    )]
    // A resource that is not on the way does not count.
    [InlineData(
        """{"$id":"r","$ref":"i","$defs":{"m":{"$id":"m","$defs":{"a":{"$dynamicAnchor":"a","const":2}}},"i":{"$id":"i","$dynamicRef":"#a","$defs":{"a":{"$dynamicAnchor":"a","const":3}}}}}""",
        "3",
        "2"
    )]
    // By $ref, a dynamic anchor is an ordinary one.
    [InlineData(
        """{"$id":"r","$ref":"i","$defs":{"o":{"$dynamicAnchor":"a","const":1},"i":{"$id":"i","$ref":"#a","$defs":{"a":{"$dynamicAnchor":"a","const":3}}}}}""",
        "3",
        "1"
    )]
    [InlineData(
        """{"$id":"r","$dynamicAnchor":"a","$ref":"i","$defs":{"i":{"$id":"i","unevaluatedProperties":false,"properties":{"c":{"$dynamicRef":"#a"}},"$dynamicAnchor":"a"}}}""",
        "{\"c\":{}} {}",
        "{\"d\":1} {\"c\":{\"d\":1}}"
    )]
    // A list whose items are what the one that extends it says.
    [InlineData(
        """{"$id":"strings","$ref":"list","$defs":{"item":{"$dynamicAnchor":"item","type":"string"},"list":{"$id":"list","items":{"$dynamicRef":"#item"},"$defs":{"item":{"$dynamicAnchor":"item"}}}}}""",
        "[\"a\"] []",
        "[1]"
    )]
    [InlineData(
        """{"$id":"strings","$ref":"list","$defs":{"item":{"$anchor":"item","type":"string"},"list":{"$id":"list","items":{"$dynamicRef":"#item"},"$defs":{"item":{"$dynamicAnchor":"item"}}}}}""",
        "[\"a\"] [1]",
        ""
    )]
    // A tree that is closed from outside.
    [InlineData(
        """{"$id":"closed","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false,"$defs":{"tree":{"$id":"tree","$dynamicAnchor":"node","properties":{"v":true,"c":{"items":{"$dynamicRef":"#node"}}}}}}""",
        "{\"c\":[{\"v\":1}]}",
        "{\"c\":[{\"w\":1}]}"
    )]
    public void Reference_leads_to_its_schema(string schema, string accepted, string refused) =>
        TestSchema.Takes(schema, accepted, refused);
}
