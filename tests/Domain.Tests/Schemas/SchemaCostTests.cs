using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>What schemas and values cost at most, and that a value costs in proportion to its size.</summary>
public class SchemaCostTests
{
    const int Size = 64 * 1024;

    /// <summary>A name, a schema, and a value of 64 KB.</summary>
    public static TheoryData<string, string, string> Attacks
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            var numbers = Items(i => $"{i}");
            data.Add("too many subschemas", $$"""{"properties":{ {{List(20_000, i => $"\"{i}\":true")}} } }""", "{}");
            data.Add(
                "too deep",
                string.Concat(Enumerable.Repeat("""{"not":""", 60)) + "true" + new string('}', 60),
                "1"
            );
            data.Add("wide patterns", Many(900, """{"pattern":"((a{1,30}){1,30}){1,9}"}"""), "\"a\"");
            data.Add("long patterns", Many(900, $$"""{"pattern":"{{new string('a', 100)}}"}"""), "\"a\"");
            data.Add("classes", Many(900, """{"pattern":"[\\p{L}\\p{N}-é][^\\p{Lu}]"}"""), "\"a\"");
            data.Add("many enums", Many(60, $$"""{"enum":[{{List(1_000, i => $"{i}")}}]}"""), "1");
            data.Add("unique numbers", """{"uniqueItems":true}""", numbers);
            data.Add("unique until the last", """{"uniqueItems":true}""", numbers[..^1] + ",1.0]");
            data.Add("unique numbers of one double", """{"uniqueItems":true}""", Items(OfOneDouble));
            data.Add("unique names", """{"uniqueItems":true}""", Items(i => $"\"{Colliding(i)}\""));
            data.Add("unique nested", """{"uniqueItems":true}""", Items(i => $"[[{i}]]"));
            data.Add("unique objects", """{"uniqueItems":true}""", Items(i => $$"""{"a":{{i}},"b":{"a":0} }"""));
            data.Add("unique in unique", Unique(30), Nested(60, numbers));
            data.Add("few large items", """{"uniqueItems":true}""", $"[{Half("1")},{Half("2")}]");
            data.Add(
                "enum of one double",
                $$"""{"items":{"enum":[{{List(1_000, OfOneDouble)}}]} }""",
                Items(i => OfOneDouble(i % 900))
            );
            data.Add("constant of large values", Many(900, """{"const":[[1]]}"""), Half("1"));
            data.Add(
                "all that are required",
                $$"""{"required":[{{List(9_000, i => $"\"r{i}\"")}}]}""",
                Members(i => $"m{i}")
            );
            data.Add(
                "members that collide",
                $$"""{"properties":{ {{List(1_900, i => $"\"{Colliding(i)}\":true")}} },"required":[{{List(4_000, i => $"\"{Colliding(i)}\"")}}]}""",
                Members(Colliding)
            );
            data.Add("members under many", Many(900, """{"properties":{"a":true}}"""), Members(i => $"m{i}"));
            data.Add("names under many", Many(900, """{"propertyNames":{"maxLength":9}}"""), Members(i => $"m{i}"));
            data.Add(
                "patterns of names",
                Many(900, """{"patternProperties":{"^(a|b|c)*$":true}}"""),
                Members(i => $"m{i}")
            );
            data.Add("dependencies", Many(900, """{"dependentRequired":{"a":["b"]}}"""), Members(i => $"m{i}"));
            data.Add("unevaluated under many", Many(400, """{"unevaluatedProperties":true}"""), Members(i => $"m{i}"));
            data.Add(
                "marks under many",
                $$"""{"unevaluatedItems":true,"anyOf":[{{List(900, _ => """{"items":true}""")}}]}""",
                numbers
            );
            data.Add("contains under many", Many(900, """{"contains":{"const":-1}}"""), numbers);
            data.Add(
                "multiples",
                """{"items":{"allOf":[{"multipleOf":1.7e-300},{"multipleOf":1.9e-299}]}}""",
                Items(_ => "1.234567890123457e300")
            );
            data.Add(
                "bounds",
                """{"items":{"minimum":1.000000000000000000000000001,"exclusiveMaximum":1e300}}""",
                Items(_ => "1.5e20")
            );
            data.Add("lengths", Many(900, """{"maxLength":70000}"""), $"\"{new string('a', Size)}\"");
            data.Add(
                "escapes",
                Many(900, """{"minLength":1}"""),
                $"\"{string.Concat(Enumerable.Repeat("\\u00e9", Size / 6))}\""
            );
            data.Add("faults", Many(900, """{"items":{"type":"string"}}"""), numbers);
            data.Add("faults far down", """{"items":{"$ref":"#"},"type":"array","minItems":1}""", Nested(60, numbers));
            foreach (
                var format in "date-time idn-email hostname idn-hostname ipv6 iri uri-template json-pointer regex".Split(
                    ' '
                )
            )
            foreach (var piece in new[] { "a.", "é", "xn--a.", "::", "{a}", "%61", "(a|b)*" })
                data.Add(
                    $"{format} of {piece}",
                    $$"""{"format":"{{format}}"}""",
                    $"\"{string.Concat(Enumerable.Repeat(piece, Size / piece.Length))}\""
                );
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Attacks))]
    public void Answer_comes_soon_and_takes_little_memory(string name, string schema, string value)
    {
        TestContext.Current.SendDiagnosticMessage(name);
        Cost.Of(schema, value).IsBounded();
    }

    [Fact]
    public void Defaults_make_no_value_larger_than_any_may_be()
    {
        var schema = TestSchema.Of(
            $$"""{"items":{"properties":{"a":{"default":"{{new string('a', 50_000)}}"},"b":{"default":1e300} } } }"""
        );
        var many = TestJson.Parse($"[{List(20_000, _ => "{}")}]");
        Cost.Of(() => schema.TryPutDefaults(many, out _)).IsBounded();
        Assert.False(schema.TryPutDefaults(many, out var filled));
        Assert.Null(filled);
    }

    [Fact]
    public void Defaults_are_looked_for_soon()
    {
        var names = List(1_800, i => $"\"n{i}\":{{\"default\":1}}");
        var wide = TestSchema.Of($$"""{"items":{"properties":{ {{names}} } } }""");
        var full = $$"""{ {{List(1_800, i => $"\"n{i}\":1")}} }""";
        Cost.Of(() => wide.TryPutDefaults(TestJson.Parse($"[{List(5, _ => full)}]"), out _)).IsBounded();
        var many = TestSchema.Of(Many(900, """{"properties":{"a":{"default":1}}}"""));
        Cost.Of(() => many.TryPutDefaults(TestJson.Parse(Members(i => $"m{i}")), out _)).IsBounded();
        var items = TestSchema.Of(Many(600, """{"items":{"properties":{"a":{"default":1}}}}"""));
        Cost.Of(() => items.TryPutDefaults(TestJson.Parse(Items(_ => "{}")), out _)).IsBounded();
    }

    /// <summary>Schemas that are held against themselves and, so that they differ, against what is narrower.</summary>
    [Theory]
    [InlineData("names and patterns")]
    [InlineData("alternatives")]
    [InlineData("members")]
    [InlineData("values")]
    [InlineData("parts")]
    public void Wider_schema_is_known_or_given_up_soon(string kind)
    {
        string Of(string end) =>
            kind switch
            {
                "names and patterns" =>
                    $$"""{"properties":{ {{List(900, i => $"\"{new string('a', 90)}{i}\":{{}}")}} },"patternProperties":{"(a?){4900}b":{{end}} } }""",
                "alternatives" =>
                    $$"""{"anyOf":[{{List(900, i => $$"""{"minimum":{{i}},"type":"number"}""")}},{{end}}]}""",
                "members" => $$"""{"properties":{ {{List(1_900, i => $"\"m{i}\":{end}")}} } }""",
                "values" =>
                    $$"""{"enum":[{{List(1_000, i => $"\"{new string('a', 90)}{i}\"")}}],"allOf":[{{List(900, i => $$"""{"pattern":"(a|b|{{i}})*"}""")}},{{end}}]}""",
                _ =>
                    $$"""{"allOf":[{{List(20, i => $$"""{"allOf":[{{List(20, j => $$"""{"not":{"const":{{i * j}} } }""")}},{{end}}]}""")}}]}""",
            };
        var (old, now) = (TestSchema.Of(Of("""{"minLength":1}""")), TestSchema.Of(Of("""{"minLength":2}""")));
        Cost.Of(() => Schema.IsWider(old, old)).IsBounded();
        Cost.Of(() => Schema.IsWider(old, now)).IsBounded();
    }

    /// <summary>Schemas, and the values of a size that they are held against.</summary>
    static readonly (string Schema, Func<int, string> Value)[] Growing =
    [
        ($$"""{"items":{{Record}}}""", size => $"[{List(size, i => RecordOf(i))}]"),
        ($$"""{"additionalProperties":{{Record}}}""", size => $"{{{List(size, i => $"\"m{i:D4}\":{RecordOf(i)}")}}}"),
        ($$"""{"unevaluatedItems":{{Record}}}""", size => $"[{List(size, i => RecordOf(i))}]"),
        ("""{"uniqueItems":true}""", size => $"[{List(size, RecordOf)}]"),
        ("""{"contains":{"const":1},"minContains":0,"maxContains":1}""", size => $"[{List(size, i => $"{i + 1000}")}]"),
        ("""{"patternProperties":{"^(m|n)+[0-9]*$":true}}""", size => $"{{{List(size, i => $"\"m{i:D4}\":1")}}}"),
        ("""{"propertyNames":{"minLength":2}}""", size => $"{{{List(size, i => $"\"m{i:D4}\":1")}}}"),
        ("""{"pattern":"^(a|b|ab)*$"}""", size => $"\"{string.Concat(Enumerable.Repeat("ab", size))}\""),
        ("""{"required":["m0001"],"minProperties":2,"dependentRequired":{"m0001":["m0002"]}}""", size =>
            $"{{{List(size, i => $"\"m{i:D4}\":1")}}}"
        ),
    ];

    const string Record = """
        {"type":"object","required":["id","text"],"properties":{"id":{"type":"integer","minimum":0},
         "text":{"type":"string","minLength":1,"pattern":"^[a-z ]+$"},"tags":{"items":{"enum":["a","b"]},"uniqueItems":true}},
         "anyOf":[{"required":["none"]},{"properties":{"text":{"maxLength":9}}}],"unevaluatedProperties":false}
        """;

    static string RecordOf(int i) => $$"""{"id":{{i + 1000}},"text":"some text","tags":["a","b"]}""";

    [Fact]
    public void Steps_grow_in_proportion_to_the_value()
    {
        foreach (var (text, valueOf) in Growing)
        {
            var schema = TestSchema.Of(text);
            var points = new List<(double Size, double Steps)>();
            for (var size = 50; size <= 500; size += 50)
            {
                var value = valueOf(size);
                var run = new SchemaRun(isLenient: false, followsScope: false);
                Assert.True(run.Check(schema.Root, TestJson.Parse(value), ""), text);
                points.Add((value.Length, run.Steps));
            }
            Assert.True(Determination(points) > 0.99, $"{text}: {string.Join(' ', points)}");
        }
    }

    /// <summary>How much of the steps a straight line explains: the square of their correlation with the size.</summary>
    static double Determination(List<(double Size, double Steps)> points)
    {
        var (size, steps) = (points.Average(point => point.Size), points.Average(point => point.Steps));
        var together = points.Sum(point => (point.Size - size) * (point.Steps - steps));
        return together
            * together
            / points.Sum(point => Math.Pow(point.Size - size, 2))
            / points.Sum(point => Math.Pow(point.Steps - steps, 2));
    }

    static string List(int count, Func<int, string> item) => string.Join(',', Enumerable.Range(0, count).Select(item));

    static string Many(int count, string schema) => $$"""{"allOf":[{{List(count, _ => schema)}}]}""";

    /// <summary>An array of 64 KB.</summary>
    static string Items(Func<int, string> item) => $"[{Filled(item)}]";

    /// <summary>An object of 64 KB.</summary>
    static string Members(Func<int, string> name) => $"{{{Filled(i => $"\"{name(i)}\":1")}}}";

    static string Filled(Func<int, string> item) => List(Size / (item(1_000).Length + 1), item);

    /// <summary>An array of 32 KB that differs from another one at its end only.</summary>
    static string Half(string last) => $"[{List(Size / 4 - 8, _ => "1")},{last}]";

    static string Nested(int levels, string value) => new string('[', levels) + value + new string(']', levels);

    static string Unique(int levels) =>
        levels is 0 ? """{"uniqueItems":true}""" : $$"""{"uniqueItems":true,"items":{{Unique(levels - 1)}}}""";

    /// <summary>Numbers that differ in their last digits, beyond those of a double.</summary>
    static string OfOneDouble(int i) => $"1.0000000000000000000{i:D8}";

    /// <summary>Names that have one hash where it is a polynomial of 31.</summary>
    static string Colliding(int i) =>
        string.Concat(Enumerable.Range(0, 13).Select(bit => (i >> bit & 1) is 0 ? "Aa" : "BB"));
}
