using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>What happened to a resource, and lists that are followed.</summary>
public sealed class GraphHistoryTests(Backend backend, JavaScriptProgram programs) : GraphBackend(backend)
{
    readonly string book = FreshName();

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    Task DeclareAsync() =>
        DeclareAsync(Definition(book, """{"type":"object","properties":{"price":{"type":"number"}}}"""));

    [Fact]
    public async Task History_has_the_events_of_a_resource_in_pages()
    {
        await DeclareAsync();
        var id = await MadeAsync(book, """{"price":1}""");
        for (var price = 2; price < 5; price++)
            Is(await PatchAsync(id, $$$"""{"metadata":{"price":{{{price}}}}}"""), 200);
        var query = $$"""
            query($id: ID!, $after: Position) { one: {{book}}(id: $id) { history(first: 2, after: $after) {
              nodes { type version data } endPosition hasNextPage } } }
            """;
        var first = await DataAsync(query, new { id });
        Assert.Equal(
            ("resource.created", "2", "true"),
            (
                first.Text("/data/one/history/nodes/0/type"),
                first.Text("/data/one/history/nodes/1/version"),
                first.Text("/data/one/history/hasNextPage")
            )
        );
        var next = await DataAsync(query, new { id, after = first.Text("/data/one/history/endPosition") });
        Assert.Equal(
            ("3", "4"),
            (next.Text("/data/one/history/nodes/0/version"), next.Text("/data/one/history/nodes/1/version"))
        );
        Assert.Null(next.At("/data/one/history/nodes/2"));
    }

    [Fact]
    public async Task Followed_list_is_the_list_at_every_position()
    {
        await DeclareAsync();
        Assert.Equal(
            "as the list",
            (
                await programs.RunAsync(
                    "graphql.mjs",
                    "changes",
                    Backend.Server.Address.ToString().TrimEnd('/'),
                    Admin.Token!,
                    book
                )
            ).Trim()
        );
    }

    [Fact]
    public async Task List_that_is_too_long_is_not_followed()
    {
        await DeclareAsync();
        await MadeAsync(book, "{}");
        await MadeAsync(book, "{}");
        var answer = await Admin.SendAsync(
            "POST",
            "/api/v1/graphql",
            $$$"""{"query":"subscription { {{{book}}}Changes(first: 1) { kind } }"}""",
            headers: ("Accept", "text/event-stream")
        );
        Assert.Contains("VALIDATION_FAILED", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
        Assert.EndsWith("event: complete\ndata:\n\n", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Subscription_ends_with_the_type_that_its_field_is_of()
    {
        await using var server = await Backend.StartServerAsync(("Streams:HeartbeatSeconds", "1"));
        var admin = await server.AdminAsync();
        using var http = new HttpClient
        {
            BaseAddress = server.Address,
            DefaultRequestHeaders = { Authorization = new("Bearer", admin.Token) },
        };
        foreach (var field in new[] { "Events { type }", "Changes { kind }" })
        {
            var type = FreshName();
            await admin.SendAsync("POST", "/api/v1/types", Definition(type));
            var ids = new List<string>();
            for (var i = 0; i < 5; i++)
                ids.Add(
                    (await admin.SendAsync("POST", "/api/v1/resources", $$"""{"name":"n","type":"{{type}}"}""")).Text(
                        "/data/id"
                    )!
                );
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/graphql")
            {
                Content = JsonContent.Create(new { query = $"subscription {{ {type}{field} }}" }),
            };
            request.Headers.Accept.ParseAdd("text/event-stream");
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
            foreach (var id in ids)
                Assert.Equal(204, (await admin.SendAsync("DELETE", $"/api/v1/resources/{id}")).Status);
            Assert.Equal(204, (await admin.SendAsync("DELETE", $"/api/v1/types/{type}", headers: Any)).Status);
            var told = await response.Content.ReadAsStringAsync(Cancelled);
            Assert.Contains("SCHEMA_CHANGED", told, StringComparison.Ordinal);
            Assert.Equal(5, Regex.Count(told, "resource.deleted|REMOVED"));
            Assert.EndsWith("event: complete\ndata:\n\n", told, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Subscriptions_of_one_document_are_told_the_same()
    {
        await DeclareAsync();
        using var http = new HttpClient
        {
            BaseAddress = Backend.Server.Address,
            DefaultRequestHeaders = { Authorization = new("Bearer", Admin.Token) },
        };
        // The same document, and one whose parts depend on a variable.
        const string Alike =
            "subscription($type: String, $all: Boolean!) { events(type: $type) { position type data } }";
        var other = Alike.Replace(" data ", " data @include(if: $all) ", StringComparison.Ordinal);
        var streams = new List<(StreamReader Reader, bool HasData)>();
        foreach (
            var (query, all) in new[] { (Alike, true), (Alike, true), (Alike, true), (other, true), (other, false) }
        )
        {
            var text = query == Alike ? query.Replace(", $all: Boolean!", "", StringComparison.Ordinal) : query;
            var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/graphql")
            {
                Content = JsonContent.Create(
                    new
                    {
                        query = text,
                        variables = query == Alike ? (object)new { type = book } : new { type = book, all },
                    }
                ),
            };
            request.Headers.Accept.ParseAdd("text/event-stream");
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
            streams.Add((new(await response.Content.ReadAsStreamAsync(Cancelled)), all));
        }
        for (var i = 0; i < 5; i++)
            await MadeAsync(book, $$$"""{"price":{{{i}}}}""");
        var told = new List<string>();
        foreach (var (reader, hasData) in streams)
        {
            var lines = new List<string>();
            while (lines.Count < 5)
                if (
                    await reader.ReadLineAsync(Cancelled) is { } line
                    && line.StartsWith("data: {", StringComparison.Ordinal)
                )
                    lines.Add(line);
            Assert.All(lines, (line, i) =>
                Assert.Equal(hasData, line.Contains($"\"price\":{i}", StringComparison.Ordinal))
            );
            if (hasData)
                told.Add(string.Join('\n', lines));
            reader.Dispose();
        }
        Assert.Single(told.Distinct());
    }
}
