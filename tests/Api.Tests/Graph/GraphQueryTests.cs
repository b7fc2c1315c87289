namespace Resources.Api.Tests;

/// <summary>Queries of GraphQL, in the schema of declared types.</summary>
public sealed class GraphQueryTests(Backend backend) : GraphBackend(backend)
{
    const string Schema = """
        {"type":"object","properties":{"isbn":{"type":"string"},"price":{"type":"number"},"pages":{"type":"integer","minimum":1,"maximum":9000},
        "genre":{"enum":["novel","poem"]},"author":{"type":"string","format":"uuid"},"tags":{"type":"array","items":{"type":"string"}},
        "publisher":{"type":"object","properties":{"city":{"type":"string"},"editor":{"type":"string","format":"uuid"}}},"any":{}}}
        """;

    readonly string author = FreshName();
    readonly string book = FreshName();

    async Task DeclareAsync()
    {
        Is(await DeclareAsync(Definition(author)), 201);
        Is(
            await DeclareAsync(
                Definition(
                    book,
                    Schema,
                    $$$"""
                    "indexed":["/metadata/price"],"references":{"/metadata/author":{"type":"{{{author}}}","inverse":"books"},"/metadata/publisher/editor":{"type":"{{{author}}}"}}
                    """
                )
            ),
            201
        );
    }

    /// <summary>A document in which <c>#book</c> stands for the type's name, and <c>#Book</c> for that of its object.</summary>
    string Of(string document) =>
        document
            .Replace("#book", book, StringComparison.Ordinal)
            .Replace("#Book", Pascal(book), StringComparison.Ordinal)
            .Replace("#author", author, StringComparison.Ordinal);

    [Fact]
    public async Task Resource_shows_its_members_as_they_are_stored()
    {
        await DeclareAsync();
        var one = await MadeAsync(author, "{}", name: "Ann");
        var id = await MadeAsync(
            book,
            """{"isbn":"1","price":9.50,"pages":3,"genre":"poem","author":"ANN","tags":["a","b"],"publisher":{"city":"Rome","editor":"ANN"},"any":[1,{"x":null}]}""".Replace(
                "ANN",
                one,
                StringComparison.Ordinal
            )
        );
        var answer = await DataAsync(
            Of(
                """
                query($id: ID!) { book: #book(id: $id) { __typename id name version
                  metadata { isbn price pages genre tags any authorId author { name } publisher { city editor { id name } } } metadataJson } }
                """
            ),
            new { id }
        );
        Assert.Equal(Pascal(book), answer.Text("/data/book/__typename"));
        Assert.Equal(id, answer.Text("/data/book/id"));
        Assert.Equal(
            """{"isbn":"1","price":9.50,"pages":3,"genre":"poem","tags":["a","b"],"any":[1,{"x":null}],"authorId":"ANN","author":{"name":"Ann"},"publisher":{"city":"Rome","editor":{"id":"ANN","name":"Ann"}}}""".Replace(
                "ANN",
                one,
                StringComparison.Ordinal
            ),
            answer.At("/data/book/metadata")!.Value.GetRawText()
        );
        Assert.Equal("9.50", answer.At("/data/book/metadataJson/price")!.Value.GetRawText());
    }

    [Fact]
    public async Task List_has_pages_whose_cursors_are_those_of_REST()
    {
        await DeclareAsync();
        for (var i = 0; i < 5; i++)
            await MadeAsync(book, $$"""{"price":{{i}}}""");
        const string Pages = """
            query($after: String) { books: #books(first: 2, after: $after, sort: [CREATED_AT_ASC]) {
              totalCount edges { cursor node { metadata { price } } } pageInfo { hasNextPage endCursor } } }
            """;
        var first = await DataAsync(Of(Pages));
        Assert.Equal(
            ("5", "true"),
            (first.Text("/data/books/totalCount"), first.Text("/data/books/pageInfo/hasNextPage"))
        );
        var after = first.Text("/data/books/pageInfo/endCursor");
        var next = await DataAsync(Of(Pages), new { after });
        Assert.Equal("2", next.Text("/data/books/edges/0/node/metadata/price"));
        var rest = await Admin.GetAsync($"/api/v1/resources?type={book}&limit=2&sort=createdAt&cursor={after}");
        Assert.Equal("2", rest.Text("/data/0/metadata/price"));
    }

