using System.Diagnostics;

namespace Resources.Api.Tests;

/// <summary>Documents that are made to cost much are refused before they do.</summary>
public sealed class GraphLimitTests(Backend backend) : GraphBackend(backend)
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);

    static string Repeat(string part, int times, string between = " ") =>
        string.Join(between, Enumerable.Repeat(part, times));

    public static TheoryData<string, string, string> Hostile()
    {
        var doubling = string.Concat(
            Enumerable
                .Range(0, 22)
                .Select(n => $"fragment f{n} on Query {{ {(n is 21 ? "__typename" : $"...f{n + 1} ...f{n + 1}")} }} ")
        );
        return new()
        {
            { "lists in a value", "{ a(b: " + new string('[', 100_000), "TOO_COMPLEX" },
            { "lists within the length", "{ a(b: " + new string('[', 60_000), "TOO_COMPLEX" },
            { "objects in a value", "{ a(b: " + Repeat("{a:", 20_000, ""), "TOO_COMPLEX" },
            { "selections", Repeat("{ a", 20_000), "TOO_COMPLEX" },
            { "selections that a parser would take", Repeat("{ a", 20) + Repeat("}", 20), "TOO_COMPLEX" },
            { "fragments that double", doubling + "{ ...f0 }", "TOO_COMPLEX" },
            {
                "a fragment in itself",
                "fragment a on Query { ...b } fragment b on Query { ...a } { ...a }",
                "TOO_COMPLEX"
            },
            { "the same field", "{ " + Repeat("__typename", 4_000) + " }", "TOO_COMPLEX" },
            {
                "aliases",
                "{ " + string.Join(' ', Enumerable.Range(0, 1_000).Select(n => $"a{n}: __typename")) + " }",
                "TOO_COMPLEX"
            },
            { "directives at one place", "{ __typename " + Repeat("@aa", 40) + " }", "TOO_COMPLEX" },
            { "directives", "{ __typename " + Repeat("@aa", 10_000) + " }", "TOO_COMPLEX" },
            { "inline fragments", "{ " + Repeat("... on Query { __typename }", 50) + " }", "TOO_COMPLEX" },
            { "tokens", "{ " + Repeat("a", 10_000) + " }", "TOO_COMPLEX" },
            {
                "lists of the introspection",
                "{ __schema { types " + Repeat("{ fields { type", 8) + " { name } " + Repeat("} }", 8) + " } }",
                "TOO_COMPLEX"
            },
            {
                "unknown fields",
                "{ " + string.Join(' ', Enumerable.Range(0, 20).Select(n => $"x{n}")) + " }",
                "GRAPHQL_VALIDATION_FAILED"
            },
            {
                "dear lists",
                "{ "
                    + string.Join(
                        ' ',
                        Enumerable
                            .Range(0, 20)
                            .Select(n => $"a{n}: resources(first: 200) {{ nodes {{ id }} totalCount }}")
                    )
                    + " }",
                "TOO_COMPLEX"
            },
            { "types in the document", "type A { a: Int } { __typename }", "TOO_COMPLEX" },
            { "arguments", "{ resources(" + Repeat("first: 1", 51) + ") { totalCount } }", "TOO_COMPLEX" },
            { "no document", "{", "GRAPHQL_PARSE_FAILED" },
            { "a name behind a number", "{ resources(first: 1type: null) { totalCount } }", "GRAPHQL_PARSE_FAILED" },
            { "a carriage return as the end of a line", "query Q\r{ a }: }", "GRAPHQL_PARSE_FAILED" },
            { "a string that does not end", "{ a(b: \"" + new string('x', 60_000), "GRAPHQL_PARSE_FAILED" },
            { "a fault at the end of a long line", "{ a" + new string(' ', 60_000) + ")", "GRAPHQL_PARSE_FAILED" },
            { "a fault behind a long string", $"{{ a(b: \"{new string('x', 60_000)}\"}}", "GRAPHQL_PARSE_FAILED" },
            { "a long name that ends the document", "{ " + new string('a', 60_000), "GRAPHQL_PARSE_FAILED" },
            { "a long number that ends the document", "{ a(b: " + new string('1', 60_000), "GRAPHQL_PARSE_FAILED" },
            { "operations", Repeat("query Q { __typename }", 51), "TOO_COMPLEX" },
            {
                "names that are not there",
                "{ __typename } fragment A on Query { "
                    + string.Join(' ', Enumerable.Range(0, 900).Select(n => $"no{n}"))
                    + " }",
                "GRAPHQL_VALIDATION_FAILED"
            },
            { "a number with a letter at its end", $"{{ a(b: {new string('1', 60_000)}x) }}", "GRAPHQL_PARSE_FAILED" },
            { "an escape that is none", $"{{ a(b: \"{new string('x', 60_000)}\\q\") }}", "GRAPHQL_PARSE_FAILED" },
            { "nothing", "", "OPERATION_NOT_FOUND" },
        };
    }

    [Theory, MemberData(nameof(Hostile))]
    [Trait("Conformance", "G1")]
    [Trait("Conformance", "G2")]
    [Trait("Conformance", "G3")]
    [Trait("Conformance", "G6")]
    public async Task Hostile_document_is_refused_soon(string what, string document, string code)
    {
        await AskAsync("{ __typename }");
        var watch = Stopwatch.StartNew();
        var answer = await AskAsync(document);
        Assert.True(watch.Elapsed < Bound, $"{what} took {watch.Elapsed}.");
        Assert.Equal((200, code), (answer.Status, answer.Text("/errors/0/extensions/code")));
        Assert.Null(answer.At("/data"));
        Assert.InRange(answer.At("/errors")!.Value.GetArrayLength(), 1, 20);
    }

    [Fact]
    public async Task Comment_may_have_any_characters_and_keeps_locations()
    {
        var answer = await AskAsync("# C:\\path \\\r\n{ a: __typename # \\u {\n , b: nothing }");
        Assert.Equal("GRAPHQL_VALIDATION_FAILED", answer.Text("/errors/0/extensions/code"));
        Assert.Equal("""[{"line":3,"column":4}]""", answer.Text("/errors/0/locations"));
    }

    [Fact]
    public async Task Fault_at_the_end_of_a_long_line_is_told_with_its_place()
    {
        var token = await AskAsync($"{{ a(b: \"{new string('x', 5_000)}\" ) }} )");
        Assert.Equal("""[{"line":1,"column":5015}]""", token.Text("/errors/0/locations"));
        var answer = await AskAsync($"{{ a(b: \"{new string('x', 5_000)}\",\n{new string(' ', 2_000)} )");
        Assert.Equal("GRAPHQL_PARSE_FAILED", answer.Text("/errors/0/extensions/code"));
        Assert.Equal("""[{"line":2,"column":2003}]""", answer.Text("/errors/0/locations"));
    }

    [Theory]
    [
        InlineData("{ resources(first: 200) { nodes { history(first: 1073741824) { nodes { id } } } } }"),
        InlineData(
            "{ resources(first: 2147483647) { nodes { history(first: 2147483647) { nodes { id } } } totalCount } }"
        )
    ]
    [Trait("Conformance", "G1")]
    public async Task Cost_does_not_overflow(string query)
    {
        var answer = await AskAsync(query);
        Assert.Equal("TOO_COMPLEX", answer.Text("/errors/0/extensions/code"));
    }

    [Fact]
    [Trait("Conformance", "G2")]
    public async Task Mutations_cost_the_same_wherever_they_are_spread()
    {
        const string Two =
            """a: createResource(input: {name: "x"}) { position } b: createResource(input: {name: "x"}) { position }""";
        var (plain, spread) = (
            await DataAsync($"mutation {{ {Two} }}"),
            await DataAsync($"mutation {{ ... on Mutation {{ {Two} }} }}")
        );
        Assert.Equal(plain.Text("/extensions/cost"), spread.Text("/extensions/cost"));
        Assert.NotEqual(spread.Text("/data/a/position"), spread.Text("/data/b/position"));
    }

    [Fact]
    public async Task Introspection_of_tools_is_within_the_limits()
    {
        const string Standard = """
            query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name }
              types { ...FullType } directives { name description locations args { ...InputValue } } } }
            fragment FullType on __Type { kind name description
              fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
              inputFields { ...InputValue } interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
              possibleTypes { ...TypeRef } }
            fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
            fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
              ofType { kind name ofType { kind name ofType { kind name } } } } } } } }
            """;
        var answer = await DataAsync(Standard);
        Assert.Equal("Query", answer.Text("/data/__schema/queryType/name"));
    }
}
