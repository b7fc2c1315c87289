using System.Text.Json;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>What each operation of a migration makes of a resource, and which ones are refused.</summary>
public class MigrationTests
{
    static Migration Read(string operations)
    {
        var faults = new List<Fault>();
        var migration = Migration.Read(JsonElement.Parse(operations), null, faults);
        Assert.Equal("", TestJson.Summary(faults));
        return migration!;
    }

    static string FaultsOf(string operations, string? schema = null)
    {
        var faults = new List<Fault>();
        var compiled = schema is null ? null : Schema.Compile(JsonElement.Parse(schema), "/schema", faults);
        var migration = Migration.Read(JsonElement.Parse(operations), compiled, faults);
        Assert.Equal(faults is [], migration is not null);
        return TestJson.Summary(faults);
    }

    /// <summary>The metadata and the status after an operation, or the faults of the resource.</summary>
    static string After(string operation, string metadata, string status = "live")
    {
        var faults = new List<Fault>();
        var (became, migrated) = Read($"[{operation}]").Apply(status, Story.Text(metadata), faults);
        if (faults is [])
            return $"{migrated}{(became == status ? "" : " " + became)}";
        Assert.Equal((status, Story.Text(metadata)), (became, migrated));
        return TestJson.Summary(faults);
    }

    static string Move(string from, string path) => $$"""{"op":"move","from":"{{from}}","path":"{{path}}"}""";

    static string Convert(string to, string path = "/metadata/a") =>
        $$"""{"op":"convert","path":"{{path}}","to":"{{to}}"}""";

    static string Default(string path, string value) => $$"""{"op":"default","path":"{{path}}","value":{{value}}}""";

    static string Remove(string path) => $$"""{"op":"remove","path":"{{path}}"}""";

    static string Map(string path, string values) => $$"""{"op":"map","path":"{{path}}","values":{{values}}}""";

    public static TheoryData<string, string, string> Moves =>
        new()
        {
            { Move("/metadata/a", "/metadata/b"), """{"a":1}""", """{"b":1}""" },
            { Move("/metadata/a", "/metadata/b"), """{"c":1}""", """{"c":1}""" },
            { Move("/metadata/a", "/metadata/b"), """{"a":null}""", """{"b":null}""" },
            { Move("/metadata/a", "/metadata/b"), """{"a":{"x":[1]}}""", """{"b":{"x":[1]}}""" },
            { Move("/metadata/a", "/metadata/b"), """{"a":1,"b":2}""", "/metadata/b ALREADY_THERE" },
            { Move("/metadata/a", "/metadata/b"), """{"a":1,"b":null}""", "/metadata/b ALREADY_THERE" },
            { Move("/metadata/a", "/metadata/b"), """{"b":2}""", """{"b":2}""" },
            { Move("/metadata/a", "/metadata/x/y"), """{"a":1}""", """{"x":{"y":1}}""" },
            { Move("/metadata/a", "/metadata/x/y"), """{"a":1,"x":{"z":2}}""", """{"x":{"y":1,"z":2}}""" },
            { Move("/metadata/a", "/metadata/x/y"), """{"x":{"z":2}}""", """{"x":{"z":2}}""" },
            { Move("/metadata/a", "/metadata/x/y"), """{"a":1,"x":3}""", "/metadata/x NOT_AN_OBJECT" },
            { Move("/metadata/a", "/metadata/x/y"), """{"a":1,"x":null}""", "/metadata/x NOT_AN_OBJECT" },
            { Move("/metadata/a", "/metadata/x/0"), """{"a":1,"x":[]}""", "/metadata/x NOT_AN_OBJECT" },
            { Move("/metadata/a", "/metadata/a/amount"), """{"a":1}""", """{"a":{"amount":1}}""" },
            { Move("/metadata/a/b", "/metadata/c"), """{"a":{"b":1}}""", """{"a":{},"c":1}""" },
            { Move("/metadata/a/b", "/metadata/c"), """{"a":1}""", """{"a":1}""" },
            { Move("/metadata/a/0", "/metadata/c"), """{"a":[1,2]}""", """{"a":[2],"c":1}""" },
            { Move("/metadata/a/2", "/metadata/c"), """{"a":[1,2]}""", """{"a":[1,2]}""" },
            { Move("/metadata/~1~0", "/metadata/b"), """{"/~":1}""", """{"b":1}""" },
        };

