using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

public class SchemaFaultTests
{
    [Theory]
    [InlineData("""{"type":"string"}""", "1", " TYPE")]
    [InlineData("""{"const":1}""", "2", " CONST")]
    [InlineData("""{"enum":[1]}""", "2", " ENUM")]
    [InlineData(
        """{"minimum":3,"exclusiveMinimum":3,"multipleOf":3}""",
        "2",
        " MINIMUM;  EXCLUSIVE_MINIMUM;  MULTIPLE_OF"
    )]
    [InlineData("""{"maximum":1,"exclusiveMaximum":2}""", "2", " MAXIMUM;  EXCLUSIVE_MAXIMUM")]
    [InlineData("""{"minLength":3,"pattern":"b","format":"uuid"}""", "\"a\"", " MIN_LENGTH;  PATTERN;  FORMAT")]
    [InlineData("""{"maxLength":0}""", "\"a\"", " MAX_LENGTH")]
    [InlineData("""{"minItems":3,"uniqueItems":true}""", "[1,1]", " MIN_ITEMS;  UNIQUE_ITEMS")]
    [InlineData("""{"maxItems":1,"items":{"type":"string"}}""", "[\"\",1]", " MAX_ITEMS; /1 TYPE")]
    [InlineData("""{"prefixItems":[true],"items":false}""", "[1,2,3]", "/1 ITEMS; /2 ITEMS")]
    [InlineData("""{"prefixItems":[true],"unevaluatedItems":false}""", "[1,2]", "/1 UNKNOWN_MEMBER")]
    [InlineData("""{"contains":false}""", "[1]", " CONTAINS")]
    [InlineData("""{"contains":true,"minContains":2}""", "[1]", " MIN_CONTAINS")]
    [InlineData("""{"contains":true,"maxContains":1}""", "[1,2]", " MAX_CONTAINS")]
    [InlineData("""{"minProperties":1,"required":["a","b/c"]}""", "{}", " MIN_PROPERTIES; /a REQUIRED; /b~1c REQUIRED")]
    [InlineData("""{"maxProperties":0}""", """{"a":1}""", " MAX_PROPERTIES")]
    [InlineData(
        """{"properties":{"a":{"type":"string"},"b":false},"additionalProperties":false}""",
        """{"a":1,"b":2,"~":3}""",
        "/a TYPE; /b NOT_ALLOWED; /~0 UNKNOWN_MEMBER"
    )]
    [InlineData(
        """{"properties":{"a":true},"unevaluatedProperties":false}""",
        """{"a":1,"b":2}""",
        "/b UNKNOWN_MEMBER"
    )]
    [InlineData("""{"unevaluatedProperties":{"type":"string"}}""", """{"b":2}""", "/b TYPE")]
    [InlineData("""{"propertyNames":{"maxLength":1}}""", """{"ab":1}""", "/ab PROPERTY_NAMES")]
    [InlineData("""{"dependentRequired":{"a":["b"]}}""", """{"a":1}""", "/b REQUIRED")]
    [InlineData("""{"dependentSchemas":{"a":{"required":["b"]}}}""", """{"a":1}""", "/b REQUIRED")]
    [InlineData("""{"allOf":[{"type":"string"},{"minimum":2}]}""", "1", " TYPE;  MINIMUM")]
    [InlineData("""{"anyOf":[{"type":"string"},{"minimum":2}]}""", "1", " ANY_OF")]
    [InlineData("""{"oneOf":[true,true]}""", "1", " ONE_OF")]
    [InlineData("""{"oneOf":[false,false]}""", "1", " ONE_OF")]
    [InlineData("""{"not":{}}""", "1", " NOT")]
    [InlineData("""{"if":{"type":"integer"},"then":{"minimum":2},"else":false}""", "1", " MINIMUM")]
    [InlineData(
        """{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$dynamicRef":"#b"}},"b":{"$dynamicAnchor":"b","type":"string"}}}""",
        "[1]",
        "/0 TYPE"
    )]
    public void Fault_names_the_keyword_and_the_place(string schema, string value, string faults) =>
        Assert.Equal(faults, TestSchema.Of(schema).Faults(value));

    [Fact]
    public void Faults_below_long_names_are_at_the_closest_place_whose_pointer_is_short()
    {
        var name = new string('n', 100_000);
        var members = string.Join(',', Enumerable.Range(0, 20_000).Select(n => $"\"m{n}\":0"));
        var schema = TestSchema.Of("""{"additionalProperties":{"additionalProperties":{"type":"string"}}}""");
        Assert.Equal(
            "/a/b TYPE; " + string.Join("; ", Enumerable.Repeat(" TYPE", FaultList.Max - 1)),
            schema.Faults($$$"""{"a":{"b":1},"{{{name}}}":{ {{{members}}} }}""")
        );
    }

