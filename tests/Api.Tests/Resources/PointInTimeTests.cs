using System.Globalization;

namespace Resources.Api.Tests;

/// <summary>Reads of past states by version, time and position, and of the history.</summary>
public sealed class PointInTimeTests(Backend backend)
{
    /// <summary>
    /// A resource that was created, renamed, deleted and restored, with the times and positions of these events.
    /// </summary>
    async Task<(Sample Sample, string[] Times, string[] Positions)> LivedAsync()
    {
        var sample = await backend.CreateAsync(Given.Deleted);
        Assert.Equal(200, (await backend.Admin.SendAsync("POST", sample.Path + "/restore")).Status);
        Assert.Equal(
            200,
            (
                await backend.Admin.SendAsync(
                    "PATCH",
                    sample.Path,
                    """{"name":"renamed"}""",
                    "application/merge-patch+json"
                )
            ).Status
        );
        var history = await backend.User.GetAsync(sample.Path + "/events");
        Assert.Equal(4, history.At("/data")!.Value.GetArrayLength());
        return (
            sample,
            [.. Enumerable.Range(0, 4).Select(i => history.Text($"/data/{i}/time")!)],
            [.. Enumerable.Range(0, 4).Select(i => history.Text($"/data/{i}/position")!)]
        );
    }

    [Fact]
    public async Task Past_states_are_addressed_by_version_time_and_position()
    {
        var (sample, times, positions) = await LivedAsync();
        for (var i = 0; i < 4; i++)
            foreach (var query in new[] { $"version={i + 1}", $"at={times[i]}", $"at={positions[i]}" })
            {
                var answer = await backend.User.GetAsync($"{sample.Path}?{query}");
                if (i is 1)
                    Assert.Equal((410, "RESOURCE_DELETED"), (answer.Status, answer.Code));
                else
                    Assert.Equal(
                        (200, $"{i + 1}", i is 3 ? "renamed" : "sample", $"\"{i + 1}\""),
                        (answer.Status, answer.Text("/data/version"), answer.Text("/data/name"), answer.ETag)
                    );
            }
    }

    /// <summary>Times of events are the database's, which another clock need not agree with.</summary>
    [Fact]
    public async Task Time_that_the_server_gave_is_never_in_the_future()
    {
        await using var server = await backend.StartServerAsync();
        var admin = await server.AdminAsync();
        foreach (var (ahead, member) in new[] { (-3, "/data/updatedAt"), (2, "/meta/timestamp") })
        {
            server.Clock.Ahead = TimeSpan.FromSeconds(ahead);
            var created = await admin.SendAsync("POST", "/api/v1/resources", """{"name":"now"}""");
            var answer = await admin.GetAsync(
                $"/api/v1/resources/{created.Text("/data/id")}?at={created.Text(member)}"
            );
            Assert.Equal((200, "1"), (answer.Status, answer.Text("/data/version")));
        }

        var path =
            "/api/v1/resources/"
            + (await admin.SendAsync("POST", "/api/v1/resources", """{"name":"one"}""")).Text("/data/id");
        var soon = DateTimeOffset.UtcNow.AddSeconds(1);
        Assert.Equal(200, (await admin.GetAsync(path + $"?at={soon.UtcDateTime:O}")).Status);
        Assert.True(DateTimeOffset.UtcNow >= soon);
        var later = DateTimeOffset.UtcNow.AddMinutes(1);
        Assert.Equal(["?at"], (await admin.GetAsync(path + $"?at={later.UtcDateTime:O}")).Faults);
    }

    [Fact]
    public async Task Time_between_two_events_shows_the_earlier_state()
    {
        var (sample, times, _) = await LivedAsync();
        var before = DateTimeOffset.Parse(times[3], CultureInfo.InvariantCulture).AddTicks(-10);
        var answer = await backend.User.GetAsync($"{sample.Path}?at={before.UtcDateTime:O}");
        Assert.Equal((200, "3"), (answer.Status, answer.Text("/data/version")));
    }

