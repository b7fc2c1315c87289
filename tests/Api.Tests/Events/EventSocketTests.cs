using System.Diagnostics;

namespace Resources.Api.Tests;

/// <summary>
/// The WebSocket: the events of the stream, once and in order, and only while the caller may see them.
/// </summary>
public sealed class EventSocketTests(Backend backend)
{
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    readonly string type = $"t{Guid.NewGuid():n}";

    [Fact]
    public async Task Socket_from_the_beginning_sends_the_log_reports_the_end_and_continues()
    {
        var old = await CreateAsync(backend.Admin);
        await using var socket = await OpenAsync(backend.User);
        Assert.Equal([old], (await socket.CatchUpAsync()).Select(Socket.Subject));

        var id = await CreateAsync(backend.Admin);
        var message = (await socket.NextAsync())!.Value;
        Assert.Equal(id, Socket.Subject(message));
        // Byte for byte what pages have.
        var page = await backend.User.GetAsync($"/api/v1/events?type={type}&after={Socket.Position(message) - 1}");
        Assert.Equal(page.Text("/data/0"), message.GetProperty("event").GetRawText());
        Assert.Equal(page.Text("/data/0/position"), message.GetProperty("position").GetString());

        await socket.CloseAsync();
        Assert.Equal((1000, ""), socket.Closed);
    }

    [Fact]
    public async Task Socket_from_now_sends_only_new_events()
    {
        await CreateAsync(backend.Admin);
        await using var socket = await OpenAsync(backend.User, "&after=now");
        Assert.Empty(await socket.CatchUpAsync());
        Assert.Equal(await CreateAsync(backend.Admin), Socket.Subject(await socket.EventAsync()));
    }

    [Fact]
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
        var last = 0L;
        while (seen.Count < 60)
        {
            await using var socket = await OpenAsync(backend.User, $"&after={last}");
            for (var taken = 0; taken < Random.Shared.Next(1, 4); taken++)
            {
                last = Socket.Position(await socket.EventAsync());
                seen.Add(last);
            }
        }
        await enough.CancelAsync();
        await writes;

        Assert.Equal((await backend.PositionsAsync(type)).Take(seen.Count), seen);
    }

    [Fact]
    public async Task Token_in_the_first_message_equals_one_in_the_header()
    {
        var old = await CreateAsync(backend.Admin);
        foreach (var after in new[] { "0", "now" })
        {
            await using var socket = await Socket.OpenAsync(backend.Server.Address, null, $"type={type}&after={after}");
            await socket.AuthenticateAsync(backend.User.Token!);
            Assert.Equal(after is "0" ? [old] : [], (await socket.CatchUpAsync()).Select(Socket.Subject));
        }
    }

    [Fact]
    public async Task Socket_sends_only_what_its_caller_may_see()
    {
        await CreateAsync(backend.Admin);
        var mine = await CreateAsync(backend.Author);
        await using var socket = await OpenAsync(backend.Author);
        Assert.Equal([mine], (await socket.CatchUpAsync()).Select(Socket.Subject));
        await CreateAsync(backend.Admin);
        mine = await CreateAsync(backend.Author);
        Assert.Equal(mine, Socket.Subject(await socket.EventAsync()));
    }

    [Fact]
    [Trait("Conformance", "H2")]
    public async Task Lost_role_ends_the_socket_within_a_second()
    {
        var (caller, account) = await JoinAsync("\"user\"");
        await using var socket = await OpenAsync(caller);
        await socket.CatchUpAsync();
        var watch = await SetRolesAsync(account, "");

        Assert.Null(await socket.NextAsync());
        Assert.Equal((4403, "FORBIDDEN"), socket.Closed);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, Second);

        // The token still names the role; the account has it no longer.
        await using var again = await OpenAsync(caller);
        Assert.Equal(403, again.Status);
        await using var said = await Socket.OpenAsync(backend.Server.Address, null, "");
        await said.AuthenticateAsync(caller.Token!);
        Assert.Null(await said.NextAsync());
        Assert.Equal((4403, "FORBIDDEN"), said.Closed);
    }

    [Fact]
    [Trait("Conformance", "H2")]
    public async Task Lost_role_narrows_the_socket_to_the_remaining_roles()
    {
        var (caller, account) = await JoinAsync("\"user\",\"author\"");
        await using var socket = await OpenAsync(caller);
        await socket.CatchUpAsync();
        var foreign = await CreateAsync(backend.Admin);
        Assert.Equal(foreign, Socket.Subject(await socket.EventAsync()));
        await SetRolesAsync(account, "\"author\"");
        await Task.Delay(Second, TestContext.Current.CancellationToken);

        await CreateAsync(backend.Admin);
        var own = await CreateAsync(caller);
        Assert.Equal(own, Socket.Subject(await socket.EventAsync()));
    }

    [Fact]
    [Trait("Conformance", "H2")]
    public async Task Socket_ends_with_its_token()
    {
        var account = (await backend.Admin.GetAsync("/api/v1/me")).Text("/data/id");
        var token = new Forge(backend).Sign(expires: DateTime.UtcNow.AddSeconds(3), account: account);
        await using var socket = await Socket.OpenAsync(backend.Server.Address, token, $"type={type}");
        await socket.CatchUpAsync();
        Assert.Null(await socket.NextAsync());
        Assert.Equal((4401, "TOKEN_EXPIRED"), socket.Closed);
    }

    [Fact]
    public async Task Stalled_reader_affects_no_other_and_loses_no_event()
    {
        await using var stopped = await OpenAsync(backend.User);
        await stopped.CatchUpAsync();
        await using var other = await OpenAsync(backend.User);
        await other.CatchUpAsync();

        // More than the buffers of the connection hold.
        var metadata = $$"""{"text":"{{new string('x', 500_000)}}"}""";
        for (var i = 0; i < 40; i++)
        {
            var id = await CreateAsync(backend.Admin, metadata);
            var watch = Stopwatch.StartNew();
            Assert.Equal(id, Socket.Subject(await other.EventAsync()));
            Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        }

        var positions = await backend.PositionsAsync(type);
        foreach (var position in positions)
            Assert.Equal(position, Socket.Position(await stopped.EventAsync()));
    }

    Task<Socket> OpenAsync(ApiClient caller, string parameters = "") =>
        Socket.OpenAsync(backend.Server.Address, caller.Token, $"type={type}{parameters}");

    async Task<Guid> CreateAsync(ApiClient caller, string metadata = "{}") =>
        Guid.Parse(
            (
                await caller.SendAsync(
                    "POST",
                    "/api/v1/resources",
                    $$"""{"name":"one","type":"{{type}}","metadata":{{metadata}}}"""
                )
            ).Text("/data/id")!
        );

    /// <summary>A new account.</summary>
    async Task<(ApiClient Caller, string Account)> JoinAsync(string roles)
    {
        var email = $"{Guid.NewGuid():n}@example.org";
        var account = (await backend.AddUserAsync(email, "a password of enough length", roles.Trim('"'))).Text(
            "/data/id"
        )!;
        return (await backend.Guest.LoginAsync(email, "a password of enough length"), account);
    }

    /// <summary>Replaces the roles of an account. Returns a stopwatch that started with the response.</summary>
    async Task<Stopwatch> SetRolesAsync(string account, string roles)
    {
        var answer = await backend.Admin.SendAsync(
            "PUT",
            $"/api/v1/users/{account}/roles",
            $$"""{"roles":[{{roles}}]}"""
        );
        Assert.Equal(200, answer.Status);
        return Stopwatch.StartNew();
    }
}