    [Fact]
    public void All_faults_of_a_document_are_reported_below_the_pointer_and_none_twice_over()
    {
        var schema = TestSchema.Of(
            """
            {"type":"object","required":["isbn"],"additionalProperties":false,"properties":
              {"isbn":{"type":"string"},"price":{"minimum":0},"tags":{"items":{"maxLength":2}}}}
            """
        );
        var faults = new List<Fault>();
        Assert.False(
            schema.Check(TestJson.Parse("""{"price":-1,"tags":["a","abc"],"prise":1}"""), "/metadata", faults)
        );
        Assert.Equal(
            "/metadata/price MINIMUM; /metadata/tags/1 MAX_LENGTH; /metadata/prise UNKNOWN_MEMBER; /metadata/isbn REQUIRED",
            TestJson.Summary(faults)
        );
    }

    [Fact]
    public void At_most_a_hundred_faults_are_reported()
    {
        var value = JsonSerializer.Serialize(Enumerable.Repeat(1, 1_000));
        Assert.Equal(100, TestSchema.Of("""{"items":{"type":"string"}}""").Faults(value).Split("; ").Length);
    }

    [Theory]
    [InlineData("""{"required":["a"]}""", "{}")]
    [InlineData("""{"minLength":3}""", "\"a\"")]
    [InlineData("""{"minItems":3}""", "[1]")]
    [InlineData("""{"minProperties":3}""", "{}")]
    [InlineData("""{"contains":{"const":1},"minContains":3}""", "[1]")]
    [InlineData("""{"contains":{"const":1}}""", "[]")]
    [InlineData("""{"properties":{"a":{"items":{"anyOf":[{"required":["b"]}]}}}}""", """{"a":[{}]}""")]
    [InlineData("""{"oneOf":[{"required":["a"]},{"required":["b"]}]}""", "{}")]
    public void What_is_incomplete_is_valid_leniently(string schema, string value)
    {
        Assert.NotEqual("", TestSchema.Of(schema).Faults(value));
        Assert.Equal("", TestSchema.Of(schema).Faults(value, lenient: true));
    }

    [Theory]
    [InlineData("""{"type":"string"}""", "1")]
    [InlineData("""{"maxLength":1}""", "\"ab\"")]
    [InlineData("""{"pattern":"^[0-9]{13}$"}""", "\"1\"")]
    [InlineData("""{"minimum":1}""", "0")]
    [InlineData("""{"additionalProperties":false}""", """{"a":1}""")]
    [InlineData("""{"contains":true,"maxContains":1}""", "[1,2]")]
    public void What_is_wrong_is_refused_leniently_too(string schema, string value) =>
        Assert.NotEqual("", TestSchema.Of(schema).Faults(value, lenient: true));

    [Theory]
    [InlineData("""{"not":{"required":["a"]}}""", "{}")]
    [InlineData("""{"if":{"required":["a"]},"then":{"properties":{"b":false}}}""", """{"b":1}""")]
    [InlineData("""{"oneOf":[{"required":["a"]},{"required":["b"]}]}""", """{"a":1}""")]
    [InlineData("""{"contains":{"minLength":2},"maxContains":1}""", """["ab","a"]""")]
    public void What_is_valid_is_valid_leniently_too(string schema, string value)
    {
        Assert.Equal("", TestSchema.Of(schema).Faults(value));
        Assert.Equal("", TestSchema.Of(schema).Faults(value, lenient: true));
    }

    [Fact]
    public void Every_fault_is_of_a_value_that_is_there_or_of_a_member_that_is_missing()
    {
        var seed = (uint)Random.Shared.Next();
        var (generator, random) = (new PCG(1, seed), new Random((int)seed));
        var invalid = 0;
        while (invalid < 10_000)
        {
            var text = RandomSchemas.Whole(3).Generate(generator, null, out _);
            if (TestSchema.Try(text) is not { } schema)
                continue;
            var values = new RandomValues(JsonNode.Parse(text)!.AsObject(), random);
            for (var i = 0; i < 50; i++)
            {
                var value = JsonSerializer.SerializeToElement(values.Next());
                var faults = new List<Fault>();
                var isValid = schema.Check(value, "/metadata", faults);
                Assert.Equal(isValid, faults.Count is 0);
                Assert.Equal(isValid, schema.Accepts(value));
                invalid += isValid ? 0 : 1;
                foreach (var fault in faults)
                    Assert.True(Exists(value, fault), $"Seed {seed}: {fault} {text} {value}");
            }
        }
    }

    static bool Exists(JsonElement value, Fault fault)
    {
        var steps = JsonPointer.Parse(fault.Pointer["/metadata".Length..])!;
        for (var at = 0; at < steps.Length; at++)
            if (value.ValueKind is JsonValueKind.Array && int.TryParse(steps[at], out var index))
                value = value[index];
            else if (value.TryGetProperty(steps[at], out var member))
                value = member;
            else
                return fault.Code is FaultCode.Required && at == steps.Length - 1;
        return fault.Code is not FaultCode.Required;
    }
}
