using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Documents that are stored, and servers that run no others.</summary>
public sealed class GraphDocumentTests(Backend backend) : GraphBackend(backend)
{
    const string Path = "/api/v1/graphql";

    /// <summary>A document that nobody else has.</summary>
    static string Fresh(string selection = "__typename") => $"query Q{Guid.NewGuid():n} {{ {selection} }}";

    static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    static string AddressOf(string text) => $"{Path}/documents/{HashOf(text)}";

    static Task<Answer> StoreAsync(ApiClient caller, string text) =>
        caller.SendAsync("PUT", AddressOf(text), JsonSerializer.Serialize(new { text }));

    static Task<Answer> RunAsync(ApiClient caller, object request, string? accept = null) =>
        caller.SendAsync(
            "POST",
            Path,
            JsonSerializer.Serialize(request),
            headers: accept is null ? [] : [("Accept", accept)]
        );

    static object ByHash(string text) =>
        new { extensions = new { persistedQuery = new { version = 1, sha256Hash = HashOf(text) } } };

    static string Code(Answer answer) => answer.Text("/errors/0/extensions/code")!;

    [Fact]
    public async Task Document_is_stored_once_shown_listed_and_removed()
    {
        var text = Fresh();
        var stored = await StoreAsync(Admin, text);
        Assert.Equal(
            (200, HashOf(text), "true"),
            (stored.Status, stored.Text("/data/hash"), stored.Text("/data/fits"))
        );
        Assert.Null(stored.At("/data/text"));
        Assert.Equal(stored.Text("/data/storedAt"), (await StoreAsync(Admin, text)).Text("/data/storedAt"));
        Assert.Equal(text, (await Admin.GetAsync(AddressOf(text))).Text("/data/text"));
        var seen = new List<string>();
        for (var cursor = ""; ; )
        {
            var page = await Admin.GetAsync($"{Path}/documents?limit=1{cursor}");
            seen.AddRange(
                page.At("/data")!.Value.EnumerateArray().Select(each => each.GetProperty("hash").GetString()!)
            );
            if (page.Text("/meta/page/next") is not { Length: 64 } next)
                break;
            cursor = "&cursor=" + next;
        }
        Assert.Equal(seen.Order(StringComparer.Ordinal), seen);
        Assert.Contains(HashOf(text), seen);
        Is(await Admin.GetAsync($"{Path}/documents?cursor=x"), 400, "VALIDATION_FAILED", "?cursor");
        Assert.Equal(204, (await Admin.SendAsync("DELETE", AddressOf(text))).Status);
        Is(await Admin.SendAsync("DELETE", AddressOf(text)), 404, "DOCUMENT_NOT_FOUND");
        Is(await Admin.GetAsync(AddressOf(text)), 404, "DOCUMENT_NOT_FOUND");
    }

    [Fact]
    public async Task What_does_not_fit_is_not_stored()
    {
        foreach (
            var (text, code) in new[]
            {
                ("{ nobodyHasThis }", "GRAPHQL_VALIDATION_FAILED"),
                ("{ __typename", "GRAPHQL_PARSE_FAILED"),
                ("fragment F on Query { __typename }", "OPERATION_NOT_FOUND"),
                ("query A { __typename } query B { nobodyHasThis }", "GRAPHQL_VALIDATION_FAILED"),
                ($"{{ {new string('a', 2)}{string.Concat(Enumerable.Repeat(" __typename", 30))} }}", "TOO_COMPLEX"),
            }
        )
        {
            var answer = await StoreAsync(Admin, text);
            Is(answer, 400, "VALIDATION_FAILED", "/text");
            Assert.Equal(code, answer.Text("/errors/0/code"));
            Is(await Admin.GetAsync(AddressOf(text)), 404, "DOCUMENT_NOT_FOUND");
        }
        var other = await Admin.SendAsync("PUT", AddressOf("{ __typename }"), """{"text":"{ me { id } }"}""");
        Is(other, 400, "VALIDATION_FAILED", "/text");
        Assert.Equal("OTHER_HASH", other.Text("/errors/0/code"));
    }

    [Fact]
    public async Task Document_that_takes_variables_is_stored_without_them_and_run_with_them()
    {
        var text = $"query Q{Guid.NewGuid():n}($id: ID!) {{ resource(id: $id) {{ id }} }}";
        Assert.Equal(200, (await StoreAsync(Admin, text)).Status);
        var made = await MadeAsync(FreshType(), "{}");
        var asked = new { documentId = "sha256:" + HashOf(text), variables = new { id = made } };
        Assert.Equal(made, (await RunAsync(Admin, asked)).Text("/data/resource/id"));
        Assert.Equal("BAD_VARIABLES", Code(await RunAsync(Admin, new { asked.documentId })));
    }

