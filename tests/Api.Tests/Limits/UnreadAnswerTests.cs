using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;
using Connection = System.Net.Sockets.Socket;

namespace Resources.Api.Tests;

/// <summary>Answers that nobody reads: each account has its part of the node's memory for them.</summary>
[Collection(BoundedServers.Name)]
[Trait("Conformance", "H4")]
public sealed class UnreadAnswerTests(Backend backend)
{
    const int Megabytes = 64;
    const int Readers = 40;

    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(20);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/api/v1/resources?limit=200", "application/json")]
    [InlineData("/api/v1/events", "text/event-stream")]
    [InlineData("/api/v1/resources?follow=true", "text/event-stream")]
    public async Task Answers_that_one_account_does_not_read_are_bounded_and_cost_others_nothing(
        string path,
        string accept
    )
    {
        await using var server = await backend.StartServerAsync(("Reads:MaxMegabytes", $"{Megabytes}"));
        var admin = await server.AdminAsync();
        var other = (await (await Person.CreateAsync(admin, server.Address, "user")).LoginAsync()).Caller;
        var memory = server.Services.GetRequiredService<ReadMemory>();
        var body = $$$"""{"name":"large","metadata":{"text":"{{{new string('x', 1_000_000)}}}"}}""";
        var large = "";
        for (var i = 0; i < 8; i++)
            large = (await admin.SendAsync("POST", "/api/v1/resources", body)).Text("/data/id")!;
        await Eventually.HoldsAsync(() => memory.Used is 0, Plenty);

        var stopped = new List<Connection>();
        for (var i = 0; i < Readers; i++)
            stopped.Add(await AskAsync(server.Address, admin.Token!, path, accept));
        // As much as one account may have.
        await Eventually.HoldsAsync(
            () => memory.Used > Megabytes * (1 << 20) / 4,
            Plenty,
            () => $"{memory.Used} bytes"
        );
        for (var i = 0; i < 20; i++)
        {
            Assert.InRange(memory.Used, 0, (Megabytes / 2 + 4) * (1L << 20));
            Assert.Equal(200, (await other.GetAsync($"/api/v1/resources/{large}")).Status);
            Assert.Equal(200, (await other.GetAsync("/api/v1/resources?limit=2")).Status);
            Assert.Equal(200, (await other.GetAsync("/health/ready")).Status);
        }

        foreach (var socket in stopped)
            socket.Dispose();
        await Eventually.HoldsAsync(() => memory.Used is 0, Plenty, () => $"{memory.Used} bytes");
        Assert.Equal(200, (await admin.GetAsync($"/api/v1/resources/{large}")).Status);
    }

    [Fact]
    [Trait("Conformance", "F11")]
    public async Task Answers_that_are_not_read_take_no_place_of_requests()
    {
        await using var server = await backend.StartServerAsync(
            ("Reads:MaxMegabytes", $"{Megabytes}"),
            ("Overload:MaxRequests", "3"),
            ("Overload:MaxPercentPerAddress", "100")
        );
        var admin = await server.AdminAsync();
        var memory = server.Services.GetRequiredService<ReadMemory>();
        var body = $$$"""{"name":"large","metadata":{"text":"{{{new string('x', 1_000_000)}}}"}}""";
        for (var i = 0; i < 8; i++)
            Assert.Equal(201, (await admin.SendAsync("POST", "/api/v1/resources", body)).Status);
        await Eventually.HoldsAsync(() => memory.Used is 0, Plenty);

        var stopped = new List<Connection>();
        for (var i = 0; i < 4; i++)
        {
            var stopping = await AskAsync(
                server.Address,
                admin.Token!,
                "/api/v1/resources?limit=200",
                "application/json"
            );
            stopped.Add(stopping);
            Assert.Equal("200", await StatusAsync(stopping));
        }

        await Eventually.HoldsAsync(async () => (await admin.GetAsync("/api/v1/me")).Status is 200, Plenty);
        Assert.InRange(memory.Used, 1 << 20, long.MaxValue);
        foreach (var socket in stopped)
            socket.Dispose();
    }

