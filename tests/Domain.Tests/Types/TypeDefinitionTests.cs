using Resources.Grains;
using static Resources.Domain.Tests.TypeStory;

namespace Resources.Domain.Tests;

public class TypeDefinitionTests
{
    [Fact]
    public void Definition_is_read_with_all_its_rules()
    {
        var book = Define(Book);
        Assert.Equal(("book", "books"), (book.Name, book.Plural));
        Assert.Equal("draft", book.Lifecycle!.Initial);
        Assert.Equal(["retired"], book.Lifecycle.Allowed("published"));
        Assert.Equal(["isbn", "title"], book.Unique.Select(rule => rule.Name));
        Assert.Equal(["author", "book"], book.References.Select(rule => rule.Type));
    }

    [Theory]
    [InlineData("", "C C C C")]
    [InlineData(",\"collation\":\"C\"", "C C C C")]
    [InlineData(",\"collation\":\"und-x-icu\"", "und-x-icu C C und-x-icu")]
    public void Collation_is_that_of_all_indexed_members_that_take_texts_but_no_times(string collation, string expected)
    {
        var book = Define(
            """
            {"name":"book","schema":{"type":"object","properties":{
                "title":{},"at":{"type":"string","format":"date-time"},"price":{"allOf":[{"type":["number","null"]}]},
                "code":{"anyOf":[{"type":"number"},{"type":"string"}]}}},
                "indexed":["/metadata/title","/metadata/at","/metadata/price","/metadata/code"]
            """
                + collation
                + "}"
        );
        Assert.Equal(expected, string.Join(' ', book.Indexed.Select(member => member.Collation)));
    }

    public static TheoryData<string, string> Faulty =>
        new()
        {
            { "{}", "/name REQUIRED; /schema REQUIRED" },
            { """{"name":"Book","schema":{"type":"object"}}""", "/name INVALID_SLUG" },
            { """{"name":"book","schema":{"type":"array"}}""", "/schema NOT_AN_OBJECT" },
            { """{"name":"book","schema":true}""", "/schema NOT_AN_OBJECT" },
            { """{"name":"book","schema":{"type":"object","requird":[]}}""", "/schema/requird UNKNOWN_KEYWORD" },
            { """{"name":"book","schema":{"type":"object"},"unqiue":{}}""", "/unqiue UNKNOWN_MEMBER" },
            { """{"name":"book","schema":{"type":"object"},"indexed":["/name"]}""", "/indexed/0 UNKNOWN_MEMBER_PATH" },
            { """{"name":"book","schema":{"type":"object"},"collation":"de-x-icu"}""", "/collation UNKNOWN_COLLATION" },
            { """{"name":"book","schema":{"type":"object"},"collation":5}""", "/collation WRONG_TYPE" },
            { """{"name":"book","schema":{"type":"object"},"migration":{}}""", "/migration WRONG_TYPE" },
            {
                """{"name":"sheep","names":{"plural":"sheep"},"schema":{"type":"object"}}""",
                "/names/plural NAME_CLASH"
            },
            {
                With("\"inverse\":\"books\"", "\"onDelete\":\"drop\""),
                "/references/~1metadata~1author/onDelete UNKNOWN_VALUE"
            },
            {
                With("\"/metadata/author\":", "\"/metadata/autor\":"),
                "/references/~1metadata~1autor UNKNOWN_MEMBER_PATH"
            },
            { With("\"/metadata/author\":", "\"/name\":"), "/references/~1name UNKNOWN_MEMBER_PATH" },
            { With("[\"/metadata/isbn\"]", "[\"/metadata/isnb\"]"), "/unique/isbn/members/0 UNKNOWN_MEMBER_PATH" },
            { With("[\"/metadata/isbn\"]", "[]"), "/unique/isbn/members TOO_SHORT" },
            {
                With("[\"/metadata/isbn\"]", "[\"/metadata/isbn\",\"/metadata/isbn\"]"),
                "/unique/isbn/members DUPLICATE_MEMBER"
            },
            {
                With(
                    "[\"/metadata/isbn\"]",
                    "[\"/name\",\"/status\",\"/owner\",\"/metadata/isbn\",\"/metadata/price\"]"
                ),
                "/unique/isbn/members TOO_LONG"
            },
            { With("\"initial\":\"draft\"", "\"initial\":\"new\""), "/lifecycle/initial UNKNOWN_STATE" },
            { With("\"retired\":{}", "\"lost\":{},\"retired\":{}"), "/lifecycle/states/lost UNREACHABLE_STATE" },
            {
                With("\"to\":\"retired\"", "\"to\":\"gone\""),
                "/lifecycle/transitions/1/to UNKNOWN_STATE; /lifecycle/states/retired UNREACHABLE_STATE"
            },
            {
                With("\"retired\":{}", "\"retired\":{\"schema\":{\"tpye\":1}}"),
                "/lifecycle/states/retired/schema/tpye UNKNOWN_KEYWORD"
            },
            {
                With("[\"/metadata/price\"]", "[\"/metadata/prize\"]"),
                "/lifecycle/states/published/require/0 UNKNOWN_MEMBER_PATH"
            },
        };