    [Fact]
    public async Task Parts_of_an_answer_are_of_one_position()
    {
        await DeclareAsync();
        var one = await MadeAsync(author, "{}", name: "Ann");
        await MadeAsync(book, $$"""{"author":"{{one}}"}""");
        var answer = await DataAsync(
            Of(
                """
                { a: #books { totalCount nodes { metadata { author { name } } } } b: #authors { nodes { name } }
                  resources(type: "#book") { nodes { __typename id } } }
                """
            )
        );
        Assert.Equal("Ann", answer.Text("/data/a/nodes/0/metadata/author/name"));
        Assert.Equal(Pascal(book), answer.Text("/data/resources/nodes/0/__typename"));
        Assert.Equal(answer.Text("/extensions/position"), answer["Position"]);
    }

    [Fact]
    [Trait("Conformance", "G7")]
    public async Task Mutation_writes_what_a_request_would()
    {
        await DeclareAsync();
        var made = await DataAsync(
            Of(
                """
                mutation { made: create#Book(input: {name: "one", metadata: {price: 9.50, tags: ["x"]}}, idempotencyKey: "k#book") {
                  book: #book { id version metadata { price } } position replayed } }
                """
            )
        );
        Assert.Equal("9.50", made.At("/data/made/book/metadata/price")!.Value.GetRawText());
        var id = made.Text("/data/made/book/id")!;
        const string Patch = """
            mutation($id: ID!) { done: patch#Book(id: $id, patch: {metadata: {price: 12345678901234567890.5, tags: null}}, ifVersion: 1) {
              book: #book { version metadata { price tags } } } }
            """;
        var patched = await DataAsync(Of(Patch), new { id });
        Assert.Equal("2", patched.Text("/data/done/book/version"));
        var rest = await Admin.GetAsync($"/api/v1/resources/{id}");
        Assert.Equal("""{"price":12345678901234567890.5}""", rest.At("/data/metadata")!.Value.GetRawText());
        var refused = await AskAsync(Of(Patch), new { id });
        Assert.Equal("VERSION_MISMATCH", refused.Text("/errors/0/extensions/code"));
    }

    [Fact]
    public async Task Typed_condition_is_a_filter_of_REST()
    {
        await DeclareAsync();
        foreach (
            var (price, genre, tag) in new[]
            {
                (1, "poem", "a"),
                (2, "novel", "b"),
                (3, "poem", "b"),
                (4, "poem", "a\\\"*"),
            }
        )
            await MadeAsync(
                book,
                $$$"""{"price":{{{price}}},"genre":"{{{genre}}}","tags":["{{{tag}}}"],"publisher":{"city":"c{{{price}}}"}}"""
            );
        await MadeAsync(book, "{}");
        const string Where = """
            query($where: #BookWhere) { books: #books(where: $where, sort: [CREATED_AT_ASC]) { nodes { metadata { price } } } }
            """;
        async Task<string> PricesAsync(object where) =>
            string.Join(
                ' ',
                (await DataAsync(Of(Where), new { where }))
                    .At("/data/books/nodes")!
                    .Value.EnumerateArray()
                    .Select(node => node.GetProperty("metadata").GetProperty("price").GetRawText())
            );
        Assert.Equal("2 3 4", await PricesAsync(new { metadata = new { price = new { gte = 2 } } }));
        Assert.Equal(
            "3 4",
            await PricesAsync(new { metadata = new { price = new { gt = 1.5 }, genre = new { eq = "poem" } } })
        );
        Assert.Equal("1 2", await PricesAsync(new { metadata = new { price = new { @in = new[] { 1, 2 } } } }));
        Assert.Equal("4", await PricesAsync(new { metadata = new { tags = new { has = "a\"*" } } }));
        Assert.Equal("3", await PricesAsync(new { metadata = new { publisher = new { city = new { eq = "c3" } } } }));
        Assert.Equal("null", await PricesAsync(new { metadata = new { price = new { isNull = true } } }));
        Assert.Equal(
            "1 2",
            await PricesAsync(
                new
                {
                    or = new object[]
                    {
                        new { metadata = new { price = new { lte = 1 } } },
                        new { metadata = new { genre = new { eq = "novel" } } },
                    },
                }
            )
        );
        Assert.Equal("2", await PricesAsync(new { metadata = new { genre = new { @in = new[] { "novel" } } } }));
        Assert.Equal("1 null", await PricesAsync(new { not = new { metadata = new { price = new { gt = 1 } } } }));
        var refused = await AskAsync(
            Of(Where),
            new { where = new { metadata = new { isbn = new { like = string.Concat(Enumerable.Repeat("x", 5000)) } } } }
        );
        Assert.Equal("VALIDATION_FAILED", refused.Text("/errors/0/extensions/code"));
    }

