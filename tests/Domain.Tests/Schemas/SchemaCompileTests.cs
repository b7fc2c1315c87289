using Resources.Grains;

namespace Resources.Domain.Tests;

public class SchemaCompileTests
{
    [Theory]
    [InlineData("""{"minLenght":1}""", "/minLenght UNKNOWN_KEYWORD")]
    [InlineData("""{"definitions":{}}""", "/definitions UNKNOWN_KEYWORD")]
    [InlineData("""{"properties":{"a":{"writeOnly":true}}}""", "/properties/a/writeOnly UNKNOWN_KEYWORD")]
    [InlineData("""{"$schema":"http://json-schema.org/draft-07/schema#"}""", "/$schema UNSUPPORTED_DIALECT")]
    [InlineData("""{"$schema":1}""", "/$schema UNSUPPORTED_DIALECT")]
    [InlineData("1", " WRONG_TYPE")]
    [InlineData("""{"not":[]}""", "/not WRONG_TYPE")]
    [InlineData("""{"allOf":{}}""", "/allOf WRONG_TYPE")]
    [InlineData("""{"allOf":[]}""", "/allOf INVALID_KEYWORD")]
    [InlineData("""{"properties":[]}""", "/properties WRONG_TYPE")]
    [InlineData("""{"items":[true]}""", "/items WRONG_TYPE")]
    [InlineData("""{"type":"strin"}""", "/type INVALID_KEYWORD")]
    [InlineData("""{"type":["string","strin"]}""", "/type/1 INVALID_KEYWORD")]
    [InlineData("""{"type":[]}""", "/type INVALID_KEYWORD")]
    [InlineData("""{"enum":1}""", "/enum WRONG_TYPE")]
    [InlineData("""{"minLength":-1}""", "/minLength INVALID_KEYWORD")]
    [InlineData("""{"minLength":1.5}""", "/minLength INVALID_KEYWORD")]
    [InlineData("""{"maxItems":"1"}""", "/maxItems INVALID_KEYWORD")]
    [InlineData("""{"multipleOf":0}""", "/multipleOf INVALID_KEYWORD")]
    [InlineData("""{"minimum":"1"}""", "/minimum WRONG_TYPE")]
    [InlineData("""{"uniqueItems":1}""", "/uniqueItems WRONG_TYPE")]
    [InlineData("""{"required":"a"}""", "/required INVALID_KEYWORD")]
    [InlineData("""{"dependentRequired":{"a":1}}""", "/dependentRequired INVALID_KEYWORD")]
    [InlineData("""{"title":1}""", "/title WRONG_TYPE")]
    [InlineData("""{"pattern":1}""", "/pattern WRONG_TYPE")]
    [InlineData("""{"pattern":"(a"}""", "/pattern UNSUPPORTED_PATTERN")]
    [InlineData("""{"patternProperties":{"(?=a)":true}}""", "/patternProperties/(?=a) UNSUPPORTED_PATTERN")]
    [InlineData("""{"format":"colour"}""", "/format UNKNOWN_FORMAT")]
    [InlineData("""{"$id":"a#b"}""", "/$id INVALID_KEYWORD")]
    [InlineData("""{"$id":1}""", "/$id WRONG_TYPE")]
    [InlineData("""{"$id":"a","$defs":{"b":{"$id":"a"}}}""", "/$defs/b/$id INVALID_KEYWORD")]
    [InlineData("""{"$anchor":"1"}""", "/$anchor INVALID_KEYWORD")]
    [InlineData("""{"$anchor":"a","not":{"$anchor":"a"}}""", "/not/$anchor INVALID_KEYWORD")]
    [InlineData("""{"$ref":"http://a.invalid/"}""", "/$ref REMOTE_REFERENCE")]
    [InlineData("""{"$ref":"file:///etc/passwd"}""", "/$ref REMOTE_REFERENCE")]
    [InlineData("""{"$ref":"//host/a"}""", "/$ref REMOTE_REFERENCE")]
    [InlineData("""{"$ref":"\\\\host\\a"}""", "/$ref REMOTE_REFERENCE")]
    [InlineData("""{"$ref":"other"}""", "/$ref REMOTE_REFERENCE")]
    [InlineData("""{"$ref":"https://json-schema.org/draft/2020-12/schema"}""", "/$ref REMOTE_REFERENCE")]
    [InlineData("""{"$ref":1}""", "/$ref WRONG_TYPE")]
    [InlineData("""{"$ref":"#/$defs/a"}""", "/$ref UNKNOWN_REFERENCE")]
    [InlineData("""{"$ref":"#a"}""", "/$ref UNKNOWN_REFERENCE")]
    [InlineData("""{"$ref":"#/enum/0","enum":[{}]}""", "/$ref UNKNOWN_REFERENCE")]
    [InlineData("""{"a":1,"b":2,"minimum":""}""", "/a UNKNOWN_KEYWORD; /b UNKNOWN_KEYWORD; /minimum WRONG_TYPE")]
    public void Schema_is_refused_where_it_is_wrong(string schema, string faults) =>
        Assert.Equal(faults, TestSchema.Faults(schema));

