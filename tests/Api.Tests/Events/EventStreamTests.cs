using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Resources.Api.Tests;

/// <summary>
/// Server-sent events: every event once and in order, from any position, and only while the caller may see it.
/// </summary>
public sealed class EventStreamTests(Backend backend)
{
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    readonly string type = $"t{Guid.NewGuid():n}";

    [Fact]
    public async Task Stream_from_the_beginning_sends_the_log_reports_the_end_and_continues()
    {
        var old = await CreateAsync(backend.Admin);
        await using var stream = await OpenAsync(backend.User, "");
        Assert.Equal(
            (HttpStatusCode.OK, "text/event-stream", "no", true),
            (
                stream.Response.StatusCode,
                stream.Response.Content.Headers.ContentType?.ToString(),
                stream.Response.Headers.GetValues("X-Accel-Buffering").Single(),
                stream.Response.Headers.CacheControl!.NoStore
            )
        );

        Assert.Equal([old], (await stream.CatchUpAsync()).Select(Subscriber.Subject));
        foreach (var _ in Enumerable.Range(0, 5))
        {
            var id = await CreateAsync(backend.Admin);
            var item = await stream.NextAsync();
            Assert.Equal((id, "resource.created"), (Subscriber.Subject(item!.Value), item.Value.EventType));
        }
    }

    [Fact]
    [Trait("Conformance", "H6")]
    public async Task Client_that_reconnects_after_each_event_sees_every_event_once()
    {
        using var enough = new CancellationTokenSource();
        var writes = Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(async _ =>
                {
                    while (!enough.IsCancellationRequested)
                        await CreateAsync(backend.Admin);
                })
        );
        var seen = new List<long>();
        var last = "0";
        while (seen.Count < 60)
        {
            await using var stream = await OpenAsync(backend.User, "", last);
            for (var taken = 0; taken < Random.Shared.Next(1, 4); taken++)
            {
                last = (await stream.EventAsync()).EventId!;
                seen.Add(long.Parse(last, CultureInfo.InvariantCulture));
            }
        }
        await enough.CancelAsync();
        await writes;

