namespace Resources.Domain.Tests;

/// <summary>Every keyword of JSON Schema 2020-12 and its edges, from the specification.</summary>
public class SchemaKeywordTests
{
    [Theory]
    [InlineData("true", "1 null {} []", "")]
    [InlineData("false", "", "1 null {} []")]
    [InlineData("{}", "1 null {} []", "")]
    // type
    [InlineData("""{"type":"null"}""", "null", "0 false \"\" {} []")]
    [InlineData("""{"type":"boolean"}""", "true false", "0 1 \"true\" null")]
    [InlineData("""{"type":"integer"}""", "0 -3 1.0 1e2 10.50e1 12345678901234567890123", "1.5 1e-1 \"1\" null")]
    [InlineData("""{"type":"number"}""", "0 1.5 1e300 -0", "\"1\" null")]
    [InlineData("""{"type":"string"}""", "\"\" \"1\"", "1 null")]
    [InlineData("""{"type":"object"}""", "{} {\"a\":1}", "[] null")]
    [InlineData("""{"type":"array"}""", "[] [1]", "{} null")]
    [InlineData("""{"type":["string","null"]}""", "null \"a\"", "1 {}")]
    [InlineData("""{"type":["integer","number"]}""", "1 1.5", "\"1\"")]
    // enum and const
    [InlineData(
        """{"enum":[1,"a",null,{"x":[1,2]}]}""",
        "1 1.0 \"a\" \"\\u0061\" null {\"x\":[1,2.0]}",
        "2 \"b\" true {\"x\":[2,1]} {}"
    )]
    [InlineData("""{"enum":[]}""", "", "1 null")]
    [InlineData(
        """{"const":{"a":1,"b":2}}""",
        "{\"b\":2,\"a\":1} {\"b\":2e0,\"a\":1.0}",
        "{\"a\":1} {\"a\":1,\"b\":2,\"c\":3}"
    )]
    [InlineData("""{"const":0}""", "0 -0 0.0 0e5", "false \"\" null")]
    [InlineData("""{"const":false}""", "false", "0 null true")]
    [InlineData("""{"const":9007199254740993}""", "9007199254740993", "9007199254740992")]
    // Numbers
    [InlineData("""{"minimum":1.1}""", "1.1 1.10 2 \"0\" null", "1.0999 1 -5")]
    [InlineData("""{"exclusiveMinimum":1.1}""", "1.11 2", "1.1 1.10 0")]
    [InlineData("""{"maximum":-2}""", "-2 -2.0 -3 -1e300", "-1.9999999999999999999999999 0")]
    [InlineData("""{"exclusiveMaximum":3.0}""", "2.99999999999999999999 -1", "3 3.0 4")]
    [InlineData("""{"minimum":9007199254740993}""", "9007199254740993", "9007199254740992")]
    [InlineData("""{"multipleOf":0.01}""", "19.99 0 -3 0.01 1e300", "0.005 19.999")]
    [InlineData("""{"multipleOf":2}""", "4 4.0 -2 1e1", "3 0.5")]
    [InlineData("""{"multipleOf":0.0001}""", "0.0075", "0.00751")]
    [InlineData("""{"multipleOf":1e-8}""", "12391239123", "1e-9")]
    [InlineData("""{"multipleOf":0.123456789}""", "0.123456789", "1e300")]
    [InlineData("""{"multipleOf":1e300}""", "0 1e300 3e300", "1 1e299")]
    // Strings
    [InlineData("""{"minLength":2}""", "\"ab\" \"\\uD834\\uDD1E𝄞\" 1", "\"a\" \"𝄞\" \"é\"")]
    [InlineData("""{"maxLength":2.0}""", "\"\" \"ab\" \"𝄞𝄞\" \"\\n\\\"\"", "\"abc\"")]
    [InlineData("""{"pattern":"^a+$"}""", "\"aaa\" \"\\u0061\" 1", "\"\" \"ab\" \"a\\n\"")]
    [InlineData("""{"pattern":"b"}""", "\"abc\"", "\"ac\"")]
    [InlineData("""{"format":"ipv4"}""", "\"1.2.3.4\" 7", "\"1.2.3\"")]
    // Arrays
    [InlineData("""{"minItems":1}""", "[1] {}", "[]")]
    [InlineData("""{"maxItems":1}""", "[] [1]", "[1,2]")]
    [InlineData(
        """{"uniqueItems":true}""",
        "[] [1] [1,2] [1,true] [0,false] [[1],[2]] [{\"a\":1},{\"a\":2}] [\"1\",1]",
        "[1,1.0] [{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}] [\"a\",\"\\u0061\"] [null,null]"
    )]
    [InlineData(
        """{"uniqueItems":true}""",
        "[1,2,3,4,5,6,7,8,9,10]",
        "[1,2,3,4,5,6,7,8,9,10,1.0] [0,1,2,3,4,5,6,7,8,-0]"
    )]
    [InlineData("""{"uniqueItems":false}""", "[1,1]", "")]
    [InlineData("""{"prefixItems":[{"type":"string"},true,false]}""", "[] [\"a\"] [\"a\",1] 1", "[1] [\"a\",1,2]")]
    [InlineData("""{"prefixItems":[true],"items":{"type":"string"}}""", "[1] [1,\"a\"] []", "[1,2]")]
    [InlineData("""{"items":false}""", "[] 1", "[1]")]
    [InlineData("""{"contains":{"minimum":5}}""", "[1,5] [6] 1 {}", "[] [1,2]")]
    [InlineData("""{"contains":true,"minContains":2,"maxContains":3}""", "[1,2] [1,2,3]", "[1] [1,2,3,4]")]
    [InlineData("""{"contains":{"const":1},"minContains":0}""", "[] [2]", "")]
    [InlineData("""{"contains":{"const":1},"minContains":0,"maxContains":1}""", "[] [1] [2,1]", "[1,1]")]
    [InlineData("""{"minContains":3,"maxContains":0}""", "[] [1]", "")]
    [InlineData("""{"prefixItems":[true],"unevaluatedItems":false}""", "[] [1]", "[1,2]")]
    [InlineData(
        """{"allOf":[{"prefixItems":[true,true]}],"unevaluatedItems":{"type":"string"}}""",
        "[1,2] [1,2,\"a\"]",
        "[1,2,3]"
    )]
    [InlineData("""{"contains":{"type":"string"},"unevaluatedItems":false}""", "[\"a\"] [\"a\",\"b\"]", "[\"a\",1] []")]
    [InlineData(
        """{"anyOf":[{"prefixItems":[{"const":1}]},{"prefixItems":[true,{"const":2}]}],"unevaluatedItems":false}""",
        "[1] [1,2] [3,2] []",
        "[1,3] [1,2,3]"
    )]
    // Objects
    [InlineData(
        """{"minProperties":1,"maxProperties":2}""",
        "{\"a\":1} {\"a\":1,\"b\":2} 1",
        "{} {\"a\":1,\"b\":2,\"c\":3}"
    )]
    [InlineData("""{"required":["a","b/c","a"]}""", "{\"a\":null,\"b/c\":1} 1 []", "{} {\"a\":1}")]
    [InlineData("""{"required":[]}""", "{}", "")]
    [InlineData("""{"required":["__proto__","toString"]}""", "{\"__proto__\":1,\"toString\":2}", "{}")]
    [InlineData(
        """{"properties":{"a":{"type":"string"},"b":false}}""",
        "{} {\"a\":\"\"} {\"c\":1}",
        "{\"a\":1} {\"b\":1} {\"\\u0061\":1}"
    )]
    [InlineData(
        """{"patternProperties":{"^x":{"type":"integer"},"y$":{"minimum":5}}}""",
        "{\"xa\":1} {\"xy\":5} {\"b\":\"\"} {\"ay\":5.5}",
        "{\"xa\":\"\"} {\"xy\":1} {\"xy\":5.5}"
    )]
    [InlineData(
        """{"properties":{"a":true},"patternProperties":{"^x":true},"additionalProperties":false}""",
        "{\"a\":1,\"xa\":1} {}",
        "{\"b\":1}"
    )]
    [InlineData(
        """{"properties":{"a":true},"additionalProperties":{"type":"string"}}""",
        "{\"a\":1,\"b\":\"\"}",
        "{\"b\":1}"
    )]
    [InlineData("""{"allOf":[{"properties":{"a":true}}],"additionalProperties":false}""", "{}", "{\"a\":1}")]
    [InlineData("""{"propertyNames":{"maxLength":2,"pattern":"^\""}}""", "{} {\"\\\"\":1}", "{\"a\":1} {\"\\\"bc\":1}")]
    [InlineData("""{"propertyNames":false}""", "{}", "{\"a\":1}")]
    [InlineData(
        """{"dependentRequired":{"a":["b","c"]}}""",
        "{} {\"b\":1} {\"a\":1,\"b\":1,\"c\":1}",
        "{\"a\":1} {\"a\":null,\"b\":1}"
    )]
    [InlineData(
        """{"dependentSchemas":{"a":{"required":["b"]},"c":false}}""",
        "{} {\"a\":1,\"b\":1} 1",
        "{\"a\":1} {\"c\":1}"
    )]
    [InlineData("""{"properties":{"a":true},"unevaluatedProperties":false}""", "{\"a\":1} {} 1", "{\"b\":1}")]
    [InlineData(
        """{"allOf":[{"properties":{"a":true}},{"properties":{"b":true}}],"unevaluatedProperties":false}""",
        "{\"a\":1,\"b\":1}",
        "{\"c\":1}"
    )]
    [InlineData(
        """{"anyOf":[{"required":["a"],"properties":{"a":true}},{"required":["b"],"properties":{"b":true}}],"unevaluatedProperties":false}""",
        "{\"a\":1} {\"a\":1,\"b\":1}",
        "{\"a\":1,\"c\":1} {\"c\":1}"
    )]
    [InlineData(
        """{"if":{"properties":{"a":{"const":1}},"required":["a"]},"then":{"properties":{"b":true}},"else":{"properties":{"c":true}},"unevaluatedProperties":false}""",
        "{\"a\":1,\"b\":2} {\"c\":2}",
        "{\"a\":1,\"c\":2} {\"a\":2} {\"b\":1}"
    )]
    [InlineData("""{"not":{"not":{"properties":{"a":true}}},"unevaluatedProperties":false}""", "{}", "{\"a\":1}")]
    [InlineData(
        """{"$ref":"#/$defs/a","unevaluatedProperties":false,"$defs":{"a":{"properties":{"a":true}}}}""",
        "{\"a\":1}",
        "{\"b\":1}"
    )]
    [InlineData(
        """{"dependentSchemas":{"a":{"properties":{"a":true,"b":true}}},"unevaluatedProperties":false}""",
        "{\"a\":1,\"b\":1}",
        "{\"b\":1}"
    )]
    [InlineData(
        """{"additionalProperties":{"type":"string"},"unevaluatedProperties":false}""",
        "{\"a\":\"\"}",
        "{\"a\":1}"
    )]
    [InlineData(
        """{"oneOf":[{"properties":{"a":{"const":1}},"required":["a"]},{"properties":{"b":{"const":2}},"required":["b"]}],"unevaluatedProperties":false}""",
        "{\"a\":1} {\"b\":2}",
        "{\"a\":1,\"b\":3} {\"a\":1,\"b\":2}"
    )]
    // Combinations
    [InlineData("""{"allOf":[{"minimum":1},{"maximum":3}],"multipleOf":2}""", "2", "1 3 0 4")]
    [InlineData("""{"anyOf":[{"minimum":5},{"type":"string"}]}""", "5 \"\" null", "1")]
    [InlineData("""{"oneOf":[{"multipleOf":2},{"multipleOf":3}]}""", "2 3", "6 5 null")]
    [InlineData("""{"not":{"type":"string"}}""", "1", "\"\"")]
    [InlineData("""{"if":{"type":"string"},"then":{"minLength":1},"else":{"const":0}}""", "\"a\" 0", "\"\" 1")]
    [InlineData("""{"then":false,"else":false}""", "1", "")]
    [InlineData("""{"if":false}""", "1", "")]
    // Annotations
    [InlineData(
        """{"title":"t","description":"d","$comment":"c","default":1,"examples":[1],"deprecated":true,"readOnly":true,"x-own":{},"contentEncoding":"base64","contentMediaType":"a/b","contentSchema":false}""",
        "\"%\" 1",
        ""
    )]
    public void Keyword_accepts_and_refuses(string schema, string accepted, string refused)
    {
        var compiled = TestSchema.Of(schema);
        Assert.All(Values(accepted), value => Assert.True(compiled.Accepts(value), value));
        Assert.All(Values(refused), value => Assert.False(compiled.Accepts(value), value));
    }

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
        Keyword_accepts_and_refuses(schema, accepted, refused);

    static string[] Values(string values) => values.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
