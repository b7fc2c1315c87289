using System.Net;

namespace Resources.Api.Tests;

/// <summary>Lists of large resources are bounded in bytes, not only in rows.</summary>
public sealed class LargeResourceTests(Backend backend)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Page_of_large_resources_ends_early_and_the_next_one_goes_on()
    {
        await using var server = await backend.StartServerAsync();
        var admin = await server.AdminAsync();
        var large = new string('x', 1_000_000);
        var ids = new List<string>();
        for (var i = 0; i < 36; i++)
            ids.Add(
                (
                    await admin.SendAsync(
                        "POST",
                        "/api/v1/resources",
                        $$$"""{"type":"{{{(i < 12 ? "few" : "many")}}}","name":"large","metadata":{"n":{{{i}}},"text":"{{{large}}}"}}"""
                    )
                ).Text("/data/id")!
            );

        foreach (var query in new[] { "", "&filter=metadata.n%20%3E%3D%200", "&q=large", "&includeDeleted=true" })
        {
            var found = new List<string>();
            var pages = 0;
            for (var cursor = ""; cursor is not null; pages++)
            {
                var page = await admin.GetAsync($"/api/v1/resources?type=few&limit=200{query}{cursor}");
                Assert.True(page.Status is 200, $"{query}{cursor}: {page}");
                var rows = page.At("/data")!.Value.EnumerateArray().Select(row => row.GetProperty("id").GetString()!);
                found.AddRange(rows);
                Assert.InRange(found.Count, 1, (pages + 1) * 9);
                cursor = page.Text("/meta/page/next") is { } next and not "null" ? $"&cursor={next}" : null;
            }
            Assert.Equal(2, pages);
            Assert.Equal(ids[..12].Order(), found.Order());
        }

        using var http = new HttpClient { BaseAddress = server.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", admin.Token);
        http.DefaultRequestHeaders.Add("Accept", "text/event-stream");
        using var tooLarge = await http.GetAsync("/api/v1/resources?follow=true", Cancelled);
        Assert.Equal(HttpStatusCode.BadRequest, tooLarge.StatusCode);
        Assert.Contains("LIST_TOO_LONG", await tooLarge.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        using var few = await http.GetAsync(
            "/api/v1/resources?follow=true&type=few",
            HttpCompletionOption.ResponseHeadersRead,
            Cancelled
        );
        Assert.Equal(HttpStatusCode.OK, few.StatusCode);
    }

    [Fact]
    public async Task Pages_of_rows_large_and_small_are_whole_for_an_account_that_reads_large_ones()
    {
        await using var server = await backend.StartServerAsync();
        var admin = await server.AdminAsync();
        var large = new string('x', 1_000_000);
        var ids = new Dictionary<string, List<string>> { ["small"] = [], ["mixed"] = [] };
        for (var i = 0; i < 24; i++)
            await CreateAsync("mixed", i is 3 or > 12 ? large : "");
        for (var i = 0; i < 130; i++)
            await CreateAsync("small", "");

        Assert.True((await WalkAsync("mixed", 200)).Length > 1);
        // The account's next pages are read as large ones are.
        Assert.Equal("130", string.Join(", ", await WalkAsync("small", 200)));
        Assert.Equal("130", string.Join(", ", await WalkAsync("small", 130)));
        Assert.Equal("50, 50, 30", string.Join(", ", await WalkAsync("small", 50)));
        await WalkAsync("mixed", 5);

        async Task CreateAsync(string type, string text) =>
            ids[type]
                .Insert(
                    0,
                    (
                        await admin.SendAsync(
                            "POST",
                            "/api/v1/resources",
                            $$$"""{"type":"{{{type}}}","name":"n","metadata":{"text":"{{{text}}}"}}"""
                        )
                    ).Text("/data/id")!
                );

        async Task<int[]> WalkAsync(string type, int limit)
        {
            var found = new List<string>();
            var sizes = new List<int>();
            for (var cursor = ""; cursor is not null; )
            {
                var page = await admin.GetAsync($"/api/v1/resources?type={type}&limit={limit}{cursor}");
                Assert.True(page.Status is 200, $"{page}");
                var rows = page.At("/data")!.Value.EnumerateArray().Select(row => row.GetProperty("id").GetString()!);
                sizes.Add(rows.Count());
                found.AddRange(rows);
                cursor = page.Text("/meta/page/next") is { } next and not "null" ? $"&cursor={next}" : null;
            }
            Assert.Equal(ids[type], found);
            return [.. sizes];
        }
    }
}
