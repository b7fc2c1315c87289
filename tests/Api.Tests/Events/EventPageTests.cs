using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>The log in pages, and the rules that pages and streams share.</summary>
public sealed class EventPageTests(Backend backend)
{
    readonly string type = $"t{Guid.NewGuid():n}";

    [Fact]
    public async Task Pages_return_the_whole_log_in_order()
    {
        await CreateAsync(30);
        var read = new List<long>();
        var after = "0";
        var stored = await backend.PositionsAsync();
        while (after is not null)
        {
            var page = await backend.User.GetAsync($"/api/v1/events?limit=7&after={after}");
            read.AddRange(Positions(page));
            after = page.At("/meta/page/next")!.Value.GetString();
        }
        Assert.Equal(stored, read.Take(stored.Length));
        Assert.Equal(read.Order().Distinct(), read);
    }

    [Fact]
    public async Task Filters_narrow_the_log()
    {
        var ids = await CreateAsync(3);
        await PatchAsync(ids[0], "renamed");
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/resources/{ids[1]}")).Status);
        var admin = (await backend.Admin.GetAsync("/api/v1/me")).Text("/data/id");
        foreach (
            var (filter, types) in new (string, string[])[]
            {
                ("", ["created", "created", "created", "renamed", "deleted"]),
                ("&event=resource.deleted,resource.renamed", ["renamed", "deleted"]),
                ($"&resource={ids[0]}", ["created", "renamed"]),
                ($"&resource={ids[1]}&event=resource.deleted", ["deleted"]),
                ($"&owner={admin}&event=resource.renamed", ["renamed"]),
                ("&owner=somebody", []),
            }
        )
        {
            var page = await backend.User.GetAsync($"/api/v1/events?type={type}&limit=1000{filter}");
            Assert.Equal(
                types.Select(name => "resource." + name),
                page.At("/data")!.Value.EnumerateArray().Select(e => e.GetProperty("type").GetString())
            );
        }
    }

    [Theory]
    [
        InlineData("after=999999999999", "?after"),
        InlineData("after=-1", "?after"),
        InlineData("after=1.5", "?after"),
        InlineData("after=later", "?after"),
        InlineData("after=99999999999999999999999", "?after"),
        InlineData("limit=0", "?limit"),
        InlineData("wait=61", "?wait"),
        InlineData("wait=x", "?wait"),
        InlineData("type=A%20b", "?type"),
        InlineData("resource=1", "?resource"),
        InlineData("event=resource.eaten", "?event"),
        InlineData("owner=", "?owner"),
        InlineData("since=1", "?since")
    ]
    [Trait("Conformance", "H6")]
    public async Task Invalid_queries_are_refused_for_pages_and_streams(string query, string pointer)
    {
        foreach (var accept in new[] { "application/json", "text/event-stream" })
        {
            var answer = await backend.User.GetAsync($"/api/v1/events?{query}", ("Accept", accept));
            Assert.Equal(
                (400, pointer, "application/problem+json"),
                (answer.Status, Assert.Single(answer.Faults), answer["Content-Type"])
            );
        }
    }

    [Theory]
    [InlineData("now"), InlineData("999999999999"), InlineData("abc")]
    [Trait("Conformance", "H6")]
    public async Task Position_ahead_of_the_log_is_reported(string lastEventId)
    {
        var answer = await backend.User.GetAsync(
            "/api/v1/events?after=0",
            ("Accept", "text/event-stream"),
            ("Last-Event-ID", lastEventId)
        );
        Assert.Equal((400, "header:Last-Event-ID"), (answer.Status, Assert.Single(answer.Faults)));
    }

    [Fact]
    public async Task Waiting_page_returns_with_the_next_event()
    {
        var start = await HeadAsync();
        var waiting = backend.User.GetAsync($"/api/v1/events?type={type}&after={start}&wait=30");
        await Task.WhenAny(waiting, Task.Delay(200, TestContext.Current.CancellationToken));
        Assert.False(waiting.IsCompleted);
        var ids = await CreateAsync(1);
        Assert.Equal($"{ids[0]}", (await waiting).Text("/data/0/subject"));
    }