    [Fact]
    public async Task Account_that_does_not_read_is_told_so()
    {
        await using var server = await backend.StartServerAsync(("Reads:MaxMegabytes", $"{Megabytes}"));
        var admin = await server.AdminAsync();
        var body = $$$"""{"name":"large","metadata":{"text":"{{{new string('x', 1_000_000)}}}"}}""";
        const string path = "/api/v1/resources?limit=200";
        var large = "";
        for (var i = 0; i < 8; i++)
            large = (await admin.SendAsync("POST", "/api/v1/resources", body)).Text("/data/id")!;
        // The kernel may take a whole small page, so nobody knows how many connections use up a part.
        var memory = server.Services.GetRequiredService<ReadMemory>();
        var account = (await admin.GetAsync("/api/v1/me")).Text("/data/id")!;
        var unread = new List<MemoryLease>();
        while (memory.TryTake(account, ReadMemory.Free) is { } lease)
            unread.Add(lease);

        Answer refused = null!;
        await Eventually.HoldsAsync(async () => (refused = await admin.GetAsync(path)).Status is 503, Plenty);
        Assert.Equal(("OVERLOADED", null, null), (refused.Code, refused["ETag"], refused["Position"]));
        Assert.Contains("not received", refused.Text("/detail"), StringComparison.Ordinal);
        // A write with a large answer is refused before it takes effect; one with a small answer is not.
        var write = await admin.SendAsync("POST", "/api/v1/resources", body.Replace("large", "refused"));
        Assert.Equal((503, "OVERLOADED"), (write.Status, write.Code));
        var patch = await PatchAsync(admin, $"/api/v1/resources/{large}");
        Assert.Equal((503, "OVERLOADED"), (patch.Status, patch.Code));
        // How large the answer to a patch is comes out afterwards.
        Assert.Contains("has taken effect", patch.Text("/detail"), StringComparison.Ordinal);
        Assert.Equal(201, (await admin.SendAsync("POST", "/api/v1/resources", """{"name":"small"}""")).Status);

        foreach (var lease in unread)
            lease.Dispose();
        await Eventually.HoldsAsync(async () => (await admin.GetAsync(path)).Status is 200, Plenty);
        var names = (await admin.GetAsync(path + "&fields=name"))
            .At("/data")!
            .Value.EnumerateArray()
            .Select(each => each.GetProperty("name").GetString())
            .ToArray();
        Assert.DoesNotContain("refused", names);
        Assert.Contains("patched", names);
    }

    /// <summary>Whatever a patch changes, its answer is the whole resource.</summary>
    [Fact]
    public async Task Answers_to_writes_that_one_account_does_not_read_are_bounded_and_cost_others_nothing()
    {
        await using var server = await backend.StartServerAsync(("Reads:MaxMegabytes", $"{Megabytes}"));
        var admin = await server.AdminAsync();
        var other = (await (await Person.CreateAsync(admin, server.Address, "admin")).LoginAsync()).Caller;
        var memory = server.Services.GetRequiredService<ReadMemory>();
        var body = $$$"""{"name":"large","metadata":{"text":"{{{new string('x', 1_000_000)}}}"}}""";
        var patched =
            "/api/v1/resources/" + (await admin.SendAsync("POST", "/api/v1/resources", body)).Text("/data/id");
        var large = "/api/v1/resources/" + (await other.SendAsync("POST", "/api/v1/resources", body)).Text("/data/id");
        await Eventually.HoldsAsync(() => memory.Used is 0, Plenty);

        var stopped = new List<Connection>();
        for (var i = 0; i < 2 * Megabytes; i++)
            stopped.Add(
                await AskAsync(server.Address, admin.Token!, patched, "application/json", """{"name":"large"}""")
            );
        await Eventually.HoldsAsync(
            () => memory.Used > Megabytes * (1 << 20) / 4,
            Plenty,
            () => $"{memory.Used} bytes"
        );
        for (var i = 0; i < 10; i++)
        {
            Assert.InRange(memory.Used, 0, (Megabytes / 2 + 4) * (1L << 20));
            Assert.Equal(200, (await other.GetAsync(large)).Status);
            Assert.Equal(200, (await PatchAsync(other, large)).Status);
        }
        foreach (var socket in stopped)
            socket.Dispose();
        await Eventually.HoldsAsync(() => memory.Used is 0, Plenty, () => $"{memory.Used} bytes");
        Assert.Equal(200, (await PatchAsync(admin, patched)).Status);
    }

