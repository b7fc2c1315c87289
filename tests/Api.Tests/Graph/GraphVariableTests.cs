namespace Resources.Api.Tests;

/// <summary>One document that is asked with other variables each time. From the third time on it is known.</summary>
public sealed class GraphVariableTests(Backend backend) : GraphBackend(backend)
{
    [Fact]
    public async Task Known_document_takes_new_values_each_time()
    {
        var (type, ids) = await MadeAsync();
        var document = $$"""
            query($id: ID!, $first: Int = 2, $where: {{Pascal(type)}}Where, $name: String, $sort: [{{Pascal(
                type
            )}}Sort!]) {
              one: {{type}}(id: $id) { name }
              fixed: {{type}}(id: "{{ids[0]}}") { name }
              ...lists
            }
            fragment lists on Query {
              some: {{type}}s(first: $first, where: $where, sort: $sort) { nodes { id } }
              named: {{type}}s(first: 10, where: {name: {eq: $name} }) { nodes { id } }
              all: {{type}}s(first: 10) { totalCount }
            }
            """;
        for (var round = 0; round < 2; round++)
        for (var i = 0; i < ids.Length; i++)
        {
            var (name, first) = ($"n{i}", i + 1);
            var literal = $$"""
                {
                  one: {{type}}(id: "{{ids[i]}}") { name }
                  fixed: {{type}}(id: "{{ids[0]}}") { name }
                  some: {{type}}s(first: {{first}}, where: {name: {ne: "{{name}}"} }, sort: [NAME_DESC]) { nodes { id } }
                  named: {{type}}s(first: 10, where: {name: {eq: "{{name}}"} }) { nodes { id } }
                  all: {{type}}s(first: 10) { totalCount }
                }
                """;
            var given = new
            {
                id = ids[i],
                first,
                where = new { name = new { ne = name } },
                name,
                sort = "NAME_DESC",
            };
            Assert.Equal((await DataAsync(literal)).Text("/data"), (await DataAsync(document, given)).Text("/data"));
        }
        var defaults = await DataAsync(document, new { id = ids[1] });
        Assert.Equal(2, defaults.At("/data/some/nodes")!.Value.GetArrayLength());
    }

    [Fact]
    public async Task Known_document_refuses_values_that_do_not_fit()
    {
        var (type, ids) = await MadeAsync();
        var document =
            $$"""query($id: ID!, $first: Int) { {{type}}(id: $id) { id } {{type}}s(first: $first) { totalCount } }""";
        for (var i = 0; i < 3; i++)
            await DataAsync(document, new { id = ids[0], first = 1 });
        foreach (
            var wrong in new object[]
            {
                new { first = 1 },
                new { id = (string?)null },
                new { id = ids[0], first = "many" },
                new { id = new { a = 1 } },
            }
        )
            Assert.Equal("BAD_VARIABLES", (await AskAsync(document, wrong)).Text("/errors/0/extensions/code"));
        await DataAsync(document, new { id = ids[0], first = 2 });
    }

    /// <summary>A variable that may be null, where null may not stand: the default of the variable makes it valid.</summary>
    [Fact]
    public async Task Place_that_takes_no_null_refuses_it_each_time()
    {
        var (type, ids) = await MadeAsync();
        var document = $$"""query($id: ID = "{{ids[0]}}") { {{type}}(id: $id) { id } }""";
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(ids[0], (await DataAsync(document)).Text($"/data/{type}/id"));
            Assert.Equal(ids[1], (await DataAsync(document, new { id = ids[1] })).Text($"/data/{type}/id"));
            var refused = await AskAsync(document, new { id = (string?)null });
            Assert.Equal("BAD_VARIABLES", refused.Text("/errors/0/extensions/code"));
        }
    }

    [Fact]
    public async Task Fields_that_become_one_keep_their_arguments_each_time()
    {
        var (_, ids) = await MadeAsync();
        for (var version = 1; version < 4; version++)
            Is(
                await Admin.SendAsync(
                    "PATCH",
                    $"/api/v1/resources/{ids[0]}",
                    $$"""{"name":"v{{version}}"}""",
                    "application/merge-patch+json"
                ),
                200
            );
        var document = $$"""
            query {
              resource(id: "{{ids[0]}}") { history(first: 1) { nodes { id } } history(first: 1) { nodes { type } } }
            }
            """;
        for (var i = 0; i < 4; i++)
        {
            var nodes = (await DataAsync(document)).At("/data/resource/history/nodes")!.Value;
            Assert.Equal(1, nodes.GetArrayLength());
        }
    }

    [Fact]
    public async Task Mutation_without_variables_does_the_same_each_time_side_by_side()
    {
        var name = FreshName();
        var document = $$"""
            mutation { a: createResource(input: {name: "{{name}}"}) { resource { name } } b: createResource(input: {name: "{{name}}"}) { resource { name } } }
            """;
        for (var round = 0; round < 4; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => DataAsync(document)));
            Assert.All(answers, answer =>
                Assert.Equal((name, name), (answer.Text("/data/a/resource/name"), answer.Text("/data/b/resource/name")))
            );
        }
    }

    async Task<(string Type, string[] Ids)> MadeAsync()
    {
        var type = FreshName();
        Is(await DeclareAsync(Definition(type)), 201);
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
            ids.Add(await MadeAsync(type, "{}", name: $"n{i}"));
        return (type, [.. ids]);
    }
}