    [Fact]
    public async Task Waiting_page_ends_when_the_caller_loses_access()
    {
        var email = $"{Guid.NewGuid():n}@example.org";
        var account = (await backend.AddUserAsync(email, "a password of enough length", "user")).Text("/data/id");
        var caller = await backend.Guest.LoginAsync(email, "a password of enough length");
        var waiting = caller.GetAsync($"/api/v1/events?type={type}&after={await HeadAsync()}&wait=60");
        await Task.WhenAny(waiting, Task.Delay(500, TestContext.Current.CancellationToken));
        Assert.False(waiting.IsCompleted);
        Assert.Equal(
            200,
            (await backend.Admin.SendAsync("PUT", $"/api/v1/users/{account}/roles", """{"roles":[]}""")).Status
        );
        Assert.Equal(
            "[]",
            (await waiting.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)).Text("/data")
        );
    }

    [Fact]
    public async Task Waiting_page_that_times_out_reports_the_position_it_reached()
    {
        var start = await HeadAsync();
        var watch = Stopwatch.StartNew();
        var page = await backend.User.GetAsync($"/api/v1/events?type={type}&after={start}&wait=1");
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(10));
        Assert.Equal(("[]", "null"), (page.Text("/data"), page.Text("/meta/page/next")));
        Assert.True(
            long.Parse(page.Text("/meta/position")!, CultureInfo.InvariantCulture)
                >= long.Parse(start, CultureInfo.InvariantCulture)
        );
    }

    [Fact]
    public async Task Caller_limited_to_own_resources_reads_only_their_events()
    {
        var mine = (
            await backend.Author.SendAsync("POST", "/api/v1/resources", $$"""{"name":"mine","type":"{{type}}"}""")
        ).Text("/data/id");
        await CreateAsync(2);
        var page = await backend.Author.GetAsync($"/api/v1/events?type={type}");
        Assert.Equal(
            [mine],
            page.At("/data")!.Value.EnumerateArray().Select(e => e.GetProperty("subject").GetString())
        );
        Assert.Equal(401, (await backend.Guest.GetAsync("/api/v1/events")).Status);
        Assert.Equal(406, (await backend.User.GetAsync("/api/v1/events", ("Accept", "text/html"))).Status);
        Assert.Equal(406, (await backend.User.GetAsync("/api/v1/resources", ("Accept", "text/event-stream"))).Status);
    }

    [Theory]
    [
        InlineData("application/json", false),
        InlineData("application/json, text/event-stream;q=0.1", false),
        InlineData("text/event-stream;q=0.5, application/json;q=0.9", false),
        InlineData("text/event-stream;q=0.5, */*", false),
        InlineData("text/*;q=0.5, application/json", false),
        InlineData("*/*", false),
        InlineData("text/event-stream", true),
        InlineData("text/event-stream, application/json", true),
        InlineData("text/event-stream;q=0.9, application/json;q=0.5", true),
        InlineData("text/event-stream;q=0.2, */*;q=0.1", true)
    ]
    public async Task Weights_decide_between_a_page_and_a_stream(string accept, bool isStream)
    {
        using var http = new HttpClient { BaseAddress = backend.Server.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events?limit=1");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        request.Headers.Authorization = new("Bearer", backend.User.Token);

        using var answer = await http.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            TestContext.Current.CancellationToken
        );

        Assert.Equal(
            isStream ? "text/event-stream" : "application/json",
            answer.Content.Headers.ContentType?.MediaType
        );
        Assert.Contains("Accept", answer.Headers.Vary);
    }

    async Task<Guid[]> CreateAsync(int count)
    {
        var ids = new Guid[count];
        for (var i = 0; i < count; i++)
            ids[i] = Guid.Parse(
                (
                    await backend.Admin.SendAsync(
                        "POST",
                        "/api/v1/resources",
                        $$"""{"name":"number {{i}}","type":"{{type}}"}"""
                    )
                ).Text("/data/id")!
            );
        return ids;
    }

    async Task PatchAsync(Guid id, string name) =>
        Assert.Equal(
            200,
            (
                await backend.Admin.SendAsync(
                    "PATCH",
                    $"/api/v1/resources/{id}",
                    $$"""{"name":"{{name}}"}""",
                    "application/merge-patch+json"
                )
            ).Status
        );

    async Task<string> HeadAsync() =>
        (await backend.User.GetAsync("/api/v1/events?after=now&limit=1")).Text("/meta/position")!;

    static IEnumerable<long> Positions(Answer page) =>
        page.At("/data")!
            .Value.EnumerateArray()
            .Select(e => long.Parse(e.GetProperty("position").GetString()!, CultureInfo.InvariantCulture));
}
