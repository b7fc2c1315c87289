namespace Resources.Api.Tests;

/// <summary>Names of types that are, or end like, names of GraphQL and of this schema.</summary>
public sealed class GraphNamesTests(Backend backend) : GraphBackend(backend)
{
    [Fact]
    public async Task Type_of_any_name_has_a_schema()
    {
        await using var server = await Backend.StartServerAsync();
        var admin = await server.AdminAsync();
        string[] names =
        [
            "data",
            "time",
            "actor",
            "version",
            "position",
            "id",
            "type",
            "kind",
            "replayed",
            "text",
            "delete",
            "change-kind",
            "change",
            "node",
            "resource",
            "free-resource",
            "event",
            "query",
            "mutation",
            "subscription",
            "json",
            "number",
            "integer",
            "date-time",
            "page-info",
            "me",
            "book-where",
            "book",
            "string",
            "int",
            "status",
            "page",
            "truth",
            "a-metadata",
            "x-sort",
        ];
        foreach (var name in names)
            Is(
                await admin.SendAsync(
                    "POST",
                    "/api/v1/types",
                    Definition(
                        name,
                        """{"type":"object","properties":{"id":{"type":"string"},"a-b":{"enum":["x"]},"a_b":{"type":"string"},"":{},"1":{}}}"""
                    )
                ),
                201
            );
        var answer = await AskAsync("{ types { name hidden } __schema { types { name } } }", caller: admin);
        Assert.Equal(names.Length, answer.At("/data/types")!.Value.GetArrayLength());
        Assert.Contains("/metadata/a_b", answer.Text("/data/types/0/hidden"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Definitions_that_refer_to_themselves_have_a_schema_of_some_size()
    {
        await using var server = await Backend.StartServerAsync();
        var admin = await server.AdminAsync();
        var members = string.Join(
            ',',
            Enumerable
                .Range(0, 10)
                .Select(n =>
                    $$"""
                        "a{{n}}":{"$ref":"#/$defs/n"}
                        """
                )
        );
        Is(
            await admin.SendAsync(
                "POST",
                "/api/v1/types",
                Definition(
                    "tree",
                    """{"type":"object","$defs":{"n":{"type":"object","properties":{#}}},"properties":{#}}""".Replace(
                        "#",
                        members,
                        StringComparison.Ordinal
                    )
                )
            ),
            201
        );
        var answer = await AskAsync("{ trees { nodes { metadata { a0 { a1 } a9 { a0 } } } } }", caller: admin);
        Assert.True(answer.At("/errors") is null, $"{answer}");
    }
}
