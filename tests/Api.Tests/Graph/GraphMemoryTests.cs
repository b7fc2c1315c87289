using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;

namespace Resources.Api.Tests;

/// <summary>The memory of a node for what references show.</summary>
public sealed class GraphMemoryTests(Backend backend) : GraphBackend(backend)
{
    const int Authors = 30;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_of_references_is_counted_refused_and_given_back()
    {
        await using var server = await Backend.StartServerAsync();
        var admin = await server.AdminAsync();
        var memory = server.Services.GetRequiredService<ReadMemory>();
        var (book, author) = (FreshName(), FreshName());
        await admin.SendAsync("POST", "/api/v1/types", Definition(author));
        await admin.SendAsync(
            "POST",
            "/api/v1/types",
            Definition(
                book,
                """{"type":"object","properties":{"author":{"type":"string","format":"uuid"}}}""",
                "\"references\":{\"/metadata/author\":{\"type\":\"" + author + "\"}}"
            )
        );
        var large = new string('x', 100_000);
        for (var i = 0; i < Authors; i++)
        {
            var body = $$$"""{"name":"n","type":"{{{author}}}","metadata":{"text":"{{{large}}}"}}""";
            var id = (await admin.SendAsync("POST", "/api/v1/resources", body)).Text("/data/id")!;
            body = $$$"""{"name":"n","type":"{{{book}}}","metadata":{"author":"{{{id}}}"}}""";
            Assert.Equal(201, (await admin.SendAsync("POST", "/api/v1/resources", body)).Status);
        }
        var query = $"{{ {book}s(first: {Authors}) {{ nodes {{ metadata {{ author {{ metadataJson }} }} }} }} }}";

        // Nothing but small pieces is left for the caller.
        var me = (await AskAsync("{ me { id } }", caller: admin)).Text("/data/me/id")!;
        var taken = new List<MemoryLease>();
        while (memory.TryTake(me, 1 << 20) is { } lease)
            taken.Add(lease);
        var refused = await AskAsync(query, caller: admin);
        Assert.Equal("OVERLOADED", refused.Text("/errors/0/extensions/code"));
        foreach (var lease in taken)
            lease.Dispose();

        var shown = await AskAsync(query, caller: admin);
        Assert.Null(shown.At("/errors"));
        Assert.True(shown.Body.Length > Authors * large.Length);
        // A client that leaves, whenever that is, leaves nothing behind.
        using var http = new HttpClient
        {
            BaseAddress = server.Address,
            DefaultRequestHeaders = { Authorization = new("Bearer", admin.Token) },
        };
        for (var i = 0; i < 30; i++)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
            ending.CancelAfter(TimeSpan.FromMilliseconds(2 * i));
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/graphql")
            {
                Content = JsonContent.Create(new { query }),
            };
            if (i % 2 is 0)
                request.Headers.Accept.ParseAdd("text/event-stream");
            try
            {
                using var _ = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ending.Token);
            }
            catch (OperationCanceledException) when (!Cancelled.IsCancellationRequested)
            {
                // As it was meant.
            }
        }
        await Eventually.HoldsAsync(() => memory.Used is 0, TimeSpan.FromSeconds(15), () => $"{memory.Used} bytes");
    }

    [Fact]
    public async Task Event_waits_for_memory_and_is_not_left_out()
    {
        await using var server = await Backend.StartServerAsync();
        var admin = await server.AdminAsync();
        var reader = await Person.CreateAsync(admin, server.Address, "user");
        var token = (await reader.LoginAsync()).Caller;
        var memory = server.Services.GetRequiredService<ReadMemory>();
        var me = (await AskAsync("{ me { id } }", caller: token)).Text("/data/me/id")!;
        using var http = new HttpClient
        {
            BaseAddress = server.Address,
            DefaultRequestHeaders = { Authorization = new("Bearer", token.Token) },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/graphql")
        {
            Content = JsonContent.Create(new { query = "subscription { events { type data } }" }),
        };
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
        using var stream = new StreamReader(await response.Content.ReadAsStreamAsync(Cancelled));
        var taken = new List<MemoryLease>();
        for (var size = 1 << 20; size > 1 << 10; size /= 2)
            while (memory.TryTake(me, size) is { } lease)
                taken.Add(lease);
        var body =
            $$$"""{"name":"n","type":"{{{FreshName()}}}","metadata":{"text":"{{{new string('x', 200_000)}}}"}}""";
        Assert.Equal(201, (await admin.SendAsync("POST", "/api/v1/resources", body)).Status);
        var told = DataAsync(stream);
        // Longer than a request waits for memory: so it was refused at least once.
        Assert.NotSame(told, await Task.WhenAny(told, Task.Delay(TimeSpan.FromSeconds(6), Cancelled)));
        foreach (var lease in taken)
            lease.Dispose();
        Assert.Contains("resource.created", await told, StringComparison.Ordinal);
    }

    static async Task<string> DataAsync(StreamReader stream)
    {
        while (await stream.ReadLineAsync(Cancelled) is { } line)
            if (line.StartsWith("data: {", StringComparison.Ordinal))
                return line;
        return "the stream has ended";
    }
}
