namespace Resources.Api.Tests;

/// <summary>How many connections there may be.</summary>
[Trait("Conformance", "E5")]
public sealed class ConnectionTests(Backend backend)
{
    const string Request = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

    [Fact]
    public async Task One_address_has_so_many_connections_and_leaves_others_theirs()
    {
        await using var node = await backend.StartServerAsync(("Overload:MaxConnectionsPerAddress", "10"));
        var idle = new List<RawConnection>();
        try
        {
            for (var i = 0; i < 10; i++)
                idle.Add(await OpenAsync(node, "127.0.0.2"));
            using (var more = await RawConnection.OpenAsync(node.Address, "127.0.0.2"))
            {
                await more.SendAsync(Request);
                Assert.Equal(0, await more.StatusAsync());
            }
            await node.AdminAsync();

            idle[0].Dispose();
            await Eventually.HoldsAsync(async () =>
            {
                using var again = await RawConnection.OpenAsync(node.Address, "127.0.0.2");
                await again.SendAsync(Request);
                return await again.StatusAsync() is 200;
            });
        }
        finally
        {
            idle.ForEach(connection => connection.Dispose());
        }
    }

    [Fact]
    public async Task Addresses_of_one_neighbourhood_share_their_connections()
    {
        await using var node = await backend.StartServerAsync(
            ("Overload:MaxConnectionsPerAddress", "2"),
            ("Overload:MaxConnectionsPerNeighbourhood", "3")
        );
        using var one = await OpenAsync(node, "127.0.2.1");
        using var two = await OpenAsync(node, "127.0.2.1");
        using var three = await OpenAsync(node, "127.0.2.2");
        using (var more = await RawConnection.OpenAsync(node.Address, "127.0.2.3"))
        {
            await more.SendAsync(Request);
            Assert.Equal(0, await more.StatusAsync());
        }
        using var other = await OpenAsync(node, "127.0.3.1");
    }

    [Fact]
    public async Task Trusted_balancer_may_have_more_and_loses_none_to_others()
    {
        await using var node = await backend.StartServerAsync(
            ("Overload:MaxConnections", "1"),
            ("Overload:MaxConnectionsPerAddress", "1"),
            ("Proxies:Trusted:0", "127.0.0.2/32")
        );
        using var direct = await OpenAsync(node, "127.0.0.3");
        using var one = await OpenAsync(node, "127.0.0.2");
        using var two = await OpenAsync(node, "127.0.0.2");
    }

    [Fact]
    public async Task Node_has_so_many_connections()
    {
        await using var node = await backend.StartServerAsync(("Overload:MaxConnections", "5"));
        var open = new List<RawConnection>();
        try
        {
            for (var i = 0; i < 5; i++)
                open.Add(await OpenAsync(node, $"127.0.0.{i + 1}"));
            using var more = await RawConnection.OpenAsync(node.Address);
            await more.SendAsync(Request);
            Assert.Equal(0, await more.StatusAsync());
        }
        finally
        {
            open.ForEach(connection => connection.Dispose());
        }
    }

    [Fact]
    public async Task Thousand_idle_connections_delay_no_login()
    {
        var idle = new List<RawConnection>();
        try
        {
            for (var i = 0; i < 1_000; i++)
                idle.Add(await RawConnection.OpenAsync(backend.Server.Address));
            await backend.Guest.LoginAsAdminAsync();
        }
        finally
        {
            idle.ForEach(connection => connection.Dispose());
        }
    }

    [Fact]
    [Trait("Conformance", "H5")]
    public async Task Sockets_without_a_token_are_few()
    {
        await using var node = await backend.StartServerAsync(
            ("Overload:MaxWaitingSockets", "4"),
            ("Overload:MaxWaitingSocketsPerAddress", "2"),
            ("Overload:MaxWaitingSocketsPerNeighbourhood", "3"),
            ("Proxies:Trusted:0", "127.0.0.0/8")
        );
        var admin = await node.AdminAsync();
        await using var one = await KnockAsync("198.51.100.1", 101);
        await using var two = await KnockAsync("198.51.100.1", 101);
        await using var refused = await KnockAsync("198.51.100.1", 429);
        await using var other = await KnockAsync("198.51.100.2", 101);
        await using var neighbour = await KnockAsync("198.51.100.3", 429);
        await using var distant = await KnockAsync("203.0.113.1", 101);
        await using var full = await KnockAsync("192.0.2.1", 429);
        await using var known = await Socket.OpenAsync(node.Address, admin.Token, "");
        Assert.Equal(101, known.Status);

        // Whoever says who they are makes room.
        await one.AuthenticateAsync(admin.Token!);
        await one.CatchUpAsync();
        await using var next = await KnockAsync("198.51.100.1", 101);

        async Task<Socket> KnockAsync(string address, int status)
        {
            var socket = await Socket.OpenAsync(node.Address, null, "", options =>
                options.SetRequestHeader("X-Forwarded-For", address)
            );
            Assert.Equal(status, socket.Status);
            return socket;
        }
    }

    /// <summary>Opens a connection, and waits until the server has taken it.</summary>
    static async Task<RawConnection> OpenAsync(InProcessServer node, string from)
    {
        var connection = await RawConnection.OpenAsync(node.Address, from);
        await connection.SendAsync(Request);
        Assert.Equal(200, await connection.StatusAsync());
        return connection;
    }
}
