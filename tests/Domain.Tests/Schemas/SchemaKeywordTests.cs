using System.Reflection;

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
    [InlineData("""{"type":["array","object","boolean"]}""", "[] {} false", "0 \"\" null")]
    [InlineData("""{"type":"integer"}""", "1e300 -0.0 100e-2", "1.0000000000000000000000001 5e-1 [] {} true")]
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
    [InlineData("""{"enum":[[],{},"",0,false]}""", "[] {} \"\" -0 false", "[0] {\"a\":0} null true 1")]
    [InlineData("""{"enum":[[1,2],{"a":null}]}""", "[1,2.0] {\"a\":null}", "[2,1] [1] {\"a\":0} {}")]
    [InlineData("""{"const":null}""", "null", "0 false \"\" [] {}")]
    [InlineData("""{"const":true}""", "true", "1 \"true\" [true]")]
    [InlineData("""{"const":[false]}""", "[false]", "[0] [] false [[false]]")]
    [InlineData("""{"const":{"a":0}}""", "{\"a\":-0}", "{\"a\":false} {\"A\":0}")]
    [InlineData("""{"const":""}""", "\"\"", "null \"a\"")]
    [InlineData("""{"const":"\u0061~/"}""", "\"a~/\"", "\"a~1\"")]
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
    [InlineData("""{"minimum":0,"maximum":0}""", "0 -0.0 \"1\" [] {} null true", "1e-300 -1e-300")]
    [InlineData("""{"minimum":5,"exclusiveMinimum":1}""", "5", "1 4.9")]
    [InlineData("""{"maximum":5,"exclusiveMaximum":5}""", "4.9 \"9\"", "5 6")]
    [InlineData("""{"exclusiveMinimum":-1,"exclusiveMaximum":1}""", "0 0.9 \"2\" []", "-1 1")]
    [InlineData("""{"multipleOf":1.5}""", "0 4.5 -3 \"x\" null []", "4 1")]
    [InlineData("""{"type":"integer","multipleOf":0.5}""", "1 3.0", "0.5")]
    // Strings
    [InlineData("""{"minLength":2}""", "\"ab\" \"\\uD834\\uDD1E𝄞\" 1", "\"a\" \"𝄞\" \"é\"")]
    [InlineData("""{"maxLength":2.0}""", "\"\" \"ab\" \"𝄞𝄞\" \"\\n\\\"\"", "\"abc\"")]
    [InlineData("""{"pattern":"^a+$"}""", "\"aaa\" \"\\u0061\" 1", "\"\" \"ab\" \"a\\n\"")]
    [InlineData("""{"pattern":"b"}""", "\"abc\"", "\"ac\"")]
    [InlineData("""{"format":"ipv4"}""", "\"1.2.3.4\" 7", "\"1.2.3\"")]
    [InlineData("""{"minLength":0,"maxLength":0}""", "\"\" 5 [1] {\"a\":1}", "\"a\" \"\\n\"")]
    [InlineData("""{"minLength":3,"maxLength":1}""", "1", "\"\" \"a\" \"ab\" \"abc\"")]
    [InlineData("""{"pattern":"^\\S(|(.|\\n)*\\S)$"}""", "\"a\" \"a\\nb\"", "\"\" \"a\\n\"")]
    [InlineData("""{"pattern":""}""", "\"\" \"a\" null", "")]
    [InlineData("""{"pattern":"^\\p{Lu}$"}""", "\"É\" 1 {} []", "\"é\" \"ÉÉ\"")]
    [InlineData("""{"format":"date","minLength":3}""", "\"2024-02-29\" 1 null {}", "\"2023-02-29\" \"\"")]
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
    [InlineData("""{"minItems":0,"maxItems":0}""", "[] \"ab\" {\"a\":1}", "[null]")]
    [InlineData("""{"minItems":2.0,"maxItems":2}""", "[1,2]", "[1] [1,2,3]")]
    [InlineData("""{"items":true}""", "[] [1,\"a\"] {}", "")]
    [InlineData("""{"items":{"items":{"type":"integer"}}}""", "[] [[]] [[1],\"a\"]", "[[\"a\"]] [[1],[1,null]]")]
    [InlineData("""{"prefixItems":[{"minimum":1}]}""", "[] [1,0] {} \"a\"", "[0]")]
    [InlineData("""{"prefixItems":[true,true],"items":false}""", "[] [1] [1,2]", "[1,2,3]")]
    [InlineData("""{"contains":false}""", "1 {}", "[] [1]")]
    [InlineData("""{"contains":{"type":"integer"},"items":{"minimum":2}}""", "[2] [2,\"a\"]", "[1] [\"a\"] []")]
    [InlineData("""{"contains":{"const":1},"minContains":2}""", "[1,1] [1,0,1.0] {}", "[1] [1,2] []")]
    [InlineData("""{"contains":{"const":1},"maxContains":1}""", "[1] [1,2]", "[] [2] [1,1]")]
    [InlineData("""{"contains":{"const":1},"minContains":2,"maxContains":1}""", "\"a\"", "[] [1] [1,1]")]
    [InlineData("""{"contains":{"const":1},"minContains":0,"maxContains":0}""", "[] [2]", "[1]")]
    [InlineData(
        """{"uniqueItems":true}""",
        "[{\"a\":0},{\"a\":false}] [[],{},\"\",null] [[1,2],[2,1]] \"aa\" {\"a\":1,\"b\":1}",
        "[[1],[1.0]] [[],[]] [{},{}] [1,2,1]"
    )]
    [InlineData(
        """{"uniqueItems":true,"prefixItems":[{"type":"integer"},true],"items":false}""",
        "[1,2] [1]",
        "[1,1] [1,2,3]"
    )]
    [InlineData("""{"unevaluatedItems":true}""", "[] [1]", "")]
    [InlineData("""{"unevaluatedItems":false}""", "[] {} \"a\"", "[1]")]
    [InlineData("""{"items":true,"unevaluatedItems":false}""", "[1,2]", "")]
    [InlineData("""{"unevaluatedItems":{"type":"string"}}""", "[\"a\"]", "[1]")]
    [InlineData("""{"allOf":[{"items":true}],"unevaluatedItems":false}""", "[1]", "")]
    [InlineData("""{"allOf":[{"unevaluatedItems":true}],"unevaluatedItems":false}""", "[1]", "")]
    [InlineData(
        """{"allOf":[{"contains":{"const":1}},{"contains":{"const":2}}],"unevaluatedItems":false}""",
        "[1,2] [2,1,1]",
        "[1,2,3] [1]"
    )]
    [InlineData("""{"not":{"not":{"prefixItems":[true]}},"unevaluatedItems":false}""", "[]", "[1]")]
    [InlineData(
        """{"oneOf":[{"prefixItems":[{"const":1}]},{"prefixItems":[{"const":2}]}],"unevaluatedItems":false}""",
        "[1] [2]",
        "[1,1] [] [3]"
    )]
    [InlineData(
        """{"if":{"prefixItems":[{"const":1}]},"then":{"prefixItems":[true,true]},"else":{"prefixItems":[true]},"unevaluatedItems":false}""",
        "[] [1,2] [3]",
        "[1,2,3] [3,4]"
    )]
    [InlineData(
        """{"$ref":"#/$defs/a","unevaluatedItems":false,"$defs":{"a":{"prefixItems":[true]}}}""",
        "[] [1]",
        "[1,2]"
    )]
    [InlineData("""{"allOf":[{"prefixItems":[true]},{"unevaluatedItems":false}]}""", "[]", "[1]")]
    [InlineData("""{"prefixItems":[{"prefixItems":[true]}],"unevaluatedItems":false}""", "[[1,2]]", "[[1],1]")]
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
    [InlineData("""{"minProperties":0,"maxProperties":0}""", "{} [1] \"a\"", "{\"a\":null}")]
    [InlineData("""{"minProperties":2.0}""", "{\"a\":1,\"b\":1} [] 1", "{\"a\":1}")]
    [InlineData("""{"required":[""]}""", "{\"\":null}", "{} {\"a\":1}")]
    [InlineData("""{"required":["a\"\u0062"]}""", "{\"a\\\"b\":1}", "{\"a\\\\\\\"b\":1} {\"ab\":1}")]
    [InlineData("""{"properties":{}}""", "{} {\"a\":1} 1", "")]
    [InlineData(
        """{"properties":{"__proto__":{"type":"string"},"constructor":{"type":"integer"}}}""",
        "{\"__proto__\":\"\",\"constructor\":1} {} []",
        "{\"__proto__\":1} {\"constructor\":\"\"}"
    )]
    [InlineData(
        """{"properties":{"a/b~c\n":{"type":"null"}}}""",
        "{\"a/b~c\\n\":null} {\"a/b\":1}",
        "{\"a/b~c\\n\":1}"
    )]
    [InlineData(
        """{"properties":{"a":{"minimum":5}},"patternProperties":{"a":{"maximum":6}}}""",
        "{\"a\":5} {\"ba\":6} {\"b\":9}",
        "{\"a\":4} {\"a\":7} {\"ba\":7}"
    )]
    [InlineData("""{"patternProperties":{"^a":false,"b":true}}""", "{} {\"b\":1} [] 1", "{\"a\":1} {\"ab\":1}")]
    [InlineData("""{"patternProperties":{"^\\p{L}$":{"type":"integer"}}}""", "{\"é\":1} {\"1\":\"\"}", "{\"é\":\"\"}")]
    [InlineData("""{"additionalProperties":false}""", "{} [] null", "{\"a\":1}")]
    [InlineData("""{"additionalProperties":{"type":"integer"}}""", "{\"a\":1}", "{\"a\":1,\"b\":\"\"}")]
    [InlineData(
        """{"propertyNames":{"enum":["a","b"]}}""",
        "{} {\"a\":1,\"b\":2} [\"c\"]",
        "{\"c\":1} {\"a\":1,\"c\":1}"
    )]
    [InlineData("""{"propertyNames":true}""", "{\"a\":1}", "")]
    [InlineData("""{"dependentRequired":{"a":[]}}""", "{} {\"a\":1} []", "")]
    [InlineData(
        """{"dependentRequired":{"":["é"],"b":["a"]}}""",
        "{\"\":1,\"é\":1} {\"b\":1,\"a\":1} 1",
        "{\"\":1} {\"b\":1}"
    )]
    [InlineData(
        """{"dependentSchemas":{"a":true,"b":{"maxProperties":1}}}""",
        "{\"a\":1} {\"b\":1} [] {\"a\":1,\"c\":1}",
        "{\"a\":1,\"b\":1}"
    )]
    [InlineData("""{"unevaluatedProperties":true}""", "{\"a\":1}", "")]
    [InlineData("""{"unevaluatedProperties":{"minLength":3}}""", "{} {\"a\":\"abc\"} [] {\"a\":1}", "{\"a\":\"ab\"}")]
    [InlineData(
        """{"patternProperties":{"^a":true},"unevaluatedProperties":false}""",
        "{\"a\":1,\"ab\":2}",
        "{\"b\":1}"
    )]
    [InlineData("""{"allOf":[{"unevaluatedProperties":true}],"unevaluatedProperties":false}""", "{\"a\":1}", "")]
    [InlineData("""{"allOf":[{"properties":{"a":true}},{"unevaluatedProperties":false}]}""", "{}", "{\"a\":1}")]
    [InlineData("""{"allOf":[{"additionalProperties":true}],"unevaluatedProperties":false}""", "{\"a\":1}", "")]
    [InlineData(
        """{"properties":{"a":{"properties":{"b":true}}},"unevaluatedProperties":false}""",
        "{\"a\":{\"c\":1}}",
        "{\"a\":{},\"b\":1}"
    )]
    [InlineData(
        """{"allOf":[{"properties":{"a":true},"required":["b"]}],"unevaluatedProperties":false}""",
        "",
        "{\"a\":1} {\"a\":1,\"b\":1}"
    )]
    // Combinations
    [InlineData("""{"allOf":[{"minimum":1},{"maximum":3}],"multipleOf":2}""", "2", "1 3 0 4")]
    [InlineData("""{"anyOf":[{"minimum":5},{"type":"string"}]}""", "5 \"\" null", "1")]
    [InlineData("""{"oneOf":[{"multipleOf":2},{"multipleOf":3}]}""", "2 3", "6 5 null")]
    [InlineData("""{"not":{"type":"string"}}""", "1", "\"\"")]
    [InlineData("""{"if":{"type":"string"},"then":{"minLength":1},"else":{"const":0}}""", "\"a\" 0", "\"\" 1")]
    [InlineData("""{"then":false,"else":false}""", "1", "")]
    [InlineData("""{"if":false}""", "1", "")]
    [InlineData("""{"allOf":[true,{}]}""", "1", "")]
    [InlineData("""{"allOf":[true,false]}""", "", "1 null")]
    [InlineData("""{"anyOf":[false,true]}""", "1", "")]
    [InlineData("""{"anyOf":[false,false]}""", "", "1")]
    [InlineData("""{"anyOf":[{"minimum":2},{"maximum":0}],"type":"integer"}""", "2 0", "1 2.5")]
    [InlineData("""{"oneOf":[true]}""", "1", "")]
    [InlineData("""{"oneOf":[true,true]}""", "", "1")]
    [InlineData("""{"oneOf":[true,false,false]}""", "1", "")]
    [InlineData(
        """{"oneOf":[{"required":["a"]},{"required":["b"]}]}""",
        "{\"a\":1} {\"b\":1}",
        "{} {\"a\":1,\"b\":1} 1"
    )]
    [InlineData("""{"not":{}}""", "", "1 null")]
    [InlineData("""{"not":false}""", "1", "")]
    [InlineData("""{"not":{"properties":{"a":{"type":"string"}}}}""", "{\"a\":1}", "{} {\"a\":\"\"} 1")]
    [InlineData("""{"if":true,"then":{"minimum":1},"else":false}""", "1 \"a\"", "0")]
    [InlineData("""{"if":false,"then":false,"else":{"minimum":1}}""", "1", "0")]
    [InlineData("""{"if":{"minimum":5},"then":{"maximum":7}}""", "4 6 8e-1", "8")]
    [InlineData("""{"if":{"minimum":5},"else":{"const":1}}""", "5 1 \"a\"", "2")]
    // Annotations
    [InlineData(
        """{"title":"t","description":"d","$comment":"c","default":1,"examples":[1],"deprecated":true,"readOnly":true,"x-own":{},"contentEncoding":"base64","contentMediaType":"a/b","contentSchema":false}""",
        "\"%\" 1",
        ""
    )]
    public void Keyword_accepts_and_refuses(string schema, string accepted, string refused) =>
        TestSchema.Takes(schema, accepted, refused);

    /// <summary>The keywords of the seven vocabularies of 2020-12, and what each can be in the tables above.</summary>
    [Theory]
    [InlineData("$id $schema $ref $anchor $dynamicRef $dynamicAnchor $vocabulary $comment $defs")]
    [InlineData("prefixItems items contains additionalProperties properties patternProperties dependentSchemas")]
    [InlineData("propertyNames if then else allOf anyOf oneOf not unevaluatedItems unevaluatedProperties")]
    [InlineData("type const enum multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength")]
    [InlineData("pattern maxItems minItems uniqueItems maxContains minContains maxProperties minProperties required")]
    [InlineData("dependentRequired format contentEncoding contentMediaType contentSchema")]
    [InlineData("title description default deprecated readOnly examples")]
    public void Every_keyword_is_in_a_table(string keywords)
    {
        var tables = new[] { typeof(SchemaKeywordTests), typeof(SchemaReferenceTests) }
            .SelectMany(type => type.GetMethods())
            .SelectMany(test => test.GetCustomAttributes<InlineDataAttribute>())
            .Select(row => (string)row.Data[0]!)
            .ToArray();
        Assert.All(keywords.Split(' '), keyword =>
            Assert.Contains(tables, schema => schema.Contains($"\"{keyword}\":", StringComparison.Ordinal))
        );
    }
}
