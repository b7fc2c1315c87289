using System.Diagnostics;
using System.Text.Json;
using Resources.Projections;
using Resources.Tests;

namespace Resources.Api.Tests;

/// <summary>Filters and searches over HTTP. Properties in Cluster.Tests check what each operator means.</summary>
public sealed class ListFilterTests(Backend backend)
{
    readonly string type = $"t{Guid.NewGuid():n}";

    Task<Answer> ListAsync(string filter, string more = "") =>
        backend.User.GetAsync($"/api/v1/resources?type={type}&filter={Uri.EscapeDataString(filter)}{more}");

    async Task CreateAsync(string name, string metadata, string status = "active") =>
        Assert.Equal(
            201,
            (
                await backend.Admin.SendAsync(
                    "POST",
                    "/api/v1/resources",
                    $$"""{"name":{{JsonSerializer.Serialize(name)}},"type":"{{type}}","status":"{{status}}","metadata":{{metadata}}}"""
                )
            ).Status
        );

    [Theory]
    [InlineData("Cafe\u0301", "caf\u00e9")]
    [InlineData("Caf\u00c9", "cafe\u0301")]
    [InlineData("İSTANBUL", "i\u0307stanbul")]
    [InlineData("Straße", "STRASSE")]
    [InlineData("ΟΔΟΣ", "οδος")]
    public async Task Word_is_found_in_any_case_and_form(string name, string word)
    {
        await CreateAsync(name, "{}");
        await CreateAsync("other", JsonSerializer.Serialize(new { place = name }));
        Assert.Equal(2, (await ListAsync(word)).At("/data")!.Value.GetArrayLength());
        Assert.Equal(1, (await ListAsync($"name:{word}")).At("/data")!.Value.GetArrayLength());
        var search = await backend.User.GetAsync($"/api/v1/resources?type={type}&q={Uri.EscapeDataString(word)}");
        Assert.Equal(2, search.At("/data")!.Value.GetArrayLength());
    }

    /// <summary>
    /// Patterns that a matcher which tries every split would never be done with, over texts that match them almost.
    /// </summary>
    [Fact]
    [Trait("Conformance", "D10")]
    public async Task Wildcards_take_bounded_time()
    {
        for (var i = 0; i < 20; i++)
            await CreateAsync("item", $$$"""{"text":"{{{new string('a', 3_000)}}}b"}""");
        var pieces = string.Concat(Enumerable.Repeat("*a", 60));
        string[] hostile =
        [
            $"metadata.text = \"{pieces}*c*\"",
            $"NOT metadata.text = \"{pieces}*c\"",
            string.Join(" OR ", Enumerable.Range(0, 90).Select(i => $"metadata.text = \"*a*c{i}*\"")),
        ];
        foreach (var filter in hostile)
        {
            var started = Stopwatch.GetTimestamp();
            var answer = await ListAsync(filter, "&count=exact");
            Assert.True(answer.Status is 200, $"{filter[..40]}…: {answer}");
            Assert.True(Stopwatch.GetElapsedTime(started) < QueryTimeoutException.MaxTime, filter[..40]);
        }
    }

    [Fact]
    public async Task Filter_of_the_longest_text_is_accepted_in_any_script()
    {
        foreach (var letter in new[] { "a", "я", "漢", "𠀀" })
            Assert.Equal(
                200,
                (await ListAsync($"name = \"{string.Concat(Enumerable.Repeat(letter, 4_000))}\"")).Status
            );
        Assert.Equal(400, (await ListAsync($"name = \"{new string('漢', 4_100)}\"")).Status);
    }

    [Fact]
    public async Task Filter_applies_to_a_list_its_count_and_its_pages()
    {
        for (var i = 0; i < 12; i++)
            await CreateAsync(
                $"Item {i}",
                $$$"""{"price":{{{i}}}.50,"tags":["{{{(i % 2 is 0 ? "even" : "odd")}}}"],"author":{"first":"Johann"}}""",
                i % 3 is 0 ? "draft" : "active"
            );
        foreach (
            var (filter, count) in new[]
            {
                ("metadata.price >= 6", 6),
                ("metadata.price = 3.5", 1),
                ("metadata.price = 3.50 OR metadata.price = 4.5", 2),
                ("metadata.tags:even", 6),
                ("metadata.tags = even", 0),
                ("metadata.author.first = Johann AND status = draft", 4),
                ("status = draft OR status = active metadata.price < 2", 2),
                ("-status = draft", 8),
                ("NOT metadata.missing = 1", 12),
                ("metadata.missing != 1", 0),
                ("name = \"Item 1*\"", 3),
                ("name:(ite 11)", 1),
                ("name:\"item 11\"", 1),
                ("name:\"ite 11\"", 0),
                ("johann odd", 6),
                ("", 12),
                ("createdAt > 2020-01-01T00:00:00Z", 12),
            }
        )
        {
            var list = await ListAsync(filter, "&count=exact&limit=5&sort=name");
            Assert.True(list.Status is 200, $"{filter}: {list}");
            Assert.Equal((filter, $"{count}"), (filter, list.Text("/meta/count")));
            Assert.Equal(Math.Min(count, 5), list.At("/data")!.Value.GetArrayLength());
            if (count > 5)
            {
                var next = await ListAsync(filter, $"&limit=200&sort=name&cursor={list.Text("/meta/page/next")}");
                Assert.Equal(count - 5, next.At("/data")!.Value.GetArrayLength());
            }
        }
        Assert.Equal(
            "1",
            (await ListAsync("metadata.price > 3", "&q=joh%20eve&status=draft&count=exact")).Text("/meta/count")
        );
    }

    [Theory]
    [
        InlineData("colour = red", 0),
        InlineData("name = ", 7),
        InlineData("(name = a", 0),
        InlineData("name = a AND", 12),
        InlineData("version = one", 10),
        InlineData("createdAt > yesterday", 12),
        InlineData("metadata.a < true", 13),
        InlineData("startsWith(name, \"a\")", 0),
        InlineData("name = 'a'", 7)
    ]
    public async Task Invalid_filter_is_refused_with_the_position_of_the_error(string filter, int position)
    {
        var answer = await ListAsync(filter);
        Assert.Equal(
            (400, "?filter", "INVALID_FILTER", $"{position}"),
            (
                answer.Status,
                answer.Faults.FirstOrDefault(),
                answer.FaultCodes.FirstOrDefault(),
                answer.Text("/errors/0/position")
            )
        );
    }

    [Theory, InlineData("%21%21"), InlineData(""), InlineData("%20")]
    public async Task Search_without_a_word_is_refused(string q) =>
        Assert.Equal("?q", Assert.Single((await backend.User.GetAsync("/api/v1/resources?q=" + q)).Faults));

    [Fact]
    [Trait("Conformance", "D10")]
    public async Task Text_that_looks_like_SQL_is_literal()
    {
        await CreateAsync("'; drop table resource_views_1; --", """{"a":"$1) or true --","b\"'\\":"x"}""");
        Assert.Equal(
            1,
            (await ListAsync("name = \"'; drop table resource_views_1; --\"")).At("/data")!.Value.GetArrayLength()
        );
        Assert.Equal(1, (await ListAsync("metadata.a = \"$1) or true --\"")).At("/data")!.Value.GetArrayLength());
        Assert.Equal(1, (await ListAsync("""metadata."b\"'\\" = x""")).At("/data")!.Value.GetArrayLength());
        Assert.Equal(0, (await ListAsync("name = \"' or true --\"")).At("/data")!.Value.GetArrayLength());
    }
}