    [Theory]
    [InlineData("""{"$schema":"https://json-schema.org/draft/2020-12/schema","$comment":"c","x-own":1}""")]
    [InlineData("""{"$schema":"https://json-schema.org/draft/2020-12/schema#"}""")]
    [InlineData("""{"minLength":1e300,"maxItems":2.0}""")]
    [InlineData("""{"properties":{"$ref":{"type":"string"},"x":true}}""")]
    [InlineData("""{"enum":[{"$ref":"http://a.invalid"}],"default":{"minLenght":1}}""")]
    [InlineData("""{"$anchor":"a","$dynamicAnchor":"a"}""")]
    public void Schema_is_taken(string schema) => Assert.Equal("", TestSchema.Faults(schema));

    [Fact]
    public void Faults_are_below_the_pointer_of_the_schema()
    {
        var faults = new List<Fault>();
        Assert.Null(Schema.Compile(TestJson.Parse("""{"typ":1}"""), "/definition/schema", faults));
        Assert.Equal("/definition/schema/typ UNKNOWN_KEYWORD", TestJson.Summary(faults));
    }

    [Fact]
    public void Limits_are_taken_and_one_more_is_refused()
    {
        Assert.Equal("", TestSchema.Faults(Nested(31)));
        Assert.Contains("TOO_LARGE", TestSchema.Faults(Nested(32)), StringComparison.Ordinal);
        Assert.Equal("", TestSchema.Faults(Wide(1_999)));
        Assert.Contains("TOO_LARGE", TestSchema.Faults(Wide(2_000)), StringComparison.Ordinal);
        Assert.Equal("", TestSchema.Faults(Enum(1_000)));
        Assert.Equal("/enum TOO_LARGE", TestSchema.Faults(Enum(1_001)));
        Assert.Equal("", TestSchema.Faults($$"""{"pattern":"{{new string('é', 1_000)}}"}"""));
        Assert.Equal("/pattern TOO_LARGE", TestSchema.Faults($$"""{"pattern":"{{new string('é', 1_001)}}"}"""));
        Assert.Equal("", TestSchema.Faults("""{"pattern":"a{9999}"}"""));
        Assert.Equal("/pattern UNSUPPORTED_PATTERN", TestSchema.Faults("""{"pattern":"a{10000}"}"""));
        Assert.Equal("", TestSchema.Faults($$"""{"allOf":[{{List("true", 999)}}]}"""));
        Assert.Equal(" TOO_COSTLY", TestSchema.Faults($$"""{"allOf":[{{List("true", 1_000)}}]}"""));
        Assert.Equal("", TestSchema.Faults(Chain(64)));
        Assert.Equal("/$defs/d1 TOO_COSTLY", TestSchema.Faults(Chain(65)));
        Assert.Equal("", TestSchema.Faults($$"""{"items":{"pattern":"a{9999}"},"pattern":"b{9999}"}"""));
        Assert.Equal(
            "/not/pattern TOO_COSTLY",
            TestSchema.Faults("""{"items":{"pattern":"a{9999}"},"pattern":"b{9999}","not":{"pattern":"c"}}""")
        );
    }

    static string Nested(int deep) =>
        string.Concat(Enumerable.Repeat("""{"items":""", deep)) + "true" + new string('}', deep);

    static string Wide(int members) =>
        $$"""{"properties":{ {{string.Join(",", Enumerable.Range(0, members).Select(i => $"\"m{i}\":{{}}"))}} } }""";

    static string Enum(int values) => $$"""{"enum":[{{string.Join(",", Enumerable.Range(0, values))}}]}""";

    static string List(string item, int count) => string.Join(",", Enumerable.Repeat(item, count));

    static string Chain(int length)
    {
        var links = Enumerable
            .Range(1, length)
            .Select(i =>
                i == length
                    ? $"\"d{i}\":true"
                    : $$"""
                        "d{{i}}":{"$ref":"#/$defs/d{{i + 1}}"}
                        """
            );
        return $$"""{"$defs":{ {{string.Join(",", links)}} } }""";
    }
}
