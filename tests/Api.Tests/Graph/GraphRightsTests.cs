namespace Resources.Api.Tests;

/// <summary>What REST hides is null, and what it refuses is refused.</summary>
public sealed class GraphRightsTests(Backend backend) : GraphBackend(backend)
{
    [Fact]
    [Trait("Conformance", "G7")]
    public async Task Caller_sees_and_does_no_more_than_by_REST()
    {
        var (author, book) = (FreshName(), FreshName());
        Is(await DeclareAsync(Definition(author)), 201);
        Is(
            await DeclareAsync(
                Definition(
                    book,
                    """{"type":"object","properties":{"author":{"type":"string"}}}""",
                    $$$"""
                    "references":{"/metadata/author":{"type":"{{{author}}}","inverse":"books"}}
                    """
                )
            ),
            201
        );
        var hidden = await MadeAsync(author, "{}", name: "hidden");
        var shown = await MadeAsync(book, $$"""{"author":"{{hidden}}"}""", name: "shown");
        var caller = await ReaderAsync($"resource/{book}:read", "resource:read:own");
        var answer = await AskAsync(
            $$"""
            query($hidden: ID!) {
              list: {{book}}s { totalCount nodes { name metadata { authorId author { name } } history { nodes { type } } } }
              all: resources { nodes { type } }
              one: resource(id: $hidden) { id }
              node: node(id: $hidden) { id }
              events(resource: $hidden) { nodes { id } } }
            """,
            new { hidden },
            caller
        );
        Assert.True(answer.At("/errors") is null, $"{answer}");
        Assert.Equal(("1", "shown"), (answer.Text("/data/list/totalCount"), answer.Text("/data/list/nodes/0/name")));
        Assert.Equal(hidden, answer.Text("/data/list/nodes/0/metadata/authorId"));
        Assert.Equal("resource.created", answer.Text("/data/list/nodes/0/history/nodes/0/type"));
        foreach (var pointer in new[] { "/data/list/nodes/0/metadata/author", "/data/one", "/data/node" })
            Assert.Equal("null", answer.At(pointer)!.Value.GetRawText());
        Assert.Equal(0, answer.At("/data/events/nodes")!.Value.GetArrayLength());
        Assert.DoesNotContain(author, answer.Text("/data/all/nodes"), StringComparison.Ordinal);
        var deleted = await AskAsync($$"""{ {{book}}s(includeDeleted: true) { nodes { id } } }""", caller: caller);
        Assert.Equal("FORBIDDEN", deleted.Text("/errors/0/extensions/code"));
        var reader = await ReaderAsync($"resource/{book}:read");
        var schema = await reader.GetAsync("/api/v1/graphql/schema.graphql");
        Assert.DoesNotContain(
            Pascal(author) + " ",
            System.Text.Encoding.UTF8.GetString(schema.Body),
            StringComparison.Ordinal
        );
        var refused = await AskAsync($$"""mutation { deleteResource(id: "{{shown}}") { id } }""", caller: caller);
        Assert.Equal("FORBIDDEN", refused.Text("/errors/0/extensions/code"));
        Assert.Equal(200, (await Admin.GetAsync($"/api/v1/resources/{shown}")).Status);
        // As by REST, the refusal is in the audit.
        var me = (await caller.GetAsync("/api/v1/me")).Text("/data/id")!;
        await Eventually.HoldsAsync(async () =>
            (await Admin.GetAsync("/api/v1/audit?event=access.refused&limit=200"))
                .At("/data")!
                .Value.EnumerateArray()
                .Any(each =>
                    each.GetRawText() is var entry
                    && entry.Contains("/api/v1/graphql", StringComparison.Ordinal)
                    && entry.Contains(me, StringComparison.Ordinal)
                )
        );
    }

    async Task<ApiClient> ReaderAsync(params string[] permissions)
    {
        var role = await Backend.CreateRoleAsync(permissions);
        return (await (await Backend.CreatePersonAsync(role)).LoginAsync()).Caller;
    }
}
