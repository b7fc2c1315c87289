using System.Text.Json;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Texts in the order of the collation that a type chooses.</summary>
public sealed class CollationTests(Backend backend) : TypeBackend(backend)
{
    const string Schema = """{"type":"object","properties":{"title":{},"at":{"type":"string","format":"date-time"}}}""";

    const string Indexed = "\"indexed\":[\"/metadata/title\",\"/metadata/at\"]";
    const string Unicode = Indexed + ",\"collation\":\"und-x-icu\"";

    /// <summary>In the order of Unicode, numbers first.</summary>
    static readonly string[] Titles =
    [
        "5",
        "\"_\"",
        "\"apfel\"",
        "\"Äpfel\"",
        "\"apple\"",
        "\"Mut\"",
        "\"zebra\"",
        "\"Zebra\"",
    ];

    static readonly string[] ByCodePoint =
    [
        "5",
        "\"Mut\"",
        "\"Zebra\"",
        "\"_\"",
        "\"apfel\"",
        "\"apple\"",
        "\"zebra\"",
        "\"Äpfel\"",
    ];

    async Task<string> MadeTypeAsync(string rest)
    {
        var type = FreshType();
        Is(await DeclareAsync(Definition(type, Schema, rest)), 201);
        foreach (var title in Titles.Concat(Titles).OrderBy(_ => Random.Shared.Next()))
            await MadeAsync(type, $$"""{"title":{{title}}}""");
        await MadeAsync(type, "{}");
        await ReadyAsync(type);
        return type;
    }

    async Task ReadyAsync(string type) =>
        await Eventually.HoldsAsync(
            async () =>
                !(await Admin.GetAsync($"/api/v1/types/{type}"))
                    .Text("/data/indexes")!
                    .Contains("building", StringComparison.Ordinal),
            TimeSpan.FromSeconds(20)
        );

    /// <summary>Ids and titles of all pages.</summary>
    async Task<List<(string Id, string Title)>> PagesAsync(string type, string parameters, int limit)
    {
        var rows = new List<(string, string)>();
        for (var next = ""; next is not null; )
        {
            var page = await Admin.GetAsync(
                $"/api/v1/resources?type={type}&{parameters}&limit={limit}{(next is "" ? "" : "&cursor=" + next)}"
            );
            Assert.True(page.Status is 200, $"{page}");
            rows.AddRange(
                page.At("/data")!
                    .Value.EnumerateArray()
                    .Select(row =>
                        (
                            row.GetProperty("id").GetString()!,
                            row.GetProperty("metadata").TryGetProperty("title", out var title)
                                ? title.ValueKind is JsonValueKind.Number
                                    ? title.GetRawText()
                                    : $"\"{title.GetString()}\""
                                : "-"
                        )
                    )
            );
            next = page.At("/meta/page/next")!.Value.GetString();
        }
        return rows;
    }

    static IEnumerable<string> Twice(IEnumerable<string> titles) => titles.SelectMany(title => new[] { title, title });

    [Fact]
    public async Task Pages_follow_the_collation_in_either_direction()
    {
        var type = await MadeTypeAsync(Unicode);
        foreach (var limit in new[] { 1, 3, 200 })
        {
            var rows = await PagesAsync(type, "sort=metadata.title", limit);
            Assert.Equal([.. Twice(Titles), "-"], rows.Select(row => row.Title));
            foreach (var same in rows.GroupBy(row => row.Title))
                Assert.Equal(same.Select(row => row.Id).Order(StringComparer.Ordinal), same.Select(row => row.Id));
            rows = await PagesAsync(type, "sort=-metadata.title", limit);
            Assert.Equal([.. Twice(Titles.Reverse()), "-"], rows.Select(row => row.Title));
        }
    }

    [Theory]
    [
        InlineData("metadata.title >= \"m\""),
        InlineData("metadata.title < \"apple\""),
        InlineData("metadata.title = \"Äpfel\""),
        InlineData("metadata.title > \"Z\" AND metadata.title <= \"z\"")
    ]
    public async Task Filter_compares_code_points_with_and_without_the_index(string filter)
    {
        var type = await MadeTypeAsync(Unicode);
        var unaided = await PagesAsync(type, Filter($"NOT (NOT ({filter}))"), 200);
        Assert.NotEmpty(unaided);
        Assert.True(unaided.Count < 2 * Titles.Length);
        foreach (var sort in new[] { "-createdAt", "metadata.title", "-metadata.title" })
        {
            var rows = await PagesAsync(type, $"{Filter(filter)}&sort={sort}", 2);
            Assert.Equal(unaided.Order(), rows.Order());
            var titles = rows.Select(row => Array.IndexOf(Titles, row.Title));
            if (sort is "metadata.title")
                Assert.Equal(titles.Order(), titles);
        }

        static string Filter(string filter) => $"filter={Uri.EscapeDataString(filter)}";
    }

