using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Lists in the order of indexed members, and ranges of them.</summary>
public sealed class IndexedListTests(Backend backend, IndexedListTests.Books books)
    : TypeBackend(backend),
        IClassFixture<IndexedListTests.Books>
{
    const string Schema =
        """{"type":"object","properties":{"price":{},"title":{"type":"string"},"at":{"type":"string","format":"date-time"},"in":{"type":"object","properties":{"stock":{"type":"boolean"}}}}}""";

    const string Filter = "&filter=";

    const string Indexed =
        "\"indexed\":[\"/metadata/price\",\"/metadata/title\",\"/metadata/at\",\"/metadata/in/stock\"]";

    [Theory]
    [
        InlineData("metadata.price", ""),
        InlineData("-metadata.price", ""),
        InlineData("metadata.price,id", ""),
        InlineData("-metadata.title", ""),
        InlineData("metadata.title", "&status=draft"),
        InlineData("metadata.at", ""),
        InlineData("-metadata.at", "&status=active")
    ]
    [
        InlineData("metadata.in.stock", ""),
        InlineData("metadata.price", "&filter=metadata.price>=2"),
        InlineData("-metadata.price", "&filter=metadata.price<3 AND metadata.price>-1.5"),
        InlineData("-metadata.price", "&filter=metadata.price>=\"b\""),
        InlineData("metadata.title", "&filter=metadata.price=2.50"),
        InlineData("metadata.title", "&filter=metadata.price>1 metadata.in.stock=true"),
        InlineData("metadata.price", "&filter=metadata.title>\"B\" OR status=draft"),
        InlineData("metadata.price", "&q=common")
    ]
    public async Task Pages_have_every_resource_once_and_in_order(string sort, string narrowed)
    {
        // Twice negated, a filter is answered without the index of its member.
        var unaided = narrowed.StartsWith(Filter, StringComparison.Ordinal)
            ? $"{Filter}NOT (NOT ({narrowed[Filter.Length..]}))"
            : narrowed;
        var all = await PagesAsync(Admin, unaided, 200);
        var expected = Ordered(all, sort).Select(IdOf).ToArray();
        Assert.NotEmpty(expected);
        foreach (var limit in new[] { 2, 7, 100 })
            Assert.Equal(expected, (await PagesAsync(Admin, $"{narrowed}&sort={sort}", limit)).Select(IdOf));
        if (unaided != narrowed)
            Assert.Equal(all.Select(IdOf).Order(), (await PagesAsync(Admin, narrowed, 7)).Select(IdOf).Order());
    }

    [Fact]
    public async Task Caller_sees_what_is_theirs_in_order()
    {
        var mine = await PagesAsync(Backend.Author, "&sort=-metadata.price", 3);
        Assert.Equal(12, mine.Count);
        Assert.Equal(Ordered(mine, "-metadata.price").Select(IdOf), mine.Select(IdOf));
    }

    [Theory]
    [InlineData("metadata.price>=2"), InlineData("metadata.title=\"B\""), InlineData("metadata.in.stock=true")]
    public async Task Filter_finds_deleted_resources_where_they_are_asked_for(string filter)
    {
        const string Deleted = "&includeDeleted=true&count=exact";
        var expected = await PagesAsync(Admin, $"{Deleted}{Filter}NOT (NOT ({filter}))", 200);
        Assert.Contains(expected, row => row.GetProperty("deletedAt").ValueKind is JsonValueKind.String);
        Assert.Equal(expected.Select(IdOf), (await PagesAsync(Admin, $"{Deleted}{Filter}{filter}", 7)).Select(IdOf));
        var first = await Admin.GetAsync(
            $"/api/v1/resources?type={books.Type}{Escaped($"{Deleted}{Filter}{filter}")}&limit=1"
        );
        Assert.Equal($"{expected.Count}", first.Text("/meta/count"));
    }

    [Fact]
    public async Task Count_of_a_range_is_exact()
    {
        var answer = await Admin.GetAsync(
            $"/api/v1/resources?type={books.Type}&count=exact&filter={Uri.EscapeDataString("metadata.price >= 2")}"
        );
        Assert.Equal(
            answer.At("/data")!.Value.GetArrayLength().ToString(CultureInfo.InvariantCulture),
            answer.Text("/meta/count")
        );
    }

    [Theory]
    [
        InlineData("sort=metadata.price", "NOT_INDEXED", "?sort"),
        InlineData("sort=metadata.author&type=TYPE", "NOT_INDEXED", "?sort"),
        InlineData("sort=metadata.price&type=free", "NOT_INDEXED", "?sort"),
        InlineData("sort=metadata.price,name&type=TYPE", "VALIDATION_FAILED", "?sort"),
        InlineData("sort=createdAt,metadata.price&type=TYPE", "VALIDATION_FAILED", "?sort"),
        InlineData("sort=metadata.price,-id&type=TYPE", "VALIDATION_FAILED", "?sort"),
        InlineData("sort=metadata.&type=TYPE", "VALIDATION_FAILED", "?sort"),
        InlineData("sort=metadata.price&type=TYPE&includeDeleted=true", "VALIDATION_FAILED", "?includeDeleted"),
        InlineData("sort=metadata.price&type=TYPE&follow=true", "VALIDATION_FAILED", "?sort")
    ]
    public async Task Orders_that_no_index_serves_are_refused(string query, string code, string fault)
    {
        var answer = await Admin.GetAsync(
            "/api/v1/resources?" + query.Replace("TYPE", books.Type, StringComparison.Ordinal)
        );
        Is(answer, 400, code, fault);
        Assert.Null(answer["Retry-After"]);
    }

    [Fact]
    public async Task Index_is_built_for_what_is_there_and_follows_every_change()
    {
        var type = FreshType();
        var path = $"/api/v1/types/{type}/resources?sort=metadata.price";
        var old = await MadeAsync(type, """{"price":5}""");
        Is(await DeclareAsync(Definition(type, Schema, "\"indexed\":[\"/metadata/price\"]")), 201);
        while (true)
        {
            // Looked at first: between two requests an index may become ready.
            var before = (await Admin.GetAsync($"/api/v1/types/{type}")).ToString();
            var answer = await Admin.GetAsync(path);
            if (answer.Status is 200)
                break;
            Is(answer, 400, "NOT_INDEXED", "?sort");
            Assert.Equal("1", answer["Retry-After"]);
            Assert.Contains("\"building\"", before, StringComparison.Ordinal);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        var declared = await Admin.GetAsync($"/api/v1/types/{type}");
        Assert.Equal("""{"/metadata/price":"ready"}""", declared.Text("/data/indexes"));
        // The document can be sent back.
        Is(await PutTypeAsync(type, declared.Text("/data")!), 200);

        var cheap = await MadeAsync(type, """{"price":1}""");
        var without = await MadeAsync(type, "{}");
        Assert.Equal([cheap, old, without], await IdsAsync());
        Is(await PatchAsync(without, """{"metadata":{"price":3}}"""), 200);
        Is(await PatchAsync(old, """{"metadata":{"price":0}}"""), 200);
        Assert.Equal([old, cheap, without], await IdsAsync());
        Is(await DeleteAsync(cheap), 204);
        Assert.Equal([old, without], await IdsAsync());
        Is(await RestoreAsync(cheap), 200);
        Is(await PatchAsync(without, """{"metadata":{"price":null}}"""), 200);
        Assert.Equal([old, cheap, without], await IdsAsync());
        Is(await Admin.SendAsync("PATCH", $"/api/v1/types/{type}", """{"indexed":null}"""), 200);
        Is(await Admin.GetAsync(path), 400, "NOT_INDEXED", "?sort");

        async Task<string[]> IdsAsync() =>
            [.. (await Admin.GetAsync(path)).At("/data")!.Value.EnumerateArray().Select(IdOf)];
    }

    [Fact]
    public async Task Faulty_list_of_indexed_members_is_refused()
    {
        Is(
            await DeclareAsync(
                Definition(
                    FreshType(),
                    """{"type":"object","additionalProperties":false,"properties":{"a":{}}}""",
                    "\"indexed\":[\"/name\",\"/metadata/b\",\"/metadata/a\",\"/metadata/a\",\"x\"]"
                )
            ),
            400,
            "VALIDATION_FAILED",
            "/indexed/0",
            "/indexed/1",
            "/indexed/4",
            "/indexed"
        );
    }

    async Task<List<JsonElement>> PagesAsync(ApiClient caller, string parameters, int limit)
    {
        var rows = new List<JsonElement>();
        for (var next = ""; next is not null; )
        {
            var page = await caller.GetAsync(
                $"/api/v1/resources?type={books.Type}{Escaped(parameters)}&limit={limit}{(next is "" ? "" : "&cursor=" + next)}"
            );
            Assert.True(page.Status is 200, page.ToString());
            rows.AddRange(page.At("/data")!.Value.EnumerateArray().Select(row => row.Clone()));
            next = page.At("/meta/page/next")!.Value.GetString();
        }
        return rows;
    }

    static string Escaped(string parameters) =>
        parameters.Replace(" ", "%20", StringComparison.Ordinal).Replace("\"", "%22", StringComparison.Ordinal);

    static string IdOf(JsonElement row) => row.GetProperty("id").GetString()!;

    /// <summary>The documented order: numbers, then texts, in the direction of the order; at the end what lacks the member.</summary>
    static IEnumerable<JsonElement> Ordered(IEnumerable<JsonElement> rows, string sort)
    {
        var key = sort.Split(',')[0];
        var descending = key.StartsWith('-');
        var sign = descending ? -1 : 1;
        return rows.Order(
            Comparer<JsonElement>.Create(
                (one, other) =>
                {
                    var (left, right) = (ValueOf(one, key), ValueOf(other, key));
                    var lacks = (left is null).CompareTo(right is null);
                    var order = (left, right) switch
                    {
                        (decimal l, decimal r) => l.CompareTo(r),
                        (string l, string r) => Compare(l, r),
                        _ => (left is string).CompareTo(right is string),
                    };
                    return lacks is not 0 ? lacks
                        : order is not 0 ? sign * order
                        : sign * string.CompareOrdinal(IdOf(one), IdOf(other));
                }
            )
        );
    }

    static object? ValueOf(JsonElement row, string key)
    {
        var value = row;
        foreach (var step in key.TrimStart('-').Split('.'))
            if (value.ValueKind is not JsonValueKind.Object || !value.TryGetProperty(step, out value))
                return null;
        return value.ValueKind switch
        {
            JsonValueKind.Number => value.GetDecimal(),
            JsonValueKind.String when key.EndsWith(".at", StringComparison.Ordinal) => (decimal)
                value.GetDateTimeOffset().UtcTicks,
            JsonValueKind.String => value.GetString(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => null,
        };
    }

    /// <summary>By code point, which is the order of UTF-8.</summary>
    static int Compare(string left, string right) =>
        Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right));

    /// <summary>Forty resources with few prices and titles, some of another kind, some without, some deleted.</summary>
    public sealed class Books(Backend backend) : TypeBackend(backend), IAsyncLifetime
    {
        static readonly string[] Prices =
        [
            "1",
            "2.5",
            "2.50",
            "-3e1",
            "100",
            "\"b\"",
            "null",
            "true",
            "[1]",
            "12345678901234567890.5",
        ];
        static readonly string[] Titles = ["B", "a", "é", "😀", "\uFB00"];

        public string Type { get; } = FreshType();

        public async ValueTask InitializeAsync()
        {
            Is(await DeclareAsync(Definition(Type, Schema, Indexed)), 201);
            for (var i = 0; i < 44; i++)
            {
                var metadata = string.Join(
                    ',',
                    (
                        (string[])
                            [
                                i % 11 is 10 ? "" : $"\"price\":{Prices[i % 10]}",
                                i % 6 is 5 ? "" : $"\"title\":{JsonSerializer.Serialize(Titles[i % 5])}",
                                i % 4 is 3
                                    ? ""
                                    : $"\"at\":\"2026-01-0{1 + i % 9}T1{i % 10}:00:00{(i % 2 is 0 ? "Z" : "+05:00")}\"",
                                i % 3 is 2 ? "" : $"\"in\":{{\"stock\":{(i % 2 is 0 ? "true" : "false")}}}",
                                "\"words\":\"common\"",
                            ]
                    ).Where(member => member is not "")
                );
                var caller = i % 3 is 0 ? Backend.Author : Admin;
                var made = await caller.SendAsync(
                    "POST",
                    "/api/v1/resources",
                    $$$"""{"name":"n","type":"{{{Type}}}","status":"{{{(i % 2 is 0 ? "draft" : "active")}}}","metadata":{{{{metadata}}}}}"""
                );
                Assert.True(made.Status is 201, $"{made}");
                if (i % 7 is 0)
                    Is(await DeleteAsync(made.Text("/data/id")!), 204);
            }
            while (
                (await Admin.GetAsync($"/api/v1/types/{Type}"))
                    .ToString()
                    .Contains("\"building\"", StringComparison.Ordinal)
            )
                await Task.Delay(50);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