    [Fact]
    public async Task Open_server_runs_stored_documents_by_their_ids_and_any_other()
    {
        var (stored, other) = (Fresh(), Fresh());
        await StoreAsync(Admin, stored);
        foreach (
            var request in new[]
            {
                new { documentId = "sha256:" + HashOf(stored) },
                ByHash(stored),
                new { query = other },
            }
        )
            Assert.Equal("Query", (await RunAsync(Admin, request)).Text("/data/__typename"));
        var byGet = await Admin.GetAsync($"{Path}?documentId=sha256:{HashOf(stored)}");
        Assert.Equal("Query", byGet.Text("/data/__typename"));
        foreach (var id in new[] { "sha256:" + HashOf("nobody"), "sha256:xyz", "nobody", "" })
            Assert.Equal("DOCUMENT_NOT_FOUND", Code(await RunAsync(Admin, new { documentId = id })));
        Assert.Equal("PERSISTED_QUERY_NOT_FOUND", Code(await RunAsync(Admin, ByHash("nobody"))));
        // A document that was run is kept for a while, and is not stored.
        for (var i = 0; i < 3; i++)
            Assert.Equal(200, (await RunAsync(Admin, new { query = other })).Status);
        Assert.Equal("Query", (await RunAsync(Admin, ByHash(other))).Text("/data/__typename"));
        Assert.Equal("DOCUMENT_NOT_FOUND", Code(await RunAsync(Admin, new { documentId = "sha256:" + HashOf(other) })));
        Is(await RunAsync(Admin, new { query = other, documentId = "x" }), 400, "VALIDATION_FAILED", "/documentId");
        Is(
            await Admin.GetAsync($"{Path}?query=%7B__typename%7D&documentId=x"),
            400,
            "VALIDATION_FAILED",
            "?documentId"
        );
    }

    [Fact]
    public async Task Trusting_server_runs_nothing_but_what_was_stored()
    {
        await using var server = await Backend.StartServerAsync(("GraphQl:Documents", "trusted"));
        var admin = await server.AdminAsync();
        var (stored, other) = (Fresh(), Fresh());
        foreach (
            var request in new[]
            {
                new { query = other },
                new { query = "{ __schema { queryType { name } } }" },
                new { documentId = "sha256:" + HashOf(other) },
                ByHash(other),
                new
                {
                    query = other,
                    extensions = new { persistedQuery = new { version = 1, sha256Hash = HashOf(other) } },
                },
                new { query = stored },
            }
        )
        foreach (var accept in new[] { "application/json", "application/graphql-response+json" })
        {
            var refused = await RunAsync(admin, request, accept);
            Assert.Equal((403, "DOCUMENT_NOT_TRUSTED"), (refused.Status, Code(refused)));
            Assert.Null(refused.At("/data"));
        }
        Assert.Equal(200, (await StoreAsync(admin, stored)).Status);
        foreach (
            var request in new[]
            {
                new { documentId = "sha256:" + HashOf(stored) },
                ByHash(stored),
                new { query = stored },
            }
        )
            Assert.Equal("Query", (await RunAsync(admin, request)).Text("/data/__typename"));
        Assert.Equal(204, (await admin.SendAsync("DELETE", AddressOf(stored))).Status);
        await Eventually.HoldsAsync(
            async () => (await RunAsync(admin, ByHash(stored))).Status is 403,
            TimeSpan.FromSeconds(1)
        );
    }

