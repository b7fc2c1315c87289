using System.Globalization;

namespace Resources.Api.Tests;

/// <summary>Consistency of lists and statistics, and how a client selects it.</summary>
public sealed class ConsistencyTests(Backend backend)
{
    readonly string type = $"t{Guid.NewGuid():n}";

    Task<Answer> CreateAsync() =>
        backend.Admin.SendAsync("POST", "/api/v1/resources", $$"""{"name":"n","type":"{{type}}"}""");

    [Theory, InlineData("resources"), InlineData("statistics")]
    public async Task Every_response_has_the_position_it_reflects(string what)
    {
        for (var i = 1; i <= 20; i++)
        {
            var written = long.Parse((await CreateAsync())["Position"]!, CultureInfo.InvariantCulture);
            var answer = await backend.User.GetAsync($"/api/v1/{what}?type={type}");
            Assert.Equal(
                $"{i}",
                what is "resources" ? $"{answer.At("/data")!.Value.GetArrayLength()}" : answer.Text("/data/total")
            );
            Assert.True(long.Parse(answer["Position"]!, CultureInfo.InvariantCulture) >= written, $"{answer}");
            Assert.Equal(answer["Position"], answer.Text("/meta/position"));
        }
    }

    [Fact]
    public async Task Eventual_list_with_Min_Position_includes_the_write()
    {
        for (var i = 1; i <= 20; i++)
        {
            var position = (await CreateAsync())["Position"]!;
            var list = await backend.User.GetAsync(
                $"/api/v1/resources?type={type}&consistency=eventual",
                ("Min-Position", position)
            );
            Assert.Equal(i, list.At("/data")!.Value.GetArrayLength());
        }
        Assert.Equal(200, (await backend.User.GetAsync($"/api/v1/resources?type={type}&consistency=eventual")).Status);
    }

    [
        Theory,
        InlineData("9223372036854775807"),
        InlineData("1e3"),
        InlineData("-1"),
        InlineData(" "),
        InlineData("99999999999999999999")
    ]
    public async Task Invalid_Min_Position_is_refused(string position)
    {
        var answer = await backend.User.GetAsync("/api/v1/resources", ("Min-Position", position));
        Assert.True(answer is { Status: 400, Faults: ["header:Min-Position"] }, $"{answer}");
    }

    [Fact]
    public async Task Unknown_consistency_is_refused() =>
        Assert.Equal(
            "?consistency",
            Assert.Single((await backend.User.GetAsync("/api/v1/statistics?consistency=strong")).Faults)
        );

    [Fact]
    [Trait("Conformance", "F4")]
    public async Task Unchanged_response_is_304_until_the_log_advances()
    {
        // A log of its own, which stands still.
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
        async Task WriteAsync() =>
            Assert.Equal(
                201,
                (await admin.SendAsync("POST", "/api/v1/resources", $$"""{"name":"n","type":"{{type}}"}""")).Status
            );
        foreach (var what in new[] { "resources?", "resources?sort=name&fields=name&", "statistics?" })
        {
            await WriteAsync();
            var tag = (await admin.GetAsync($"/api/v1/{what}type={type}")).ETag!;
            Assert.StartsWith("W/\"", tag);
            foreach (var encoding in new[] { "br", "identity" })
            {
                var held = await admin.GetAsync(
                    $"/api/v1/{what}type={type}",
                    ("If-None-Match", tag),
                    ("Accept-Encoding", encoding)
                );
                Assert.Equal((304, tag, true), (held.Status, held.ETag, held["Position"] is not null));
            }
            await WriteAsync();
            Assert.Equal(200, (await admin.GetAsync($"/api/v1/{what}type={type}", ("If-None-Match", tag))).Status);
            Assert.Equal(
                200,
                (await admin.GetAsync($"/api/v1/{what}type={type}&status=active", ("If-None-Match", tag))).Status
            );
        }
    }

    [Fact]
    public async Task HEAD_has_the_headers_of_GET()
    {
        foreach (var path in new[] { $"/api/v1/resources?type={type}", $"/api/v1/statistics?type={type}", "/health" })
        {
            var head = await backend.User.SendAsync("HEAD", path);
            Assert.Equal(200, head.Status);
            if (path.StartsWith("/api", StringComparison.Ordinal))
                Assert.NotNull(head["Position"]);
        }
    }
}