    [Fact]
    [Trait("Conformance", "F11")]
    public async Task Public_documents_that_strangers_do_not_read_are_few_and_take_no_place()
    {
        const string document = "/docs/scalar.js";
        await using var server = await backend.StartServerAsync(
            ("Overload:MaxRequests", "8"),
            // Until all of them have filled what the kernel takes.
            ("Overload:GraceSeconds", "60")
        );
        var guest = server.Guest();
        var admin = await server.AdminAsync();
        Assert.Equal(200, (await guest.GetAsync(document)).Status);

        var stopped = new List<Connection>();
        while (stopped.Count < DocumentReaders.OfAddress)
        {
            var asking = await AskAsync(server.Address, null, document, "*/*");
            // While the earlier ones begin to be answered, they hold the few places of this node.
            if (await StatusAsync(asking) is "200")
                stopped.Add(asking);
            else
                asking.Dispose();
        }
        Answer refused = null!;
        await Eventually.HoldsAsync(async () => (refused = await guest.GetAsync(document)).Status is 503, Plenty);
        Assert.Equal(("OVERLOADED", null), (refused.Code, refused.ETag));
        for (var i = 0; i < 10; i++)
            Assert.Equal(200, (await admin.GetAsync("/api/v1/me")).Status);

        foreach (var socket in stopped)
            socket.Dispose();
        await Eventually.HoldsAsync(async () => (await guest.GetAsync(document)).Status is 200, Plenty);
    }

    static Task<Answer> PatchAsync(ApiClient caller, string path) =>
        caller.SendAsync("PATCH", path, """{"name":"patched"}""", "application/merge-patch+json");

    /// <summary>Reads as much of a response as says its status.</summary>
    static async Task<string> StatusAsync(Connection socket)
    {
        var line = new byte["HTTP/1.1 200".Length];
        for (var read = 0; read < line.Length; )
            read += await socket.ReceiveAsync(line.AsMemory(read), Cancelled) is > 0 and var more
                ? more
                : throw new EndOfStreamException();
        return Encoding.ASCII.GetString(line)[^3..];
    }

    /// <summary>
    /// Sends a request again and again, and reads nothing of the responses. The kernel takes some megabytes of them.
    /// </summary>
    /// <param name="patch">What is sent as a merge patch; null = it is a read.</param>
    static async Task<Connection> AskAsync(Uri server, string? token, string path, string accept, string? patch = null)
    {
        const int times = 12;
        var socket = new Connection(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(IPAddress.Loopback, server.Port, Cancelled);
        var credential = token is null ? "" : $"Authorization: Bearer {token}\r\n";
        var request =
            $"{(patch is null ? "GET" : "PATCH")} {path} HTTP/1.1\r\n"
            + $"Host: {server.Authority}\r\n{credential}Accept: {accept}\r\n"
            + (
                patch is null
                    ? "\r\n"
                    : $"Content-Type: application/merge-patch+json\r\nContent-Length: {patch.Length}\r\n\r\n{patch}"
            );
        await socket.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(request, times))), Cancelled);
        return socket;
    }
}
