using System.Text.Json.Nodes;
using Resources.Grains;

namespace Resources.Domain.Tests;

public class SchemaWideningTests
{
    const string Book = """
        {"type":"object","additionalProperties":false,"required":["isbn","pages"],"minProperties":2,"maxProperties":9,
         "properties":{"isbn":{"type":"string","pattern":"^[0-9]+$","minLength":2,"maxLength":5},
          "price":{"type":"integer","minimum":1,"exclusiveMaximum":10,"multipleOf":4},
          "pages":{"type":["integer","null"],"exclusiveMinimum":0,"maximum":9},
          "genre":{"enum":["drama","novel"]},"kind":{"const":"a"},
          "tags":{"type":"array","items":{"type":"string","format":"date"},"minItems":1,"maxItems":3,"uniqueItems":true,
           "contains":{"minLength":1},"minContains":1,"maxContains":2},
          "pair":{"prefixItems":[{"type":"string"},{"type":"integer"}],"items":false},
          "any":{"anyOf":[{"type":"string"},{"type":"null"}]},"all":{"allOf":[{"minimum":1},{"maximum":3}]},
          "one":{"oneOf":[{"minimum":5},{"type":"string"}]},"not":{"not":{"type":"string"}},
          "if":{"if":{"type":"string"},"then":{"minLength":1},"else":{"minimum":2}},
          "map":{"patternProperties":{"^x":{"minimum":1}},"additionalProperties":{"type":"string"},
           "propertyNames":{"maxLength":3},"dependentRequired":{"xa":["xb"]},"dependentSchemas":{"xc":{"required":["xa"]}}},
          "ref":{"$ref":"#/$defs/d"},"shut":{"properties":{"a":{"type":"integer"}},"unevaluatedProperties":false}},
         "$defs":{"d":{"type":"object","properties":{"n":{"$ref":"#/$defs/d"},"v":{"type":"integer"}}}}}
        """;

    [Theory]
    [InlineData("/title", "\"t\"")]
    [InlineData("/properties/price/default", "4")]
    [InlineData("/required", """["isbn"]""")]
    [InlineData("/required", null)]
    [InlineData("/minProperties", "1")]
    [InlineData("/maxProperties", "10")]
    [InlineData("/additionalProperties", "true")]
    [InlineData("/additionalProperties", null)]
    [InlineData("/properties/added", """{"type":"string"}""")]
    [InlineData("/properties/isbn/pattern", null)]
    [InlineData("/properties/isbn/minLength", "1")]
    [InlineData("/properties/isbn/maxLength", "6")]
    [InlineData("/properties/isbn/type", """["string","null"]""")]
    [InlineData("/properties/isbn", "true")]
    [InlineData("/properties/price/type", "\"number\"")]
    [InlineData("/properties/price/minimum", "0.5")]
    [InlineData("/properties/price/exclusiveMaximum", "11")]
    [InlineData("/properties/price/maximum", "10")]
    [InlineData("/properties/price/multipleOf", "2")]
    [InlineData("/properties/pages/exclusiveMinimum", "-1")]
    [InlineData("/properties/pages/minimum", "0")]
    [InlineData("/properties/pages/maximum", null)]
    [InlineData("/properties/genre/enum", """["novel","poem","drama"]""")]
    [InlineData("/properties/genre", """{"type":"string"}""")]
    [InlineData("/properties/kind", """{"enum":["b","a"]}""")]
    [InlineData("/properties/tags/minItems", "0")]
    [InlineData("/properties/tags/uniqueItems", "false")]
    [InlineData("/properties/tags/contains", null)]
    [InlineData("/properties/tags/minContains", "0")]
    [InlineData("/properties/tags/maxContains", "3")]
    [InlineData("/properties/tags/items/format", null)]
    [InlineData("/properties/pair/items", "true")]
    [InlineData("/properties/pair/prefixItems/1", """{"type":"number"}""")]
    [InlineData("/properties/any/anyOf/0", """{"type":["string","integer"]}""")]
    [InlineData("/properties/any/anyOf", """[{"type":"null"},{"type":"string"},{"type":"array"}]""")]
    [InlineData("/properties/all/allOf", """[{"minimum":1}]""")]
    [InlineData("/properties/not/not", null)]
    [InlineData("/properties/if/then", null)]
    [InlineData("/properties/if/else/minimum", "1")]
    [InlineData("/properties/map/patternProperties/^x/minimum", "0")]
    [InlineData("/properties/map/additionalProperties", "true")]
    [InlineData("/properties/map/propertyNames/maxLength", "4")]
    [InlineData("/properties/map/dependentRequired", null)]
    [InlineData("/properties/map/dependentSchemas", "{}")]
    [InlineData("/$defs/d/properties/v/type", "\"number\"")]
    [InlineData("/$defs/e", """{"type":"string"}""")]
    public void Wider_schema_is_known(string pointer, string? value)
    {
        var (old, now) = (TestSchema.Of(Book), TestSchema.Of(Mutated(pointer, value)));
        Assert.True(Schema.IsWider(old, now));
    }

