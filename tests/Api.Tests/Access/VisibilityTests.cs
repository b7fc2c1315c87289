using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>
/// A caller with permissions only for their own resources sees no trace of others, in lists, counts, statistics,
/// histories or refusals.
/// </summary>
[Trait("Conformance", "C2")]
public sealed class VisibilityTests(Backend backend)
{
    readonly string type = $"t{Guid.NewGuid():n}";

    async Task<string> CreateAsync(ApiClient caller, string status = "active", string metadata = "{}") =>
        (
            await caller.SendAsync(
                "POST",
                "/api/v1/resources",
                $$"""{"name":"secret plan","type":"{{type}}","status":"{{status}}","metadata":{{metadata}}}"""
            )
        ).Text("/data/id")!;

    [Fact]
    public async Task Lists_counts_searches_and_statistics_contain_only_visible_resources()
    {
        var mine = await CreateAsync(backend.Author);
        var deleted = await CreateAsync(backend.Author);
        Assert.Equal(204, (await backend.Author.SendAsync("DELETE", $"/api/v1/resources/{deleted}")).Status);
        await CreateAsync(backend.Admin);
        await CreateAsync(backend.Admin, "draft");
        var admin = (await backend.Admin.GetAsync("/api/v1/me")).Text("/data/id");

        foreach (
            var (parameters, ids) in new (string, string[])[]
            {
                ("", [mine]),
                ("&count=exact", [mine]),
                ("&count=estimated", [mine]),
                ("&q=secret&count=exact", [mine]),
                ("&q=plan&count=estimated", [mine]),
                ("&status=draft&count=exact", []),
                ($"&owner={admin}&count=exact", []),
                ("&includeDeleted=true&count=exact", [deleted, mine]),
                ("&sort=owner", [mine]),
            }
        )
        {
            var list = await backend.Author.GetAsync($"/api/v1/resources?type={type}{parameters}");
            Assert.Equal(
                ids,
                list.At("/data")!.Value.EnumerateArray().Select(row => row.GetProperty("id").GetString())
            );
            if (parameters.Contains("count", StringComparison.Ordinal))
                Assert.Equal($"{ids.Length}", list.Text("/meta/count"));
        }
        Assert.Equal(
            "3",
            (await backend.Admin.GetAsync($"/api/v1/resources?type={type}&count=exact")).Text("/meta/count")
        );

        var figures = await backend.Author.GetAsync($"/api/v1/statistics?type={type}");
        Assert.Equal(
            ("1", $$"""[{"type":"{{type}}","count":1}]""", """[{"status":"active","count":1}]"""),
            (figures.Text("/data/total"), figures.Text("/data/byType"), figures.Text("/data/byStatus"))
        );
        Assert.Equal("3", (await backend.Admin.GetAsync($"/api/v1/statistics?type={type}")).Text("/data/total"));
        Assert.NotEqual(figures.ETag, (await backend.Admin.GetAsync($"/api/v1/statistics?type={type}")).ETag);
    }

    [Fact]
    public async Task Resource_of_another_owner_looks_missing_to_every_operation()
    {
        var live = $"/api/v1/resources/{await CreateAsync(backend.Admin)}";
        var deleted = $"/api/v1/resources/{await CreateAsync(backend.Admin)}";
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", deleted)).Status);
        foreach (var path in new[] { live, deleted })
        foreach (
            var (method, tail, body, type) in new[]
            {
                ("GET", "", null, "application/json"),
                ("GET", "?version=1", null, "application/json"),
                ("GET", "?at=2020-01-01T00:00:00Z", null, "application/json"),
                ("GET", "?nonsense=1", null, "application/json"),
                ("GET", "/events", null, "application/json"),
                ("PUT", "", """{"name":"x"}""", "application/json"),
                ("PUT", "", "{", "application/json"),
                ("PATCH", "", """{"name":"x"}""", "application/merge-patch+json"),
                ("PATCH", "", "x", "text/plain"),
                ("DELETE", "", null, "application/json"),
                ("POST", "/restore", null, "application/json"),
            }
        )
        {
            var answer = await backend.Author.SendAsync(method, path + tail, body, type!, ("If-None-Match", "\"1\""));
            Assert.True(
                answer is { Status: 404, Code: "RESOURCE_NOT_FOUND", ETag: null },
                $"{method} {tail}: {answer}"
            );
        }
        Assert.Equal(200, (await backend.Admin.GetAsync(live)).Status);
    }

    [Fact]
    public async Task Own_resources_can_be_read_and_changed()
    {
        var path = $"/api/v1/resources/{await CreateAsync(backend.Author)}";
        Assert.Equal(200, (await backend.Author.GetAsync(path)).Status);
        Assert.Equal(
            200,
            (
                await backend.Author.SendAsync("PATCH", path, """{"name":"renamed"}""", "application/merge-patch+json")
            ).Status
        );
        Assert.Equal(200, (await backend.Author.GetAsync(path + "/events")).Status);
        Assert.Equal(204, (await backend.Author.SendAsync("DELETE", path)).Status);
        Assert.Equal(410, (await backend.Author.GetAsync(path)).Status);
        Assert.Equal(200, (await backend.Author.SendAsync("POST", path + "/restore")).Status);
    }

    [Fact]
    public async Task Deleted_resources_are_listed_only_with_permission()
    {
        var answer = await backend.User.GetAsync("/api/v1/resources?includeDeleted=true");
        Assert.Equal((403, "FORBIDDEN"), (answer.Status, answer.Code));
        Assert.Equal(
            (400, "?includeDeleted"),
            (
                (await backend.Admin.GetAsync("/api/v1/resources?includeDeleted=yes")).Status,
                (await backend.Admin.GetAsync("/api/v1/resources?includeDeleted=yes")).Faults.Single()
            )
        );

        var id = await CreateAsync(backend.Admin);
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/resources/{id}")).Status);
        var list = await backend.Admin.GetAsync($"/api/v1/resources?type={type}&includeDeleted=true");
        Assert.Equal(JsonValueKind.String, list.At("/data/0/deletedAt")!.Value.ValueKind);
        Assert.Equal(
            0,
            (await backend.Admin.GetAsync($"/api/v1/resources?type={type}")).At("/data")!.Value.GetArrayLength()
        );
    }
}