    [Fact]
    public async Task Times_accept_any_offset_and_precision()
    {
        var (sample, times, _) = await LivedAsync();
        var created = DateTimeOffset.Parse(times[0], CultureInfo.InvariantCulture);
        var east = created
            .ToOffset(TimeSpan.FromHours(2))
            .ToString("yyyy-MM-dd'T'HH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture)
            .Replace("+", "%2B", StringComparison.Ordinal);
        foreach (
            var at in new[]
            {
                east,
                east.Replace("%2B", "+", StringComparison.Ordinal),
                times[0].Replace("Z", "000Z", StringComparison.Ordinal),
                times[0].Replace("Z", "123456Z", StringComparison.Ordinal),
                times[0].Replace('Z', 'z'),
                times[0].Replace('T', 't'),
            }
        )
        {
            var answer = await backend.User.GetAsync($"{sample.Path}?at={at}");
            Assert.True((200, "1") == (answer.Status, answer.Text("/data/version")), $"{at}: {answer}");
        }
    }

    [Fact]
    public async Task Resource_does_not_exist_before_its_creation()
    {
        var (sample, times, positions) = await LivedAsync();
        var before = DateTimeOffset
            .Parse(times[0], CultureInfo.InvariantCulture)
            .AddTicks(-10)
            .UtcDateTime.ToString("O");
        foreach (
            var at in new[]
            {
                before,
                "0001-01-01T00:00:00Z",
                (long.Parse(positions[0], CultureInfo.InvariantCulture) - 1).ToString(CultureInfo.InvariantCulture),
                "0",
            }
        )
            Assert.Equal("RESOURCE_NOT_FOUND", (await backend.User.GetAsync($"{sample.Path}?at={at}")).Code);
    }

    [Theory]
    [
        InlineData("at=9999-12-31T23:59:59Z"),
        InlineData("at=9223372036854775807"),
        InlineData("at=99999999999999999999"),
        InlineData("at=yesterday"),
        InlineData("at="),
        InlineData("at=2026-01-31"),
        InlineData("at=2026-01-31T12:00:00"),
        InlineData("at=2026-02-30T12:00:00Z")
    ]
    [
        InlineData("at=-1"),
        InlineData("version=01"),
        InlineData("version=%2B1"),
        InlineData("version=1.0"),
        InlineData("version="),
        InlineData("version=99999999999999999999"),
        InlineData("version=-1"),
        InlineData("version=1&at=0")
    ]
    public async Task Invalid_point_in_time_is_refused(string query)
    {
        var answer = await backend.User.GetAsync($"{(await backend.CreateAsync()).Path}?{query}");
        Assert.Equal(
            (400, query.Contains("at=", StringComparison.Ordinal) ? "?at" : "?version"),
            (answer.Status, Assert.Single(answer.Faults))
        );
    }

    [Fact]
    public async Task Pages_of_a_history_have_no_gap()
    {
        var (sample, _, _) = await LivedAsync();
        var types = new List<string>();
        var after = "0";
        for (var pages = 0; after is not null; pages++)
        {
            var page = await backend.User.GetAsync($"{sample.Path}/events?limit=3&after={after}");
            Assert.Equal("3", page.Text("/meta/page/limit"));
            types.AddRange(page.At("/data")!.Value.EnumerateArray().Select(e => e.GetProperty("type").GetString()!));
            after = page.At("/meta/page/next")!.Value.GetString();
            Assert.Equal(after is null, types.Count is 4);
            Assert.True(pages < 3);
        }
        Assert.Equal(await backend.EventsAsync(sample.Id), types);
        Assert.Empty(
            (await backend.User.GetAsync($"{sample.Path}/events?after=now")).At("/data")!.Value.EnumerateArray()
        );
    }

    [Fact]
    public async Task Event_is_a_CloudEvent()
    {
        var sample = await backend.CreateAsync();
        var answer = await backend.User.GetAsync(sample.Path + "/events");
        var created = answer.At("/data/0")!.Value;
        Assert.Equal(
            [
                "specversion",
                "id",
                "source",
                "type",
                "subject",
                "time",
                "datacontenttype",
                "position",
                "resourceversion",
                "resourcetype",
                "actor",
                "correlationid",
                "data",
            ],
            created.EnumerateObject().Select(member => member.Name)
        );
        Assert.Equal(
            ("1.0", "/resources", "application/json", "1", "resource", $"{sample.Id}"),
            (
                answer.Text("/data/0/specversion"),
                answer.Text("/data/0/source"),
                answer.Text("/data/0/datacontenttype"),
                answer.Text("/data/0/resourceversion"),
                answer.Text("/data/0/resourcetype"),
                answer.Text("/data/0/subject")
            )
        );
        Assert.Matches("^[0-9]+$", answer.Text("/data/0/position"));
        Assert.Matches("^[0-9a-f]{32}$", answer.Text("/data/0/correlationid"));
        Assert.Equal("sample", answer.Text("/data/0/data/name"));
        Assert.NotNull(answer["Position"]);
    }
}