    public static TheoryData<string, string, bool> Unset =>
        new()
        {
            { """{"properties":{"of":{"type":"string"}}}""", "/metadata/of", true },
            { """{"properties":{"of":{"type":"string"}},"required":["of"]}""", "/metadata/of", false },
            { """{"properties":{"of":{"type":"array"}},"required":["of"]}""", "/metadata/of", true },
            { """{"properties":{"of":{"type":"array","items":{}}},"required":["of"]}""", "/metadata/of/*", true },
            { """{"allOf":[{"properties":{"of":{}},"required":["of"]}]}""", "/metadata/of", false },
            {
                """{"$defs":{"a":{"properties":{"of":{}},"required":["of"]}},"$ref":"#/$defs/a"}""",
                "/metadata/of",
                false
            },
            // Whether it is required depends on the value.
            { """{"anyOf":[{"properties":{"of":{}},"required":["of"]},{}]}""", "/metadata/of", true },
            { """{"properties":{"in":{"properties":{"of":{}},"required":["of"]}}}""", "/metadata/in/of", false },
            {
                """{"properties":{"in":{"items":{"properties":{"of":{}},"required":["of"]}}}}""",
                "/metadata/in/*/of",
                false
            },
        };

    [Theory, MemberData(nameof(Unset))]
    public void Member_that_is_required_cannot_be_unset(string schema, string pointer, bool isPossible)
    {
        var definition =
            $$"""{"name":"page","schema":{"type":"object",{{schema[1..]}} """
            + $$"""
                ,"references":{"{{pointer}}":{"type":"author","onDelete":"unset"} } }
                """;
        var place = JsonPointer.Append("/references", pointer);
        Assert.Equal(isPossible ? "" : $"{place}/onDelete REQUIRED_MEMBER", FaultsOf(definition));
        Assert.Equal("", FaultsOf(definition.Replace("unset", "cascade", StringComparison.Ordinal)));
    }

    [Fact]
    public void Member_that_a_state_requires_cannot_be_unset() =>
        Assert.Equal(
            "/references/~1metadata~1author/onDelete REQUIRED_MEMBER",
            FaultsOf(
                With("\"inverse\":\"books\"", "\"onDelete\":\"unset\"")
                    .Replace(
                        "[\"/metadata/price\"]",
                        "[\"/metadata/price\",\"/metadata/author\"]",
                        StringComparison.Ordinal
                    )
            )
        );

    [Theory, MemberData(nameof(Faulty))]
    public void Faulty_definition_is_refused_with_all_its_faults(string definition, string faults) =>
        Assert.Equal(faults, FaultsOf(definition));

    public static TheoryData<string, string, int> Bounds =>
        new()
        {
            { "/unique", "\"unique\":{{{0}}}", UniqueRule.Max },
            { "/references", "\"references\":{{{0}}}", ReferenceRule.Max },
            {
                "/lifecycle/states",
                "\"lifecycle\":{{\"initial\":\"s0\",\"states\":{{{0}}},\"transitions\":[{1}]}}",
                Lifecycle.MaxStates
            },
        };

    [Theory, MemberData(nameof(Bounds))]
    public void Bound_is_accepted_and_one_more_is_too_large(string at, string form, int most)
    {
        string Sized(int count)
        {
            var properties = string.Join(
                ',',
                Enumerable.Range(0, count).Select(n => $"\"m{n}\":{{\"type\":\"string\"}}")
            );
            var rules = string.Join(
                ',',
                Enumerable
                    .Range(0, count)
                    .Select(n =>
                        at switch
                        {
                            "/unique" => $"\"r{n}\":{{\"members\":[\"/metadata/m{n}\"]}}",
                            "/references" => $"\"/metadata/m{n}\":{{\"type\":\"book\"}}",
                            _ => $"\"s{n}\":{{}}",
                        }
                    )
            );
            var steps = string.Join(
                ',',
                Enumerable.Range(1, count - 1).Select(n => $"{{\"from\":\"s0\",\"to\":\"s{n}\"}}")
            );
            return $"{{\"name\":\"book\",\"schema\":{{\"type\":\"object\",\"properties\":{{{properties}}}}},"
                + string.Format(System.Globalization.CultureInfo.InvariantCulture, form, rules, steps)
                + "}";
        }
        Assert.Equal("", FaultsOf(Sized(most)));
        Assert.StartsWith($"{at} TOO_LARGE", FaultsOf(Sized(most + 1)), StringComparison.Ordinal);
    }

    [Fact]
    public void Definition_of_more_than_128_KiB_is_too_large() =>
        Assert.Equal(
            " TOO_LARGE",
            FaultsOf(
                "{\"name\":\"book\",\"schema\":{\"type\":\"object\"},\"description\":\""
                    + new string('x', TypeDefinition.MaxBytes)
                    + "\"}"
            )
        );

    [Theory]
    [InlineData("purchase-order", "purchaseOrder")]
    [InlineData("a_b.c", "aBC")]
    [InlineData("1st", "_1st")]
    public void Names_in_generated_clients_follow_from_the_slug(string slug, string name) =>
        Assert.Equal(name, TypeNames.Camel(slug));
}