    public static TheoryData<string, string, string> Conversions =>
        new()
        {
            { Convert("integer"), """{"a":"12"}""", """{"a":12}""" },
            { Convert("integer"), """{"a":"-1"}""", """{"a":-1}""" },
            { Convert("integer"), """{"a":12}""", """{"a":12}""" },
            { Convert("integer"), """{"a":12.0}""", """{"a":12.0}""" },
            { Convert("integer"), """{"a":12.5}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer"), """{"a":"12.5"}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer"), """{"a":""}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer"), """{"a":"twelve"}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer"), """{"a":" 12"}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer"), """{"a":"012"}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer"), """{"a":"true"}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer"), """{"a":true}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer"), """{"a":[1]}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer"), """{"a":{}}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer"), """{"a":null}""", """{"a":null}""" },
            { Convert("integer"), """{"b":"x"}""", """{"b":"x"}""" },
            { Convert("integer"), """{"a":"9007199254740993"}""", """{"a":9007199254740993}""" },
            { Convert("number"), """{"a":"1.50"}""", """{"a":1.50}""" },
            { Convert("number"), """{"a":"1e999"}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("number"), """{"a":"NaN"}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("string"), """{"a":1.50}""", """{"a":"1.50"}""" },
            { Convert("string"), """{"a":true}""", """{"a":"true"}""" },
            { Convert("string"), """{"a":"x"}""", """{"a":"x"}""" },
            { Convert("string"), """{"a":[1]}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("boolean"), """{"a":"false"}""", """{"a":false}""" },
            { Convert("boolean"), """{"a":true}""", """{"a":true}""" },
            { Convert("boolean"), """{"a":"yes"}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("boolean"), """{"a":1}""", "/metadata/a NOT_CONVERTIBLE" },
            { Convert("integer", "/metadata/a/1"), """{"a":["1","2"]}""", """{"a":["1",2]}""" },
            { Convert("integer", "/metadata/a/b"), """{"a":{"b":"2"}}""", """{"a":{"b":2}}""" },
            { Convert("integer", "/metadata/a/b"), """{"a":"2"}""", """{"a":"2"}""" },
        };

    public static TheoryData<string, string, string> Others =>
        new()
        {
            { Default("/metadata/a", "\"EUR\""), "{}", """{"a":"EUR"}""" },
            { Default("/metadata/a", "\"EUR\""), """{"a":"USD"}""", """{"a":"USD"}""" },
            { Default("/metadata/a", "\"EUR\""), """{"a":null}""", """{"a":null}""" },
            { Default("/metadata/a", "null"), "{}", """{"a":null}""" },
            { Default("/metadata/a", """{"x":[]}"""), "{}", """{"a":{"x":[]}}""" },
            { Default("/metadata/a/b", "1"), """{"a":{}}""", """{"a":{"b":1}}""" },
            { Default("/metadata/a/b", "1"), "{}", "{}" },
            { Default("/metadata/a/b", "1"), """{"a":2}""", """{"a":2}""" },
            { Default("/metadata/a/0", "1"), """{"a":[]}""", """{"a":[]}""" },
            { Remove("/metadata/a"), """{"a":1,"b":2}""", """{"b":2}""" },
            { Remove("/metadata/a"), """{"a":null}""", "{}" },
            { Remove("/metadata/a"), """{"b":2}""", """{"b":2}""" },
            { Remove("/metadata/a/b"), """{"a":{"b":1,"c":2}}""", """{"a":{"c":2}}""" },
            { Remove("/metadata/a/0"), """{"a":[1,2]}""", """{"a":[2]}""" },
            { Remove("/metadata/a/b/c"), """{"a":[1,2]}""", """{"a":[1,2]}""" },
            { Map("/metadata/a", """{"x":"y","y":"z"}"""), """{"a":"x"}""", """{"a":"y"}""" },
            { Map("/metadata/a", """{"x":"y"}"""), """{"a":"q"}""", """{"a":"q"}""" },
            { Map("/metadata/a", """{"x":"y"}"""), "{}", "{}" },
            { Map("/metadata/a", """{"x":null}"""), """{"a":"x"}""", """{"a":null}""" },
            { Map("/metadata/a", """{"null":1}"""), """{"a":null}""", """{"a":null}""" },
            { Map("/metadata/a", """{"1":"one","true":"yes"}"""), """{"a":1}""", """{"a":"one"}""" },
            { Map("/metadata/a", """{"1":"one","true":"yes"}"""), """{"a":true}""", """{"a":"yes"}""" },
            { Map("/metadata/a", """{"x":["y"]}"""), """{"a":["x"]}""", """{"a":["x"]}""" },
            { Map("/metadata/a/0", """{"x":{"y":1}}"""), """{"a":["x"]}""", """{"a":[{"y":1}]}""" },
            { Map("/status", """{"live":"published"}"""), "{}", "{} published" },
            { Map("/status", """{"dead":"gone"}"""), "{}", "{}" },
        };

    [Theory, MemberData(nameof(Moves)), MemberData(nameof(Conversions)), MemberData(nameof(Others))]
    public void Operation_changes_what_is_there_or_blames_the_resource(
        string operation,
        string metadata,
        string expected
    ) => Assert.Equal(expected, After(operation, metadata));

    [Fact]
    public void Operations_run_in_their_order()
    {
        var operations = string.Join(
            ',',
            Move("/metadata/price", "/metadata/unitPrice"),
            Convert("number", "/metadata/unitPrice"),
            Default("/metadata/currency", "\"EUR\""),
            Map("/metadata/currency", """{"EUR":"eur"}"""),
            Map("/status", """{"live":"published"}""")
        );
        Assert.Equal("""{"currency":"eur","unitPrice":9.5} published""", After(operations, """{"price":"9.5"}"""));
    }

    [Fact]
    public void Every_value_that_does_not_become_another_is_reported() =>
        Assert.Equal(
            "/metadata/a NOT_CONVERTIBLE; /metadata/b NOT_CONVERTIBLE",
            After($"{Convert("integer")},{Convert("integer", "/metadata/b")}", """{"a":"x","b":"y","c":1}""")
        );

    [Fact]
    public void Value_that_would_lie_too_deep_is_reported()
    {
        var deep = $$"""{"a":{{new string('[', 61)}}{{new string(']', 61)}}}""";
        Assert.StartsWith(
            "{\"b\":{\"c\":",
            After(Move("/metadata/a", "/metadata/b/c"), deep),
            StringComparison.Ordinal
        );
        Assert.Equal("/metadata/b/c/d TOO_DEEP", After(Move("/metadata/a", "/metadata/b/c/d"), deep));
    }

    [Fact]
    public void Metadata_that_would_become_too_large_are_reported()
    {
        var value = JsonSerializer.Serialize(new string('x', 1 << 14));
        var stored = JsonSerializer.Serialize(new { a = new string('y', (1 << 20) - (1 << 14)) });
        Assert.Equal("/metadata TOO_LARGE", After(Default("/metadata/b", value), stored));
    }

    [Fact]
    public void Stored_migration_is_the_one_that_was_sent()
    {
        var sent = Read($"[{Move("/metadata/a", "/metadata/b")},{Default("/metadata/c", "null")}]");
        var stored = Migration.Stored(Story.Text(sent.Text.ToString()));
        Assert.Equal(sent.Text, stored.Text);
        Assert.Equal("""{"b":1,"c":null}""", stored.Apply("live", Story.Text("""{"a":1}"""), []).Metadata.ToString());
    }

    [Theory]
    [InlineData("/metadata/a", true)]
    [InlineData("/metadata/a/b", true)]
    [InlineData("/metadata/c", true)]
    [InlineData("/metadata/c/*/d", true)]
    [InlineData("/metadata/*", true)]
    [InlineData("/metadata/b", false)]
    [InlineData("/name", false)]
    [InlineData("/status", false)]
    public void Migration_touches_what_lies_on_its_places(string pointer, bool touches) =>
        Assert.Equal(touches, Read($"[{Move("/metadata/a", "/metadata/c/0/d")}]").Touches(pointer));

    [Theory]
    [InlineData("/metadata/codes/0", true)]
    [InlineData("/metadata/codes/1", true)]
    [InlineData("/metadata/codes/2/of", true)]
    [InlineData("/metadata/codes/*", true)]
    [InlineData("/metadata/codes", true)]
    [InlineData("/metadata/other/1", false)]
    public void Item_that_is_taken_out_touches_those_behind_it(string pointer, bool touches)
    {
        Assert.Equal(touches, Read($"[{Remove("/metadata/codes/0")}]").Touches(pointer));
        Assert.Equal(touches, Read($"[{Move("/metadata/codes/0", "/metadata/first")}]").Touches(pointer));
    }

    [Fact]
    public void Item_that_changes_in_its_place_touches_no_other()
    {
        var migration = Read($"[{Convert("string", "/metadata/codes/0")},{Remove("/metadata/codes/1/of")}]");
        Assert.True(migration.Touches("/metadata/codes/0"));
        Assert.False(migration.Touches("/metadata/codes/1/by"));
        Assert.False(migration.Touches("/metadata/codes/2"));
    }

    public static TheoryData<string, string> Faulty =>
        new()
        {
            { "{}", "/migration WRONG_TYPE" },
            { "null", "/migration WRONG_TYPE" },
            { "[1]", "/migration/0 WRONG_TYPE" },
            { "[{}]", "/migration/0/op REQUIRED; /migration/0/path REQUIRED" },
            { """[{"op":"copy","path":"/metadata/a"}]""", "/migration/0/op UNKNOWN_OPERATION" },
            { """[{"op":"remove","path":"metadata"}]""", "/migration/0/path INVALID_POINTER" },
            { """[{"op":"remove","path":"/metadata"}]""", "/migration/0/path UNKNOWN_MEMBER_PATH" },
            { """[{"op":"remove","path":"/name"}]""", "/migration/0/path UNKNOWN_MEMBER_PATH" },
            { """[{"op":"remove","path":"/status"}]""", "/migration/0/path UNKNOWN_MEMBER_PATH" },
            { """[{"op":"remove","path":"/metadata/a/*/b"}]""", "/migration/0/path UNSUPPORTED" },
            { """[{"op":"remove","path":"/metadata/a","from":"/metadata/b"}]""", "/migration/0/from UNKNOWN_MEMBER" },
            { """[{"op":"move","path":"/metadata/a"}]""", "/migration/0/from REQUIRED" },
            { $"[{Move("/metadata/a", "/metadata/a")}]", "/migration/0/path MOVE_INTO_ITSELF" },
            { $"[{Move("/metadata/a/b", "/metadata/a")}]", "/migration/0/path MOVE_INTO_ITSELF" },
            { """[{"op":"default","path":"/metadata/a"}]""", "/migration/0/value REQUIRED" },
            { """[{"op":"convert","path":"/metadata/a"}]""", "/migration/0/to REQUIRED" },
            { $"[{Convert("date")}]", "/migration/0/to UNKNOWN_VALUE" },
            { """[{"op":"map","path":"/metadata/a"}]""", "/migration/0/values REQUIRED" },
            { $"[{Map("/metadata/a", "[]")}]", "/migration/0/values WRONG_TYPE" },
            { $"[{Map("/metadata/a", "{}")}]", "/migration/0/values TOO_SHORT" },
            {
                $"[{Map("/status", """{"live":"On Sale","x":1}""")}]",
                "/migration/0/values/x INVALID_SLUG; /migration/0/values/live INVALID_SLUG"
            },
            {
                $"[{Remove("/metadata/a")},{Convert("date")},{Default("/title", "1")}]",
                "/migration/1/to UNKNOWN_VALUE; /migration/2/path UNKNOWN_MEMBER_PATH"
            },
        };

    [Theory, MemberData(nameof(Faulty))]
    public void Faulty_migration_is_refused_with_all_its_faults(string operations, string faults) =>
        Assert.Equal(faults, FaultsOf(operations));

    [Fact]
    public void Empty_migration_is_none() => Assert.Null(Migration.Read(JsonElement.Parse("[]"), null, []));

    [Fact]
    public void Sixty_four_operations_are_accepted_and_one_more_is_not()
    {
        static string Many(int count) => $"[{string.Join(',', Enumerable.Repeat(Remove("/metadata/a"), count))}]";
        Assert.Equal("", FaultsOf(Many(64)));
        Assert.Equal("/migration TOO_MANY_OPERATIONS", FaultsOf(Many(65)));
    }

    [Fact]
    public void Thirty_two_kibibytes_are_accepted_and_more_are_not()
    {
        static string Of(int size) => $"[{Default("/metadata/a", JsonSerializer.Serialize(new string('x', size)))}]";
        var frame = Read(Of(1)).Text.Utf8.Length - 1;
        Assert.Equal("", FaultsOf(Of((32 << 10) - frame)));
        Assert.Equal("/migration TOO_LARGE", FaultsOf(Of((32 << 10) - frame + 1)));
    }

    [Theory]
    [InlineData("""[{"op":"move","from":"/metadata/a","path":"/metadata/b"}]""", "")]
    [InlineData("""[{"op":"move","from":"/metadata/a","path":"/metadata/c"}]""", "/migration/0/path")]
    [InlineData("""[{"op":"default","path":"/metadata/c","value":1}]""", "/migration/0/path")]
    [InlineData(
        """[{"op":"move","from":"/metadata/a","path":"/metadata/c"},{"op":"move","from":"/metadata/c","path":"/metadata/b"}]""",
        ""
    )]
    public void Nothing_stays_where_the_new_schema_describes_no_member(string operations, string fault) =>
        Assert.Equal(
            fault is "" ? "" : fault + " UNKNOWN_MEMBER_PATH",
            FaultsOf(
                operations,
                """{"type":"object","additionalProperties":false,"properties":{"b":{"type":"number"}}}"""
            )
        );
}
