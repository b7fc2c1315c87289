using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Resources.Api.Tests;

/// <summary>Bodies that take their time.</summary>
[Trait("Conformance", "E3")]
public sealed class SlowBodyTests(Backend backend)
{
    const string Refresh = "/api/v1/auth/refresh";

    [Fact]
    [Trait("Conformance", "F11")]
    public async Task Bodies_that_come_slowly_take_no_place_from_others_and_are_cut()
    {
        await using var node = await backend.StartServerAsync(
            ("Overload:MaxRequests", "8"),
            ("Overload:GraceSeconds", "2")
        );
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();
        var slow = new List<RawConnection>();
        try
        {
            for (var i = 0; i < 40; i++)
            {
                slow.Add(await RawConnection.OpenAsync(node.Address));
                await slow[i].SendAsync(Head(node, Refresh, 10_000, "Expect: 100-continue\r\n"));
                Assert.Equal(100, await slow[i].StatusAsync());
                slow[i].Forget();
                await slow[i].SendAsync("{");
            }
            for (var i = 0; i < 20; i++)
                Assert.Equal(200, (await admin.GetAsync("/api/v1/me")).Status);
            await guest.LoginAsAdminAsync();
            foreach (var connection in slow)
            {
                Assert.Equal(408, await connection.StatusAsync());
                await connection.ReadToEndAsync();
            }
        }
        finally
        {
            slow.ForEach(connection => connection.Dispose());
        }
    }

    [Fact]
    public async Task Burst_of_small_bodies_that_follow_their_headers_is_answered_in_full()
    {
        var node = backend.Server;
        const string Body = """{"refreshToken":"none"}""";
        var clients = new List<RawConnection>();
        try
        {
            for (var i = 0; i < 300; i++)
                clients.Add(await RawConnection.OpenAsync(node.Address));
            await Task.WhenAll(clients.Select(client => client.SendAsync(Head(node, Refresh, Body.Length))));
            await Task.WhenAll(clients.Select(client => client.SendAsync(Body)));
            Assert.All(await Task.WhenAll(clients.Select(client => client.StatusAsync())), status =>
                Assert.Equal(401, status)
            );
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Fact]
    public async Task Bodies_of_one_address_hold_only_their_share_of_memory()
    {
        await using var node = await backend.StartServerAsync(("Overload:MaxArrivingKiBPerAddress", "64"));
        var admin = await node.AdminAsync();

        using var one = await BeginAsync(node, admin, 50, "127.0.0.1");
        using var two = await BeginAsync(node, admin, 100, "127.0.0.1");
        Assert.Equal(503, await two.StatusAsync());
        Assert.Contains("\"code\":\"OVERLOADED\"", two.Received, StringComparison.Ordinal);
        await two.ReadToEndAsync();

        // Those that were let in go on, those of others too, and what was refused holds nothing.
        using var other = await BeginAsync(node, admin, 50, "127.0.0.2");
        foreach (var connection in new[] { one, other })
        {
            await connection.SendAsync(Rest(50));
            Assert.Equal(201, await connection.StatusAsync());
        }
        using var again = await BeginAsync(node, admin, 50, "127.0.0.1");
        await again.SendAsync(Rest(50));
        Assert.Equal(201, await again.StatusAsync());
    }

    [Fact]
    public async Task Neighbours_and_guests_have_shares_of_their_own()
    {
        await using var node = await backend.StartServerAsync(
            ("Overload:MaxArrivingKiBPerNeighbourhood", "64"),
            ("Overload:MaxArrivingKiBOfGuests", "16")
        );
        var admin = await node.AdminAsync();

        using var one = await BeginAsync(node, admin, 50, "127.0.0.1");
        using var large = await BeginAsync(node, admin, 100, "127.0.0.2");
        Assert.Equal(503, await large.StatusAsync());
        using var distant = await BeginAsync(node, admin, 50, "127.0.1.1");

        using var guest = await RawConnection.OpenAsync(node.Address, "127.0.2.1");
        await guest.SendAsync(Head(node, Refresh, 10_000) + new string(' ', 8_000));
        Assert.Equal(503, await guest.StatusAsync());
        using var small = await RawConnection.OpenAsync(node.Address, "127.0.3.1");
        await small.SendAsync(Head(node, Refresh, 10_000) + new string(' ', 3_000));
        await small.SendAsync(new string(' ', 7_000));
        Assert.Equal(400, await small.StatusAsync());

        foreach (var connection in new[] { one, distant })
        {
            await connection.SendAsync(Rest(50));
            Assert.Equal(201, await connection.StatusAsync());
        }
    }

    /// <summary>Kestrel measures each connection by itself, and a line has several.</summary>
    [Fact]
    public void Slow_line_has_room_for_bodies_and_responses_side_by_side()
    {
        const double Line = 200_000 / 8;
        var limits = backend.Server.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;
        foreach (var rate in new[] { limits.MinRequestBodyDataRate!, limits.MinResponseDataRate! })
            // One that dawdles at 260 bytes a second is cut nevertheless.
            Assert.InRange(rate.BytesPerSecond, 1_000, Line / 4);
    }

    [Fact]
    [Trait("Conformance", "E2")]
    public async Task Bodies_that_anybody_may_send_are_small()
    {
        async Task<Answer> PostAsync(string path, int length) =>
            await backend.Guest.SendAsync(
                "POST",
                path,
                ApiClient.Content(Encoding.ASCII.GetBytes($$"""{"x":"{{new string('x', length)}}"}""")),
                ("Expect", "100-continue")
            );
        foreach (var path in new[] { Refresh, "/api/v1/auth/login", "/api/v1/auth/set-password" })
        {
            Assert.Equal(400, (await PostAsync(path, 16_000)).Status);
            var large = await PostAsync(path, 17_000);
            Assert.Equal((413, "A body may have 16384 bytes here."), (large.Status, large.Text("/detail")));
        }
        // The assertion of an authenticator may be larger.
        Assert.Equal(400, (await PostAsync("/api/v1/auth/passkey", 60_000)).Status);
        Assert.Equal(413, (await PostAsync("/api/v1/auth/passkey", 70_000)).Status);
    }

    /// <summary>Begins to create a resource of about so many KiB, and waits until the server reads its body.</summary>
    static async Task<RawConnection> BeginAsync(InProcessServer node, ApiClient caller, int kibibytes, string from)
    {
        var begin = $$"""{"name":"slow","metadata":{"text":"{{new string('x', kibibytes << 10)}}""";
        var connection = await RawConnection.OpenAsync(node.Address, from);
        await connection.SendAsync(
            Head(
                node,
                "/api/v1/resources",
                begin.Length + Rest(kibibytes).Length,
                $"Authorization: Bearer {caller.Token}\r\nExpect: 100-continue\r\n"
            )
        );
        Assert.Equal(100, await connection.StatusAsync());
        connection.Forget();
        await connection.SendAsync(begin);
        return connection;
    }

    static string Rest(int kibibytes) => new string('y', kibibytes) + "\"}}";

    static string Head(InProcessServer node, string path, int length, string headers = "") =>
        $"POST {path} HTTP/1.1\r\nHost: {node.Address.Authority}\r\nContent-Type: application/json\r\n"
        + $"Content-Length: {length}\r\n{headers}\r\n";
}
