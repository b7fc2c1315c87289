using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Counts follow every change of a resource.</summary>
public sealed class StatisticsTests(Backend backend)
{
    readonly string type = $"t{Guid.NewGuid():n}";

    async Task<string> ShownAsync(string parameters = "") =>
        (await backend.User.GetAsync($"/api/v1/statistics?type={type}{parameters}")) is var answer
        && answer.Status is 200
            ? $"{answer.Text("/data/total")} {answer.Text("/data/byStatus")}"
            : throw new InvalidOperationException($"{answer}");

    async Task SendAsync(string method, string path, int status, string? body = null) =>
        Assert.Equal(
            status,
            (
                await backend.Admin.SendAsync(
                    method,
                    path,
                    body,
                    method is "PATCH" ? "application/merge-patch+json" : "application/json",
                    ("If-Match", "*")
                )
            ).Status
        );

    [Fact]
    public async Task Live_resources_are_counted_by_status()
    {
        var path =
            "/api/v1/resources/"
            + (await backend.Admin.SendAsync("POST", "/api/v1/resources", $$"""{"name":"n","type":"{{type}}"}""")).Text(
                "/data/id"
            );
        Assert.Equal("""1 [{"status":"active","count":1}]""", await ShownAsync());
        await SendAsync("PATCH", path, 200, """{"status":"draft"}""");
        Assert.Equal("""1 [{"status":"draft","count":1}]""", await ShownAsync());
        await SendAsync("PUT", path, 200, """{"name":"m","status":"done"}""");
        await SendAsync("PATCH", path, 200, """{"name":"renamed"}""");
        Assert.Equal("""1 [{"status":"done","count":1}]""", await ShownAsync());
        await SendAsync("DELETE", path, 204);
        Assert.Equal("0 []", await ShownAsync());
        await SendAsync("POST", path + "/restore", 200);
        Assert.Equal("""1 [{"status":"done","count":1}]""", await ShownAsync());
        Assert.Equal("0 []", await ShownAsync("&status=active"));
    }

    [Fact]
    public async Task Daily_counts_use_the_day_of_creation()
    {
        await backend.Admin.SendAsync("POST", "/api/v1/resources", $$"""{"name":"n","type":"{{type}}"}""");
        var today = (await backend.User.GetAsync($"/api/v1/statistics?type={type}")).Text("/data/byDay/0/day")!;
        Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", today);
        Assert.StartsWith("1 ", await ShownAsync($"&from={today}&to={today}"));
        Assert.StartsWith("0 ", await ShownAsync("&to=2020-01-01"));
        Assert.StartsWith("0 ", await ShownAsync("&from=2100-01-01"));
        Assert.Equal(
            ["?from", "?to"],
            (await backend.User.GetAsync("/api/v1/statistics?from=today&to=2026-02-30")).Faults
        );
    }

    [Fact]
    public async Task Counts_agree_with_the_lists()
    {
        for (var i = 0; i < 7; i++)
        {
            var created = await backend.Admin.SendAsync(
                "POST",
                "/api/v1/resources",
                JsonSerializer.Serialize(
                    new
                    {
                        name = $"word{i % 2} other",
                        type,
                        status = i % 3 is 0 ? "draft" : "active",
                    }
                )
            );
            if (i is 6)
                await SendAsync("DELETE", "/api/v1/resources/" + created.Text("/data/id"), 204);
        }
        foreach (
            var (parameters, count) in new[]
            {
                ("", 6),
                ("&status=draft", 2),
                ("&q=word0", 3),
                ("&q=WORD", 6),
                ("&q=word1%20oth", 3),
                ("&q=nothing", 0),
                ("&includeDeleted=true", 7),
                ("&owner=nobody", 0),
            }
        )
        foreach (var kind in new[] { "exact", "estimated" })
        {
            var list = await backend.Admin.GetAsync(
                $"/api/v1/resources?type={type}{parameters}&count={kind}&limit=100"
            );
            Assert.True(list.Status is 200, $"{parameters} {kind}: {list}");
            Assert.Equal((count, $"{count}"), (list.At("/data")!.Value.GetArrayLength(), list.Text("/meta/count")));
        }
        Assert.Equal("?count", Assert.Single((await backend.User.GetAsync("/api/v1/resources?count=all")).Faults));
    }
}
