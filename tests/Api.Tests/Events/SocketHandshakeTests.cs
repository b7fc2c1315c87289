using System.Net.WebSockets;

namespace Resources.Api.Tests;

/// <summary>Refused WebSocket handshakes, with their status or close code.</summary>
public sealed class SocketHandshakeTests(Backend backend)
{
    const string Path = "/api/v1/events/ws";

    static readonly (string, string)[] Upgrade =
    [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    [Fact]
    public async Task Request_without_an_upgrade_gets_426()
    {
        Assert.Equal(
            (401, "UNAUTHENTICATED"),
            await backend.Guest.GetAsync(Path) is var guest ? (guest.Status, guest.Code) : default
        );
        var answer = await backend.User.GetAsync(Path);
        Assert.Equal(
            (426, "UPGRADE_REQUIRED", "websocket", "Upgrade"),
            (answer.Status, answer.Code, answer["Upgrade"], answer["Connection"])
        );
        Assert.Equal(426, (await backend.User.SendAsync("HEAD", Path)).Status);
    }

    [Theory]
    [
        InlineData("after=x", "?after"),
        InlineData("type=A", "?type"),
        InlineData("resource=1", "?resource"),
        InlineData("owner=", "?owner"),
        InlineData("event=none", "?event"),
        InlineData("limit=1", "?limit"),
        InlineData("access_token=x", "?access_token")
    ]
    public async Task Invalid_parameters_are_refused_before_authentication(string query, string pointer)
    {
        foreach (var caller in new[] { backend.User, backend.Guest })
        {
            var answer = await caller.GetAsync($"{Path}?{query}", Upgrade);
            Assert.Equal((400, "VALIDATION_FAILED", pointer), (answer.Status, answer.Code, answer.Faults.Single()));
        }
    }

    [Fact]
    public async Task Position_ahead_of_the_log_is_refused_and_tells_guests_nothing()
    {
        const string Future = "after=99999999999";
        var answer = await backend.User.GetAsync($"{Path}?{Future}", Upgrade);
        Assert.Equal((400, "INVALID_POSITION"), (answer.Status, answer.FaultCodes.Single()));

        await using var socket = await Socket.OpenAsync(backend.Server.Address, null, Future);
        await socket.AuthenticateAsync(backend.User.Token!);
        Assert.Null(await socket.NextAsync());
        Assert.Equal((4400, "INVALID_POSITION"), socket.Closed);
    }

    [
        Theory,
        InlineData("https://evil.example"),
        InlineData("null"),
        InlineData("http://localhost.evil.example"),
        InlineData("nonsense"),
        InlineData("http://127.0.0.1:1")
    ]
    [Trait("Conformance", "H1")]
    public async Task Pages_of_other_origins_cannot_open_a_socket(string origin)
    {
        foreach (var caller in new[] { backend.User, backend.Guest })
        {
            var answer = await caller.GetAsync(Path, [.. Upgrade, ("Origin", origin)]);
            Assert.Equal((403, "FORBIDDEN"), (answer.Status, answer.Code));
        }
    }

    [Fact]
    [Trait("Conformance", "H1")]
    public async Task Cookie_opens_a_socket_only_with_an_origin()
    {
        var person = await backend.CreatePersonAsync("user");
        var (cookie, _, _) = await person.LoginByCookieAsync();
        var refused = await person.Guest.GetAsync(Path, [.. Upgrade, ("Cookie", cookie)]);
        Assert.Equal((403, "CSRF_REJECTED"), (refused.Status, refused.Code));
        // Pages open streams of their own server without one.
        Assert.Equal(200, (await person.Guest.GetAsync("/api/v1/events?limit=1", ("Cookie", cookie))).Status);

        await using var socket = await Socket.OpenAsync(backend.Server.Address, null, "after=now", options =>
        {
            options.SetRequestHeader("Cookie", cookie);
            options.SetRequestHeader("Origin", backend.Server.Address.GetLeftPart(UriPartial.Authority));
        });
        Assert.Equal(101, socket.Status);
        await socket.CatchUpAsync();
    }

    [Fact]
    [Trait("Conformance", "H1")]
    public async Task Pages_of_this_server_and_of_allowed_origins_open_a_socket()
    {
        await using var node = await backend.StartServerAsync(
            ("Origins:Allowed:0", "https://app.example.org"),
            ("Streams:MaxPerCaller", "1")
        );
        var admin = await node.AdminAsync();
        foreach (var origin in new[] { node.Address.GetLeftPart(UriPartial.Authority), "https://app.example.org" })
        {
            await using var socket = await Socket.OpenAsync(node.Address, null, "", options =>
                options.SetRequestHeader("Origin", origin)
            );
            Assert.Equal(101, socket.Status);
        }

        // One is open: the next is refused as a stream is, or, where the token comes later, closed.
        await using var first = await Socket.OpenAsync(node.Address, admin.Token, "");
        await first.CatchUpAsync();
        var refused = await admin.GetAsync(Path, Upgrade);
        Assert.Equal((429, "TOO_MANY_STREAMS", "10"), (refused.Status, refused.Code, refused["Retry-After"]));
        await using var said = await Socket.OpenAsync(node.Address, null, "");
        await said.AuthenticateAsync(admin.Token!);
        Assert.Null(await said.NextAsync());
        Assert.Equal((4429, "TOO_MANY_STREAMS"), said.Closed);

        var waiting = await Socket.OpenAsync(node.Address, null, "");
        var stopped = node.DisposeAsync();
        foreach (var open in new[] { first, waiting })
        {
            Assert.Null(await open.NextAsync());
            Assert.Equal((1001, "NODE_STOPS"), open.Closed);
        }
        await stopped;
    }

    [Fact]
    [Trait("Conformance", "H1")]
    public async Task Known_subprotocol_is_selected_and_others_are_refused()
    {
        await using var ours = await Socket.OpenAsync(backend.Server.Address, backend.User.Token, "", options =>
        {
            options.AddSubProtocol("other");
            options.AddSubProtocol("resources.events.v1");
        });
        Assert.Equal((101, "resources.events.v1"), (ours.Status, ours.SubProtocol));
        await using var none = await Socket.OpenAsync(backend.Server.Address, backend.User.Token, "");
        Assert.Equal((101, null), (none.Status, none.SubProtocol));
        var other = await backend.User.GetAsync(Path, [.. Upgrade, ("Sec-WebSocket-Protocol", "graphql-transport-ws")]);
        Assert.Equal((400, "header:Sec-WebSocket-Protocol"), (other.Status, other.Faults.Single()));
    }

    [Fact]
    public async Task Caller_without_read_permission_cannot_open_a_socket()
    {
        var email = $"{Guid.NewGuid():n}@example.org";
        var account = (await backend.AddUserAsync(email, "a password of enough length", "user")).Text("/data/id");
        await backend.Admin.SendAsync("PUT", $"/api/v1/users/{account}/roles", """{"roles":[]}""");
        var nobody = await backend.Guest.LoginAsync(email, "a password of enough length");
        Assert.Equal(403, (await nobody.GetAsync(Path, Upgrade)).Status);
        await using var socket = await Socket.OpenAsync(backend.Server.Address, null, "");
        await socket.AuthenticateAsync(nobody.Token!);
        Assert.Null(await socket.NextAsync());
        Assert.Equal((4403, "FORBIDDEN"), socket.Closed);
    }

    public static TheoryData<string> BadMessages =>
        [
            "",
            " ",
            "{}",
            "[]",
            "null",
            "authenticate",
            """{"type":"authenticate"}""",
            """{"type":"subscribe","token":"TOKEN"}""",
            """{"type":"authenticate","token":"TOKEN","extra":1}""",
            """{"type":"authenticate","type":"authenticate","token":"TOKEN"}""",
            """{"type":"authenticate","token":null}""",
            """{"type":"authenticate","token":["TOKEN"]}""",
            """{"type":"authenticate","token":"TOKEN"}{}""",
            "\uFEFF" + """{"type":"authenticate","token":"TOKEN"}""",
            """{"type":"authenticate","token":"LARGE"}""",
            """{"type":"authenticate","token":"TOKEN"}SPACE""",
        ];

    [Theory, MemberData(nameof(BadMessages))]
    [Trait("Conformance", "H5")]
    public async Task First_message_other_than_authentication_closes_the_socket(string message)
    {
        await using var socket = await Socket.OpenAsync(backend.Server.Address, null, "after=0");
        await socket.SendAsync(
            message
                .Replace("TOKEN", backend.User.Token, StringComparison.Ordinal)
                .Replace("LARGE", new string('x', 1 << 20), StringComparison.Ordinal)
                .Replace("SPACE", new string(' ', 64 * 1024), StringComparison.Ordinal)
        );
        Assert.Null(await socket.NextAsync());
        Assert.Equal((4400, "VALIDATION_FAILED"), socket.Closed);
    }

    [Fact]
    public async Task Binary_message_closes_the_socket_even_with_a_token()
    {
        await using var socket = await Socket.OpenAsync(backend.Server.Address, null, "after=0");
        await socket.SendAsync(
            System.Text.Encoding.UTF8.GetBytes($$"""{"type":"authenticate","token":"{{backend.User.Token}}"}"""),
            WebSocketMessageType.Binary
        );
        Assert.Null(await socket.NextAsync());
        Assert.Equal((4400, "VALIDATION_FAILED"), socket.Closed);
    }

    [Theory, InlineData("x"), InlineData("""{"type":"authenticate","token":"again"}"""), InlineData("LARGE")]
    public async Task Message_after_authentication_closes_the_socket(string message)
    {
        await using var socket = await Socket.OpenAsync(backend.Server.Address, backend.User.Token, "after=now");
        await socket.CatchUpAsync();
        await socket.SendAsync(message.Replace("LARGE", new string('x', 1 << 20), StringComparison.Ordinal));
        while (await socket.NextAsync() is { } told)
            Assert.Equal("event", told.GetProperty("type").GetString());
        Assert.Equal((4400, "VALIDATION_FAILED"), socket.Closed);
    }

    [Fact]
    [Trait("Conformance", "H5")]
    public async Task Silent_client_is_closed_and_receives_no_event()
    {
        await using var socket = await Socket.OpenAsync(backend.Server.Address, null, "after=0");
        Assert.Null(await socket.NextAsync());
        Assert.Equal((4408, "REQUEST_TIMEOUT"), socket.Closed);
    }

    [Fact]
    public async Task Client_that_closes_before_authentication_gets_a_close_frame()
    {
        await using var socket = await Socket.OpenAsync(backend.Server.Address, null, "after=0");
        await socket.CloseAsync();
        Assert.Equal((1000, ""), socket.Closed);
    }

    [Fact]
    public async Task Idle_socket_sends_its_position()
    {
        await using var node = await backend.StartServerAsync(("Streams:HeartbeatSeconds", "1"));
        var admin = await node.AdminAsync();
        await using var socket = await Socket.OpenAsync(node.Address, admin.Token, "");
        Assert.Equal("""{"type":"caught-up","position":"3"}""", (await socket.NextAsync())!.Value.GetRawText());
        Assert.Equal("""{"type":"position","position":"3"}""", (await socket.NextAsync())!.Value.GetRawText());
    }
}