    [Fact]
    public async Task Trusting_server_refuses_other_documents_on_a_socket()
    {
        await using var server = await Backend.StartServerAsync(("GraphQl:Documents", "trusted"));
        var admin = await server.AdminAsync();
        var (stored, other) = (Fresh(), Fresh());
        await StoreAsync(admin, stored);
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("graphql-transport-ws");
        socket.Options.SetRequestHeader("Authorization", "Bearer " + admin.Token);
        await socket.ConnectAsync(
            new UriBuilder(server.Address) { Scheme = "ws", Path = Path }.Uri,
            TestContext.Current.CancellationToken
        );
        await SendAsync(socket, new { type = "connection_init" });
        Assert.Contains("connection_ack", await ReadAsync(socket), StringComparison.Ordinal);
        await SendAsync(
            socket,
            new
            {
                id = "1",
                type = "subscribe",
                payload = new { query = other },
            }
        );
        Assert.Contains("DOCUMENT_NOT_TRUSTED", await ReadAsync(socket), StringComparison.Ordinal);
        var byId = new { documentId = "sha256:" + HashOf(stored) };
        await SendAsync(
            socket,
            new
            {
                id = "2",
                type = "subscribe",
                payload = byId,
            }
        );
        Assert.Contains("\"__typename\":\"Query\"", await ReadAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dry_run_of_a_change_names_the_documents_that_it_would_break()
    {
        var name = FreshName();
        const string Color = """{"type":"object","properties":{"color":{"type":"string"}}}""";
        await DeclareAsync(
            Definition(name, Color.Replace("\"color\"", "\"size\":{},\"color\"", StringComparison.Ordinal))
        );
        var (breaks, stays) = (
            Fresh($"{name}s {{ nodes {{ metadata {{ size }} }} }}"),
            Fresh($"{name}s {{ nodes {{ metadata {{ color }} }} }}")
        );
        await StoreAsync(Admin, breaks);
        await StoreAsync(Admin, stays);
        var dry = await PutTypeAsync(name, Definition(name, Color), "?dryRun=true");
        Assert.Equal(200, dry.Status);
        Assert.Equal(
            [HashOf(breaks)],
            dry.At("/data/documents")!.Value.EnumerateArray().Select(each => each.GetString())
        );
        Assert.Equal("true", (await Admin.GetAsync(AddressOf(breaks))).Text("/data/fits"));
        Is(await PutTypeAsync(name, Definition(name, Color)), 200);
        Assert.Equal("false", (await Admin.GetAsync(AddressOf(breaks))).Text("/data/fits"));
        Assert.Equal("true", (await Admin.GetAsync(AddressOf(stays))).Text("/data/fits"));
    }

    [Fact]
    public async Task Dry_run_of_a_type_whose_name_another_type_has_is_refused()
    {
        var name = FreshName();
        await DeclareAsync(Definition(name));
        await StoreAsync(Admin, Fresh($"{name}s {{ totalCount }}"));
        Is(await DeclareAsync(Definition(name + "s"), "?dryRun=true"), 409, "NAME_CLASH", "/name", "/names/plural");
    }

    [Fact]
    public async Task Subscription_of_a_document_that_was_removed_ends_where_only_those_are_run()
    {
        await using var server = await Backend.StartServerAsync(
            ("GraphQl:Documents", "trusted"),
            ("Streams:HeartbeatSeconds", "1")
        );
        var admin = await server.AdminAsync();
        var text = $"subscription S{Guid.NewGuid():n} {{ events {{ type }} }}";
        Assert.Equal(200, (await StoreAsync(admin, text)).Status);
        using var http = new HttpClient
        {
            BaseAddress = server.Address,
            DefaultRequestHeaders = { Authorization = new("Bearer", admin.Token) },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, Path)
        {
            Content = JsonContent.Create(new { documentId = "sha256:" + HashOf(text) }),
        };
        request.Headers.Accept.ParseAdd("text/event-stream");
        var ct = TestContext.Current.CancellationToken;
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        Assert.Equal(204, (await admin.SendAsync("DELETE", AddressOf(text))).Status);
        var told = await response.Content.ReadAsStringAsync(ct);
        Assert.Contains("DOCUMENT_NOT_TRUSTED", told, StringComparison.Ordinal);
        Assert.EndsWith("event: complete\ndata:\n\n", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Statuses_are_those_of_the_draft_where_that_is_asked_for()
    {
        await using var server = await Backend.StartServerAsync(("GraphQl:Statuses", "draft"));
        var admin = await server.AdminAsync();
        var id = Guid.NewGuid();
        foreach (
            var (query, own, plain) in new[]
            {
                ("{ __typename }", 200, 200),
                ("{ __typename", 400, 200),
                ("{ nobodyHasThis }", 422, 200),
                ("query($x: Int!) { __typename @include(if: true) }", 422, 200),
                ($"{{ {string.Concat(Enumerable.Repeat("a ", 6000))} }}", 400, 200),
                ($"{{ __typename resource(id: \"{id}\", version: 1) {{ id }} }}", 200, 200),
                ("{ __typename resources(filter: \"(\") { totalCount } }", 294, 200),
            }
        )
        {
            var answer = await RunAsync(admin, new { query }, "application/graphql-response+json");
            Assert.True(own == answer.Status, $"{query}: {answer}");
            Assert.Equal(plain, (await RunAsync(admin, new { query }, "application/json")).Status);
        }
    }

    static Task SendAsync(ClientWebSocket socket, object message) =>
        socket.SendAsync(
            JsonSerializer.SerializeToUtf8Bytes(message),
            WebSocketMessageType.Text,
            true,
            TestContext.Current.CancellationToken
        );

    static async Task<string> ReadAsync(ClientWebSocket socket)
    {
        var buffer = new byte[65536];
        var read = await socket.ReceiveAsync(buffer.AsMemory(), TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, read.Count);
    }
}