        Assert.Equal((await backend.PositionsAsync(type)).Take(seen.Count), seen);
    }

    [Fact]
    public async Task Stream_from_now_sends_only_new_events()
    {
        await CreateAsync(backend.Admin);
        await using var stream = await OpenAsync(backend.User, "&after=now");
        Assert.Empty(await stream.CatchUpAsync());
        Assert.Equal(await CreateAsync(backend.Admin), Subscriber.Subject(await stream.EventAsync()));
    }

    [Fact]
    public async Task History_of_a_resource_can_be_streamed()
    {
        var id = await CreateAsync(backend.Admin);
        await using var stream = await Subscriber.OpenAsync(
            backend.Server.Address,
            backend.User.Token,
            $"/api/v1/resources/{id}/events"
        );
        Assert.Equal([id], (await stream.CatchUpAsync()).Select(Subscriber.Subject));
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/resources/{id}")).Status);
        Assert.Equal("resource.deleted", (await stream.EventAsync()).EventType);

        await using var hidden = await Subscriber.OpenAsync(
            backend.Server.Address,
            backend.Author.Token,
            $"/api/v1/resources/{id}/events"
        );
        Assert.Equal(HttpStatusCode.NotFound, hidden.Response.StatusCode);
    }

    [Fact]
    public async Task Stream_sends_only_what_its_caller_may_see()
    {
        await using var stream = await OpenAsync(backend.Author, "");
        await stream.CatchUpAsync();
        await CreateAsync(backend.Admin);
        var mine = await CreateAsync(backend.Author);
        Assert.Equal(mine, Subscriber.Subject(await stream.EventAsync()));
    }

    [Fact]
    [Trait("Conformance", "H2")]
    public async Task Lost_role_ends_the_stream_within_a_second()
    {
        var (caller, account) = await JoinAsync("user");
        await using var stream = await OpenAsync(caller, "");
        await stream.CatchUpAsync();
        var watch = await SetRolesAsync(account, []);

        var end = await stream.NextAsync();
        Assert.Equal(("end", """{"code":"FORBIDDEN"}"""), (end!.Value.EventType, end.Value.Data));
        Assert.Null(await stream.NextAsync());
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, Second);
        await using var again = await OpenAsync(caller, "");
        Assert.Equal(HttpStatusCode.Forbidden, again.Response.StatusCode);
    }

    [Fact]
    [Trait("Conformance", "H2")]
    public async Task Stream_ends_with_its_token()
    {
        await using var node = await backend.StartServerAsync(("Tokens:AccessMinutes", "1"));
        var watch = Stopwatch.StartNew();
        var admin = await node.AdminAsync();
        await using var stream = await Subscriber.OpenAsync(node.Address, admin.Token, "/api/v1/events");
        await stream.CatchUpAsync();
        var end = await stream.NextAsync(TimeSpan.FromSeconds(70));
        Assert.Equal(("end", """{"code":"TOKEN_EXPIRED"}"""), (end!.Value.EventType, end.Value.Data));
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(58), TimeSpan.FromSeconds(65));
    }

    [Fact]
    [Trait("Conformance", "H2")]
    public async Task Lost_role_narrows_the_stream_to_the_remaining_roles()
    {
        var (caller, account) = await JoinAsync("user\",\"author");
        await using var stream = await OpenAsync(caller, "");
        await stream.CatchUpAsync();
        var foreign = await CreateAsync(backend.Admin);
        Assert.Equal(foreign, Subscriber.Subject(await stream.EventAsync()));
        await SetRolesAsync(account, ["author"]);
        await Task.Delay(Second, Cancelled);

        await CreateAsync(backend.Admin);
        var own = await CreateAsync(caller);
        Assert.Equal(own, Subscriber.Subject(await stream.EventAsync()));
    }

    [Fact]
    [Trait("Conformance", "H5")]
    public async Task Caller_at_the_stream_limit_is_refused_until_a_stream_closes()
    {
        await using var node = await backend.StartServerAsync(("Streams:MaxPerCaller", "2"));
        var admin = await node.AdminAsync();
        Task<Subscriber> Open() => Subscriber.OpenAsync(node.Address, admin.Token, "/api/v1/events");
        await using var one = await Open();
        var two = await Open();
        await using (var third = await Open())
            Assert.Equal(
                (HttpStatusCode.TooManyRequests, 10.0),
                (third.Response.StatusCode, third.Response.Headers.RetryAfter!.Delta!.Value.TotalSeconds)
            );
        await two.DisposeAsync();
        for (var watch = Stopwatch.StartNew(); ; )
        {
            await using var instead = await Open();
            if (instead.Response.StatusCode is HttpStatusCode.OK)
                break;
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10));
        }
    }

    [Fact]
    [Trait("Conformance", "H7")]
    public async Task Idle_stream_sends_its_position_and_ends_when_the_server_stops()
    {
        await using var node = await backend.StartServerAsync(("Streams:HeartbeatSeconds", "1"));
        var admin = await node.AdminAsync();
        using var http = new HttpClient
        {
            BaseAddress = node.Address,
            DefaultRequestHeaders = { Authorization = new("Bearer", admin.Token) },
        };
        http.DefaultRequestHeaders.Accept.ParseAdd("text/event-stream");
        using var response = await http.GetAsync(
            "/api/v1/events?after=now",
            HttpCompletionOption.ResponseHeadersRead,
            Cancelled
        );
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(Cancelled));
        // Behind what the first account and its session have left in the log.
        foreach (
            var line in new[]
            {
                "retry: 1000",
                "",
                "id: 3",
                "event: caught-up",
                """data: {"position":"3"}""",
                "",
                ": position 3",
                "id: 3",
                "",
            }
        )
            Assert.Equal(line, await lines.ReadLineAsync(Cancelled));

        var rest = lines.ReadToEndAsync(Cancelled);
        await node.DisposeAsync();
        Assert.DoesNotContain(
            "event: end",
            await rest.WaitAsync(TimeSpan.FromSeconds(20), Cancelled),
            StringComparison.Ordinal
        );
    }

    [Fact]
    [Trait("Conformance", "H7")]
    public async Task HEAD_has_the_headers_of_the_stream()
    {
        var head = await backend.User.SendAsync(
            "HEAD",
            "/api/v1/events",
            null,
            headers: ("Accept", "text/event-stream")
        );
        Assert.Equal((200, "text/event-stream"), (head.Status, head["Content-Type"]));
    }

    Task<Subscriber> OpenAsync(ApiClient caller, string parameters, string? lastEventId = null) =>
        Subscriber.OpenAsync(
            backend.Server.Address,
            caller.Token,
            $"/api/v1/events?type={type}{parameters}",
            lastEventId
        );

    async Task<Guid> CreateAsync(ApiClient caller) =>
        Guid.Parse(
            (await caller.SendAsync("POST", "/api/v1/resources", $$"""{"name":"one","type":"{{type}}"}""")).Text(
                "/data/id"
            )!
        );

    /// <summary>A new account.</summary>
    async Task<(ApiClient Caller, string Account)> JoinAsync(string role)
    {
        var email = $"{Guid.NewGuid():n}@example.org";
        var account = (await backend.AddUserAsync(email, "a password of enough length", role)).Text("/data/id")!;
        return (await backend.Guest.LoginAsync(email, "a password of enough length"), account);
    }

    /// <summary>Replaces the roles of an account. Returns a stopwatch that started with the response.</summary>
    async Task<Stopwatch> SetRolesAsync(string account, string[] roles)
    {
        var answer = await backend.Admin.SendAsync(
            "PUT",
            $"/api/v1/users/{account}/roles",
            $$"""{"roles":[{{string.Join(',', roles.Select(role => $"\"{role}\""))}}]}"""
        );
        Assert.Equal(200, answer.Status);
        return Stopwatch.StartNew();
    }
}