    [Theory]
    [InlineData("/required", """["isbn","pages","price"]""")]
    [InlineData("/minProperties", "3")]
    [InlineData("/properties/price", null)]
    [InlineData("/properties/isbn/pattern", "\"^[0-9]*$\"")]
    [InlineData("/properties/isbn/minLength", "3")]
    [InlineData("/properties/price/minimum", "2")]
    [InlineData("/properties/price/exclusiveMaximum", "9.5")]
    [InlineData("/properties/price/maximum", "9")]
    [InlineData("/properties/price/multipleOf", "8")]
    [InlineData("/properties/pages/minimum", "1")]
    [InlineData("/properties/pages/type", "\"integer\"")]
    [InlineData("/properties/genre/enum", """["drama"]""")]
    [InlineData("/properties/kind/const", "\"b\"")]
    [InlineData("/properties/tags/maxItems", "2")]
    [InlineData("/properties/tags/items/format", "\"time\"")]
    [InlineData("/properties/tags/contains/minLength", "0")]
    [InlineData("/properties/pair/prefixItems/0", """{"type":"null"}""")]
    [InlineData("/properties/pair/uniqueItems", "true")]
    [InlineData("/properties/any/anyOf", """[{"type":"string"}]""")]
    [InlineData("/properties/all/allOf/2", """{"multipleOf":2}""")]
    [InlineData("/properties/one/oneOf/0/minimum", "4")]
    [InlineData("/properties/not/not/type", """["string","null"]""")]
    [InlineData("/properties/if/if/type", "\"null\"")]
    [InlineData("/properties/map/patternProperties/^y", "true")]
    [InlineData("/properties/map/patternProperties/^x/minimum", "2")]
    [InlineData("/properties/map/additionalProperties", "false")]
    [InlineData("/properties/map/dependentRequired/xa", """["xb","xc"]""")]
    [InlineData("/properties/map/dependentSchemas/xc/required", """["xb"]""")]
    [InlineData("/properties/shut/properties/a/type", "\"number\"")]
    [InlineData("/properties/shut/properties/a/type", "\"string\"")]
    [InlineData("/$defs/d/properties/v/type", "\"string\"")]
    public void Other_change_is_not_taken_for_wider(string pointer, string? value) =>
        Assert.False(Schema.IsWider(TestSchema.Of(Book), TestSchema.Of(Mutated(pointer, value))));

    [Fact]
    public void Property_added_to_an_open_object_is_not_wider() =>
        Assert.False(
            Schema.IsWider(
                TestSchema.Of("""{"properties":{"a":true}}"""),
                TestSchema.Of("""{"properties":{"a":true,"b":{"type":"string"}}}""")
            )
        );

    [Fact]
    public void Proof_that_rests_on_what_failed_is_not_used_again()
    {
        // While the first alternative is tried, "w" is wider if the alternative is. It is not: of its "v".
        const string Old = """
            {"anyOf":[{"properties":{"n":{"$ref":"#/$defs/w"},"v":{"type":"number"}}}],"$defs":{"w":{"$ref":"#/anyOf/0"}}}
            """;
        const string Now = """
            {"anyOf":[{"properties":{"n":{"$ref":"#/$defs/w"},"v":{"type":"integer"}}},{"properties":{"n":{"$ref":"#/$defs/w"}}}],
             "$defs":{"w":{"$ref":"#/anyOf/0"}}}
            """;
        Assert.False(Schema.IsWider(TestSchema.Of(Old), TestSchema.Of(Now)));
    }

    [Fact]
    public void Schema_is_as_wide_as_itself_whatever_its_keywords()
    {
        Assert.True(Schema.IsWider(TestSchema.Of(Book), TestSchema.Of(Book)));
        const string Dynamic = """{"$dynamicAnchor":"a","items":{"$dynamicRef":"#a"}}""";
        Assert.True(Schema.IsWider(TestSchema.Of(Dynamic), TestSchema.Of(Dynamic)));
        Assert.False(Schema.IsWider(TestSchema.Of(Dynamic), TestSchema.Of("""{"$dynamicAnchor":"a"}""")));
    }

    [Fact]
    public void Wide_alternatives_end_without_an_answer()
    {
        static string Alternatives(string type) =>
            $$"""{"anyOf":[{{string.Join(",", Enumerable.Range(0, 900).Select(i => $$"""{"minimum":{{i}},"type":"{{type}}"}"""))}}]}""";
        Assert.False(Schema.IsWider(TestSchema.Of(Alternatives("number")), TestSchema.Of(Alternatives("string"))));
    }

    static string Mutated(string pointer, string? value)
    {
        var root = JsonNode.Parse(Book)!;
        var steps = JsonPointer.Parse(pointer)!;
        var node = root;
        foreach (var step in steps[..^1])
            node = node is JsonArray array ? array[int.Parse(step)]! : node[step]!;
        if (node is JsonArray items)
        {
            var at = int.Parse(steps[^1]);
            if (at < items.Count)
                items[at] = JsonNode.Parse(value!);
            else
                items.Add(JsonNode.Parse(value!));
        }
        else if (value is null)
            node.AsObject().Remove(steps[^1]);
        else
            node[steps[^1]] = JsonNode.Parse(value);
        return root.ToJsonString();
    }
}
