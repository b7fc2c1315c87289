using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Lists that show what their resources refer to.</summary>
public sealed class ExpandedListTests(Backend backend) : TypeBackend(backend)
{
    const string Schema =
        """{"type":"object","properties":{"author":{"type":"string"},"authors":{"type":"array","items":{"type":"string"}},"by":{"type":"object","properties":{"editor":{"type":"string"}}}}}""";

    readonly string author = FreshType();
    readonly string book = FreshType();

    async Task DeclareAsync()
    {
        Is(await DeclareAsync(Definition(author)), 201);
        Is(
            await DeclareAsync(
                Definition(
                    book,
                    Schema,
                    $$$"""
                    "references":{"/metadata/author":{"type":"{{{author}}}"},"/metadata/authors/*":{"type":"{{{author}}}"},"/metadata/by/editor":{"type":"{{{author}}}"}}
                    """
                )
            ),
            201
        );
    }

    Task<Answer> ListAsync(ApiClient caller, string query) =>
        caller.GetAsync($"/api/v1/types/{book}/resources?sort=createdAt&{query}");

    [Fact]
    public async Task Each_resource_shows_what_it_refers_to()
    {
        await DeclareAsync();
        var (one, other) = (await MadeAsync(author, "{}", name: "one"), await MadeAsync(author, "{}", name: "other"));
        await MadeAsync(
            book,
            $$$"""{"author":"{{{one}}}","authors":["{{{other}}}","{{{one}}}"],"by":{"editor":"{{{one}}}"}}"""
        );
        await MadeAsync(book, "{}");
        var answer = await ListAsync(Admin, "expand=author,authors,by.editor");
        Is(answer, 200);
        Assert.Equal("one", answer.Text("/data/0/expanded/author/name"));
        Assert.Equal("other", answer.Text("/data/0/expanded/authors/0/name"));
        Assert.Equal("one", answer.Text("/data/0/expanded/authors/1/name"));
        Assert.Equal(one, answer.Text("/data/0/expanded/by.editor/id"));
        Assert.Equal("""{"author":null,"authors":[],"by.editor":null}""", answer.Text("/data/1/expanded"));

        var picked = await ListAsync(Admin, "expand=author&fields=name&limit=1");
        Assert.Equal(
            ["id", "name", "expanded"],
            picked.At("/data/0")!.Value.EnumerateObject().Select(member => member.Name)
        );
        Assert.Null((await ListAsync(Admin, "limit=5")).At("/data/0/expanded"));
    }

    [Fact]
    public async Task Only_what_the_caller_may_see_is_shown()
    {
        await DeclareAsync();
        var one = await MadeAsync(author, "{}");
        await MadeAsync(book, $$"""{"author":"{{one}}"}""");
        var limited = await Backend.CreatePersonAsync(await Backend.CreateRoleAsync($"resource/{book}:read"));
        var caller = (await limited.LoginAsync()).Caller;
        Assert.Equal("""{"author":null}""", (await ListAsync(caller, "expand=author")).Text("/data/0/expanded"));
    }

    [Fact]
    public async Task Page_ends_where_it_would_become_too_large()
    {
        await DeclareAsync();
        var large = await MadeAsync(author, $$"""{"text":"{{new string('x', 400_000)}}"}""");
        for (var n = 0; n < 5; n++)
            await MadeAsync(book, $$"""{"author":"{{large}}"}""", name: $"{n}");
        var names = new List<string>();
        var pages = 0;
        for (var next = ""; next is not null; pages++)
        {
            var page = await ListAsync(Admin, $"expand=author&limit=4{(next is "" ? "" : "&cursor=" + next)}");
            Is(page, 200);
            Assert.True(page.Body.Length < 2 << 20);
            foreach (var row in page.At("/data")!.Value.EnumerateArray())
            {
                Assert.Equal(large, row.GetProperty("expanded").GetProperty("author").GetProperty("id").GetString());
                names.Add(row.GetProperty("name").GetString()!);
            }
            next = page.At("/meta/page/next")!.Value.GetString();
        }
        Assert.Equal(["0", "1", "2", "3", "4"], names);
        Assert.Equal(3, pages);
    }

    [Theory]
    [
        InlineData("/api/v1/resources?expand=author"),
        InlineData("/api/v1/resources?type=free&expand=author"),
        InlineData("/api/v1/types/BOOK/resources?expand=authors,publisher"),
        InlineData("/api/v1/types/BOOK/resources?expand="),
        InlineData("/api/v1/types/BOOK/resources?expand=author&follow=true")
    ]
    public async Task References_that_a_type_does_not_have_are_refused(string path)
    {
        await DeclareAsync();
        Is(
            await Admin.GetAsync(path.Replace("BOOK", book, StringComparison.Ordinal)),
            400,
            "VALIDATION_FAILED",
            "?expand"
        );
    }
}