    [Fact]
    public async Task Referrers_by_a_list_of_ids_are_listed()
    {
        var (tag, note) = (FreshName(), FreshName());
        Is(await DeclareAsync(Definition(tag)), 201);
        Is(
            await DeclareAsync(
                Definition(
                    note,
                    """{"type":"object","properties":{"tags":{"type":"array","items":{"type":"string"}}}}""",
                    $$$"""
                    "references":{"/metadata/tags":{"type":"{{{tag}}}","inverse":"notes"}}
                    """
                )
            ),
            201
        );
        var (one, other) = (await MadeAsync(tag, "{}", name: "one"), await MadeAsync(tag, "{}", name: "other"));
        await MadeAsync(note, $$"""{"tags":["{{other}}","{{one}}"]}""", name: "both");
        var answer = await DataAsync(
            $$"""{ {{tag}}s(sort: [NAME_ASC]) { nodes { notes { nodes { name metadata { tags { name } } } } } } }"""
        );
        Assert.Equal("both", answer.Text($"/data/{tag}s/nodes/0/notes/nodes/0/name"));
        Assert.Equal("other", answer.Text($"/data/{tag}s/nodes/1/notes/nodes/0/metadata/tags/0/name"));
    }

    [Fact]
    public async Task Large_references_are_all_shown()
    {
        await DeclareAsync();
        var text = new string('x', 60_000);
        for (var i = 0; i < 30; i++)
            await MadeAsync(
                book,
                $$"""{"author":"{{await MadeAsync(author, $$"""{"text":"{{text}}"}""", name: $"a{i}")}}"}"""
            );
        var answer = await DataAsync(Of("{ books: #books(first: 30) { nodes { metadata { author { name } } } } }"));
        Assert.All(Enumerable.Range(0, 30), i =>
            Assert.Equal($"a{29 - i}", answer.Text($"/data/books/nodes/{i}/metadata/author/name"))
        );
    }

    [Fact]
    public async Task Referrers_of_all_resources_of_a_page_are_listed()
    {
        await DeclareAsync();
        var (one, other) = (await MadeAsync(author, "{}", name: "Ann"), await MadeAsync(author, "{}", name: "Bob"));
        for (var i = 0; i < 3; i++)
            await MadeAsync(book, $$"""{"author":"{{one}}","price":{{i}}}""");
        await MadeAsync(book, $$"""{"author":"{{other}}","price":9}""");
        const string Books = """
            query($after: String) { authors: #authors(sort: [NAME_ASC]) { nodes { name books(first: 2, after: $after) {
              nodes { metadata { price author { name } } } pageInfo { hasNextPage endCursor } } } } }
            """;
        var answer = await DataAsync(Of(Books));
        string Prices(Answer from, int at) =>
            string.Join(
                ' ',
                from.At($"/data/authors/nodes/{at}/books/nodes")!
                    .Value.EnumerateArray()
                    .Select(node => node.GetProperty("metadata").GetProperty("price").GetRawText())
            );
        Assert.Equal(("2 1", "9"), (Prices(answer, 0), Prices(answer, 1)));
        Assert.Equal(
            ("true", "false"),
            (
                answer.Text("/data/authors/nodes/0/books/pageInfo/hasNextPage"),
                answer.Text("/data/authors/nodes/1/books/pageInfo/hasNextPage")
            )
        );
        Assert.Equal("Ann", answer.Text("/data/authors/nodes/0/books/nodes/0/metadata/author/name"));
        var next = await DataAsync(
            Of(Books),
            new { after = answer.Text("/data/authors/nodes/0/books/pageInfo/endCursor") }
        );
        Assert.Equal("0", Prices(next, 0));
    }
}