    [Fact]
    public async Task Change_of_the_collation_builds_the_index_anew()
    {
        var type = await MadeTypeAsync(Indexed);
        Assert.Equal([.. Twice(ByCodePoint), "-"], await TitlesAsync());
        var changed = await Admin.SendAsync("PATCH", $"/api/v1/types/{type}", """{"collation":"und-x-icu"}""");
        Is(changed, 200);
        Assert.Equal("und-x-icu", changed.Text("/data/collation"));
        for (var list = await ListAsync(); list.Status is not 200; list = await ListAsync())
        {
            Is(list, 400, "NOT_INDEXED", "?sort");
            Assert.Equal("1", list["Retry-After"]);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        await ReadyAsync(type);
        Assert.Equal([.. Twice(Titles), "-"], await TitlesAsync());
        var id = await MadeAsync(type, """{"title":"äpfel"}""");
        Assert.Equal(id, (await PagesAsync(type, "sort=metadata.title", 200))[6].Id);
        Is(await PatchAsync(id, """{"metadata":{"title":"ZEBRA"}}"""), 200);
        Assert.Equal(id, (await PagesAsync(type, "sort=-metadata.title", 200))[0].Id);
        Is(await DeleteAsync(id), 204);
        await ReadModel.RebuildAsync(Admin);
        Assert.Equal([.. Twice(Titles), "-"], await TitlesAsync());

        var declared = await Admin.GetAsync($"/api/v1/types/{type}");
        Is(await PutTypeAsync(type, declared.Text("/data")!), 200);
        Is(await Admin.SendAsync("PATCH", $"/api/v1/types/{type}", """{"collation":null}"""), 200);
        await ReadyAsync(type);
        Assert.Equal([.. Twice(ByCodePoint), "-"], await TitlesAsync());

        Task<Answer> ListAsync() => Admin.GetAsync($"/api/v1/resources?type={type}&sort=metadata.title");
        async Task<IEnumerable<string>> TitlesAsync() =>
            (await PagesAsync(type, "sort=metadata.title", 200)).Select(row => row.Title);
    }

    /// <summary>Pages of two orders together would lack resources.</summary>
    [Fact]
    public async Task Cursor_of_the_former_order_is_refused()
    {
        var type = await MadeTypeAsync(Indexed);
        var list = $"/api/v1/resources?type={type}&sort=metadata.title&limit=3";
        var cursor = (await Admin.GetAsync(list)).Text("/meta/page/next");
        Is(await Admin.SendAsync("PATCH", $"/api/v1/types/{type}", """{"collation":"und-x-icu"}"""), 200);
        await ReadyAsync(type);
        Is(await Admin.GetAsync($"{list}&cursor={cursor}"), 400, "VALIDATION_FAILED", "?cursor");
    }

    /// <summary>It has no texts to be sorted, so nothing is built.</summary>
    [Fact]
    public async Task Member_that_takes_no_texts_has_its_index_under_any_collation()
    {
        const string Prices = """{"type":"object","properties":{"title":{},"price":{"type":["number","null"]}}}""";
        const string Members = "\"indexed\":[\"/metadata/title\",\"/metadata/price\"]";
        var type = FreshType();
        Is(await DeclareAsync(Definition(type, Prices, Members + ",\"collation\":\"und-x-icu\"")), 201);
        await ReadyAsync(type);
        var changed = await Admin.SendAsync("PATCH", $"/api/v1/types/{type}", """{"collation":"C"}""");
        Is(changed, 200);
        Assert.Equal("ready", changed.At("/data/indexes")!.Value.GetProperty("/metadata/price").GetString());
        Is(await Admin.GetAsync($"/api/v1/resources?type={type}&sort=metadata.price"), 200);
        await ReadyAsync(type);
    }

    [Fact]
    public async Task Unknown_collation_is_refused()
    {
        var answer = await DeclareAsync(Definition(FreshType(), Schema, Indexed + ",\"collation\":\"de-x-icu\""));
        Is(answer, 400, "VALIDATION_FAILED", "/collation");
        Assert.Equal(["UNKNOWN_COLLATION"], answer.FaultCodes);
    }

    /// <summary>A server that was built without ICU has none of its collations.</summary>
    [Fact]
    public async Task Server_without_ICU_does_all_but_sort_by_it()
    {
        var database = await Backend.CreateDatabaseAsync();
        await ExecuteAsync("delete from pg_collation where collname = 'und-x-icu'");
        await using (var server = InProcessServer.Start(database))
        {
            var admin = await new ApiClient(server.Address).LoginAsAdminAsync();
            var refused = await admin.SendAsync("POST", "/api/v1/types", Definition("book", Schema, Unicode));
            Is(refused, 400, "VALIDATION_FAILED", "/collation");
            Assert.Equal(["COLLATION_NOT_AVAILABLE"], refused.FaultCodes);
            var tried = await admin.SendAsync(
                "POST",
                "/api/v1/types/check",
                $$"""{"definition":{{Definition("book", Schema, Unicode)}}}"""
            );
            Assert.Contains("COLLATION_NOT_AVAILABLE", tried.ToString(), StringComparison.Ordinal);
            Is(await admin.SendAsync("POST", "/api/v1/types", Definition("book", Schema, Indexed)), 201);
        }

        // It gets ICU, and the next generation has its order.
        await ExecuteAsync("select pg_import_system_collations('pg_catalog')");
        await using (var server = InProcessServer.Start(database))
        {
            var admin = await new ApiClient(server.Address).LoginAsAdminAsync();
            await ReadModel.RebuildAsync(admin);
            var changed = await admin.SendAsync("PATCH", "/api/v1/types/book", """{"collation":"und-x-icu"}""");
            Assert.True(changed.Status is 200, $"{changed}");
        }

        async Task ExecuteAsync(string sql)
        {
            await using var connection = new NpgsqlConnection(database);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
