using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Followed lists: a snapshot plus its changes equals the list, at every reported position.</summary>
public sealed class FollowedListTests(Backend backend)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    readonly string type = $"t{Guid.NewGuid():n}";

    [Fact]
    public async Task Resources_that_enter_or_leave_the_filter_are_added_or_removed()
    {
        var stays = await CreateAsync("active");
        var leaves = await CreateAsync("active");
        await CreateAsync("draft");
        await using var follow = await OpenAsync(backend.User, "&status=active&sort=createdAt");
        Assert.Equal("text/event-stream", follow.Response.Content.Headers.ContentType?.ToString());
        Assert.Equal("reset", (await follow.NextAsync())!.Value.EventType);
        Assert.Equal(
            [("snapshot", stays), ("snapshot", leaves)],
            (await follow.CatchUpAsync()).Select(item => (item.EventType, IdOf(item)))
        );

        await PatchAsync(leaves, """{"status":"draft"}""");
        Assert.Equal(("removed", leaves), await ChangeAsync(follow));
        await PatchAsync(leaves, """{"status":"active","name":"back"}""");
        Assert.Equal(("added", leaves), await ChangeAsync(follow));
        await PatchAsync(stays, """{"metadata":{"n":1}}""");
        Assert.Equal(("changed", stays), await ChangeAsync(follow));
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/resources/{stays}")).Status);
        Assert.Equal(("removed", stays), await ChangeAsync(follow));
    }

    [Fact]
    public async Task Snapshot_plus_changes_equals_the_list_at_every_position()
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var seed = Random.Shared.Next();
        var writers = Enumerable.Range(0, 3).Select(writer => WriteAsync(new(seed + writer), enough.Token)).ToArray();
        await using var follow = await OpenAsync(backend.User, "&status=active&fields=version,status");
        var held = new SortedDictionary<Guid, long>();
        var told = new List<(long Position, string List)>();
        while (told.Count < 40 && await follow.NextAsync() is { } item)
        {
            if (item.EventType is "position" or "caught-up")
                told.Add((long.Parse(item.EventId!, CultureInfo.InvariantCulture), JsonSerializer.Serialize(held)));
            else if (item.EventType is "removed")
                Assert.True(held.Remove(IdOf(item)));
            else if (item.EventType is not "reset")
                held[IdOf(item)] = JsonDocument.Parse(item.Data).RootElement.GetProperty("version").GetInt64();
        }
        await enough.CancelAsync();
        await Task.WhenAll(writers);

        var log = await LogAsync();
        Assert.All(told, at =>
            Assert.True(
                at.List == ListAt(log, at.Position),
                $"seed {seed}, position {at.Position}:\n{at.List}\n{ListAt(log, at.Position)}"
            )
        );
        TestContext.Current.SendDiagnosticMessage($"{log.Count} events, {told.Count} positions");
    }

    /// <summary><c>RESOURCES_FOLLOWS</c> sets the number of attempts; 100 unless given.</summary>
    [Fact]
    public async Task Write_right_after_the_stream_begins_is_not_missed()
    {
        var tries = int.Parse(
            Environment.GetEnvironmentVariable("RESOURCES_FOLLOWS") ?? "100",
            CultureInfo.InvariantCulture
        );
        await Parallel.ForAsync(
            0,
            tries,
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancelled },
            async (i, _) =>
            {
                await using var follow = await OpenAsync(backend.User, $"&status=s{i}");
                // Between at once and some milliseconds, so that the write meets every moment of the stream's
                // beginning.
                for (
                    var until =
                        Stopwatch.GetTimestamp() + (Random.Shared.Next(5_000) * Stopwatch.Frequency / 1_000_000);
                    Stopwatch.GetTimestamp() < until;

                )
                    await Task.Yield();
                var id = await CreateAsync($"s{i}");
                SseItem<string>? item;
                do Assert.NotNull(item = await follow.NextAsync());
                while (item is not { EventType: "added" or "snapshot" } || IdOf(item.Value) != id);
            }
        );
    }

    [Fact]
    public async Task Followed_list_has_only_visible_resources()
    {
        await CreateAsync("active");
        await using var follow = await OpenAsync(backend.Author, "");
        Assert.Equal("reset", (await follow.NextAsync())!.Value.EventType);
        Assert.Empty(await follow.CatchUpAsync());
        await CreateAsync("active");
        var mine = Guid.Parse(
            (
                await backend.Author.SendAsync("POST", "/api/v1/resources", $$"""{"name":"mine","type":"{{type}}"}""")
            ).Text("/data/id")!
        );
        Assert.Equal(("added", mine), await ChangeAsync(follow));
    }

    [Fact]
    public async Task Followed_list_of_deleted_resources_ends_with_the_role_that_allowed_it()
    {
        var gone = await CreateAsync("active");
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/resources/{gone}")).Status);
        var email = $"{Guid.NewGuid():n}@example.org";
        var account = (await backend.AddUserAsync(email, "a password of enough length", "admin\",\"user")).Text(
            "/data/id"
        );
        var caller = await backend.Guest.LoginAsync(email, "a password of enough length");
        await using var follow = await OpenAsync(caller, "&includeDeleted=true");
        Assert.Equal("reset", (await follow.NextAsync())!.Value.EventType);
        Assert.Equal([gone], (await follow.CatchUpAsync()).Select(IdOf));

        Assert.Equal(
            200,
            (await backend.Admin.SendAsync("PUT", $"/api/v1/users/{account}/roles", """{"roles":["user"]}""")).Status
        );
        Assert.Equal("end", (await follow.NextAsync())!.Value.EventType);
        await using var again = await OpenAsync(caller, "&includeDeleted=true");
        Assert.Equal(HttpStatusCode.Forbidden, again.Response.StatusCode);
        await using var live = await OpenAsync(caller, "");
        Assert.Equal(HttpStatusCode.OK, live.Response.StatusCode);
    }

    [Theory]
    [InlineData("cursor=AAAA", "?cursor"), InlineData("limit=5", "?limit"), InlineData("count=exact", "?count")]
    public async Task Followed_list_has_no_pages(string query, string pointer)
    {
        var answer = await backend.User.GetAsync(
            $"/api/v1/resources?follow=true&{query}",
            ("Accept", "text/event-stream")
        );
        Assert.Equal((400, true), (answer.Status, answer.Faults.Contains(pointer)));
    }

    Task<Subscriber> OpenAsync(ApiClient caller, string parameters) =>
        Subscriber.OpenAsync(
            backend.Server.Address,
            caller.Token,
            $"/api/v1/resources?type={type}&follow=true{parameters}"
        );

    async Task<Guid> CreateAsync(string status) =>
        Guid.Parse(
            (
                await backend.Admin.SendAsync(
                    "POST",
                    "/api/v1/resources",
                    $$"""{"name":"one","type":"{{type}}","status":"{{status}}"}"""
                )
            ).Text("/data/id")!
        );

    async Task PatchAsync(Guid id, string patch) =>
        Assert.Equal(
            200,
            (
                await backend.Admin.SendAsync("PATCH", $"/api/v1/resources/{id}", patch, "application/merge-patch+json")
            ).Status
        );

    static async Task<(string What, Guid Id)> ChangeAsync(Subscriber follow)
    {
        while (await follow.NextAsync() is { } item)
            if (item.EventType is "added" or "changed" or "removed")
                return (item.EventType, IdOf(item));
        throw new EndOfStreamException("The stream has ended.");
    }

    static Guid IdOf(SseItem<string> item) => JsonDocument.Parse(item.Data).RootElement.GetProperty("id").GetGuid();

    async Task WriteAsync(Random random, CancellationToken ct)
    {
        var ids = new List<Guid>();
        while (!ct.IsCancellationRequested)
        {
            if (ids.Count < 20)
                ids.Add(await CreateAsync(random.Next(2) is 0 ? "active" : "draft"));
            var path = $"/api/v1/resources/{ids[random.Next(ids.Count)]}";
            await (
                random.Next(6) switch
                {
                    0 => backend.Admin.SendAsync("DELETE", path),
                    1 => backend.Admin.SendAsync("POST", path + "/restore"),
                    2 => backend.Admin.SendAsync(
                        "PATCH",
                        path,
                        """{"status":"draft"}""",
                        "application/merge-patch+json"
                    ),
                    3 => backend.Admin.SendAsync(
                        "PATCH",
                        path,
                        $$"""{"name":"{{random.Next()}}"}""",
                        "application/merge-patch+json"
                    ),
                    _ => backend.Admin.SendAsync(
                        "PATCH",
                        path,
                        """{"status":"active"}""",
                        "application/merge-patch+json"
                    ),
                }
            );
        }
    }

    async Task<List<JsonElement>> LogAsync()
    {
        var log = new List<JsonElement>();
        var after = "0";
        while (after is not null)
        {
            var page = await backend.Admin.GetAsync($"/api/v1/events?type={type}&limit=1000&after={after}");
            log.AddRange(page.At("/data")!.Value.EnumerateArray());
            after = page.At("/meta/page/next")!.Value.GetString();
        }
        return log;
    }

    /// <summary>
    /// Live resources with the status active, and their versions, as the log has them up to a position.
    /// </summary>
    static string ListAt(List<JsonElement> log, long position)
    {
        var state = new Dictionary<Guid, (string Status, bool Live, long Version)>();
        foreach (
            var logged in log.TakeWhile(logged =>
                long.Parse(logged.GetProperty("position").GetString()!, CultureInfo.InvariantCulture) <= position
            )
        )
        {
            var id = logged.GetProperty("subject").GetGuid();
            var name = logged.GetProperty("type").GetString();
            var before = state.GetValueOrDefault(id);
            var status = logged.GetProperty("data").TryGetProperty("status", out var given)
                ? given.GetString()!
                : before.Status;
            state[id] = (
                status,
                name is not "resource.deleted" && (name is "resource.created" or "resource.restored" || before.Live),
                logged.GetProperty("resourceversion").GetInt64()
            );
        }
        return JsonSerializer.Serialize(
            new SortedDictionary<Guid, long>(
                state
                    .Where(pair => pair.Value is { Live: true, Status: "active" })
                    .ToDictionary(pair => pair.Key, pair => pair.Value.Version)
            )
        );
    }
}
