using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Groups of resources in the statistics, and figures of their members.</summary>
public sealed class GroupTests(Backend backend, GroupTests.Books books)
    : TypeBackend(backend),
        IClassFixture<GroupTests.Books>
{
    async Task<string> GroupsAsync(ApiClient caller, string query, string? type = null)
    {
        var answer = await caller.GetAsync($"/api/v1/statistics?type={type ?? books.Type}&{query}");
        Is(answer, 200);
        return answer.Text("/data/groups")!;
    }

    [Theory]
    [
        InlineData(
            "groupBy=status",
            """[{"key":{"status":"draft"},"count":3},{"key":{"status":"active"},"count":2}]"""
        ),
        InlineData("groupBy=status,type&status=active", """[{"key":{"status":"active","type":"TYPE"},"count":2}]"""),
        InlineData("groupBy=day&to=2020-01-01", "[]"),
        InlineData(
            "sum=metadata.price&avg=metadata.price&min=metadata.price,metadata.genre&max=metadata.price",
            """[{"key":{},"count":5,"sum":{"metadata.price":12.50},"avg":{"metadata.price":4.1666666666666667},"min":{"metadata.price":-0.5,"metadata.genre":"drama"},"max":{"metadata.price":10}}]"""
        ),
        InlineData(
            "groupBy=metadata.genre&sum=metadata.price",
            """[{"key":{"metadata.genre":"drama"},"count":3,"sum":{"metadata.price":13}},{"key":{"metadata.genre":null},"count":1,"sum":{"metadata.price":null}},{"key":{"metadata.genre":"novel"},"count":1,"sum":{"metadata.price":-0.5}}]"""
        ),
        InlineData(
            "groupBy=status,metadata.genre&max=metadata.price&status=draft",
            """[{"key":{"status":"draft","metadata.genre":"drama"},"count":2,"max":{"metadata.price":10}},{"key":{"status":"draft","metadata.genre":"novel"},"count":1,"max":{"metadata.price":-0.5}}]"""
        ),
        InlineData("sum=metadata.price&from=2100-01-01", """[{"key":{},"count":0,"sum":{"metadata.price":null}}]""")
    ]
    public async Task Groups_are_counted_and_added_up(string query, string expected)
    {
        var found = await GroupsAsync(Admin, query);
        using var left = JsonDocument.Parse(Sorted(expected.Replace("TYPE", books.Type, StringComparison.Ordinal)));
        using var right = JsonDocument.Parse(Sorted(found));
        Assert.True(JsonElement.DeepEquals(left.RootElement, right.RootElement), $"{query}: {found}");
    }

    /// <summary>Groups of one size have no order that matters here.</summary>
    static string Sorted(string groups)
    {
        var texts = JsonElement.Parse(groups).EnumerateArray().Select(group => group.GetRawText());
        return $"[{string.Join(',', texts.Order(StringComparer.Ordinal))}]";
    }

    [Fact]
    public async Task Caller_sees_groups_of_what_is_theirs()
    {
        Assert.Equal(
            """[{"key":{"status":"draft"},"count":1,"sum":{"metadata.price":-0.5}}]""",
            await GroupsAsync(Backend.Author, "groupBy=status&sum=metadata.price")
        );
        Assert.Contains(
            "\"count\":1}",
            await GroupsAsync(Backend.Author, "groupBy=owner,day"),
            StringComparison.Ordinal
        );
        Assert.Equal(2, JsonElement.Parse(await GroupsAsync(Admin, "groupBy=owner")).GetArrayLength());
    }

    [Fact]
    public async Task Deletion_leaves_its_group()
    {
        var type = FreshType();
        var id = await MadeAsync(type, "{}");
        Assert.Contains("\"count\":1", await GroupsAsync(Admin, "groupBy=type", type), StringComparison.Ordinal);
        Is(await DeleteAsync(id), 204);
        Assert.Equal("[]", await GroupsAsync(Admin, "groupBy=type", type));
        Assert.Null((await Admin.GetAsync($"/api/v1/statistics?type={type}")).At("/data/groups"));
    }

    /// <summary>Whoever holds the answer's tag would never learn of what one of them lacks.</summary>
    [Fact]
    public async Task Groups_and_counts_are_of_one_moment_beside_writes()
    {
        var type = FreshType();
        using var enough = new CancellationTokenSource();
        var writes = Enumerable.Range(0, 4).Select(_ => WriteAsync()).ToArray();
        try
        {
            for (var i = 0; i < 200; i++)
            {
                var answer = await Admin.GetAsync($"/api/v1/statistics?type={type}&groupBy=type&consistency=eventual");
                Is(answer, 200);
                Assert.Equal(answer.Text("/data/total"), answer.Text("/data/groups/0/count") ?? "0");
            }
        }
        finally
        {
            await enough.CancelAsync();
            await Task.WhenAll(writes);
        }

        async Task WriteAsync()
        {
            while (!enough.IsCancellationRequested)
                await MadeAsync(type, "{}");
        }
    }

    [Fact]
    public async Task Keys_and_figures_are_as_the_index_has_them()
    {
        var type = FreshType();
        Is(
            await DeclareAsync(
                Definition(
                    type,
                    """{"type":"object","properties":{"text":{},"at":{"type":"string","format":"date-time"}}}""",
                    "\"indexed\":[\"/metadata/text\",\"/metadata/at\"]"
                )
            ),
            201
        );
        var beginning = new string('x', 256);
        await MadeAsync(type, """{"text":true,"at":"2026-01-31T12:00:00+02:00"}""");
        await MadeAsync(type, """{"text":"true","at":"2026-01-31T11:00:00.5+01:00"}""");
        await MadeAsync(type, $$"""{"text":"{{beginning}}y","at":"2026-02-01T12:00:00Z"}""");
        await MadeAsync(type, $$"""{"text":"{{beginning}}z","at":"2026-02-01T12:00:00Z"}""");
        var path = $"/api/v1/statistics?type={type}&groupBy=metadata.text&min=metadata.at";
        while ((await Admin.GetAsync(path))["Retry-After"] is not null)
            await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.Equal(
            Sorted(
                $$$"""
                [{"key":{"metadata.text":"true"},"count":2,"min":{"metadata.at":"2026-01-31T10:00:00.000000Z"}},
                {"key":{"metadata.text":"{{{beginning}}}"},"count":2,"min":{"metadata.at":"2026-02-01T12:00:00.000000Z"}}]
                """
            ),
            Sorted((await Admin.GetAsync(path)).Text("/data/groups")!)
        );
    }

    [Theory]
    [
        InlineData("groupBy=status,type,owner", "VALIDATION_FAILED", "?groupBy"),
        InlineData("groupBy=name", "VALIDATION_FAILED", "?groupBy"),
        InlineData("groupBy=status,status", "VALIDATION_FAILED", "?groupBy"),
        InlineData("sum=price&type=TYPE", "VALIDATION_FAILED", "?sum"),
        InlineData("sum=metadata.price", "NOT_INDEXED", "?sum"),
        InlineData("max=metadata.author&type=TYPE", "NOT_INDEXED", "?max"),
        InlineData("groupBy=metadata.author&type=TYPE", "NOT_INDEXED", "?groupBy")
    ]
    public async Task What_cannot_be_grouped_is_refused(string query, string code, string fault) =>
        Is(
            await Admin.GetAsync("/api/v1/statistics?" + query.Replace("TYPE", books.Type, StringComparison.Ordinal)),
            400,
            code,
            fault
        );

    /// <summary>Five resources; one of them is the author's.</summary>
    public sealed class Books(Backend backend) : TypeBackend(backend), IAsyncLifetime
    {
        const string Schema = """{"type":"object","properties":{"price":{},"genre":{}}}""";

        public string Type { get; } = FreshType();

        public async ValueTask InitializeAsync()
        {
            Is(
                await DeclareAsync(Definition(Type, Schema, "\"indexed\":[\"/metadata/price\",\"/metadata/genre\"]")),
                201
            );
            foreach (
                var (caller, metadata, status) in new[]
                {
                    (Admin, """{"price":3,"genre":"drama"}""", "draft"),
                    (Admin, """{"price":10,"genre":"drama"}""", "draft"),
                    (Backend.Author, """{"price":-0.5,"genre":"novel"}""", "draft"),
                    (Admin, """{"price":"x","genre":"drama"}""", "active"),
                    (Admin, """{"genre":null}""", "active"),
                }
            )
                Is(
                    await caller.SendAsync(
                        "POST",
                        "/api/v1/resources",
                        $$"""{"name":"n","type":"{{Type}}","status":"{{status}}","metadata":{{metadata}}}"""
                    ),
                    201
                );
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
