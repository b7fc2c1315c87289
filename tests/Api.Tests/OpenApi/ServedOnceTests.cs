using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Resources.Api.Tests;

/// <summary>Public documents cost nothing to be served again.</summary>
[Trait("Conformance", "F11")]
public sealed class ServedOnceTests(Backend backend)
{
    [Theory, InlineData("/openapi/v1.json"), InlineData("/docs/scalar.js")]
    public async Task Document_is_made_and_compressed_once(string path)
    {
        var first = await backend.Guest.GetAsync(path, ("Accept-Encoding", "br"));
        Assert.Equal((200, "br"), (first.Status, first["Content-Encoding"]));
        var plain = await backend.Guest.GetAsync(path, ("Accept-Encoding", "gzip"));
        Assert.Equal("gzip", plain["Content-Encoding"]);
        var endpoint = Endpoint(path);

        foreach (var encoding in new[] { "br", "gzip" })
        {
            await AnswerAsync();
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1_000; i++)
            {
                var answer = AnswerAsync();
                // Whatever had to be waited for would be counted on another thread.
                Assert.True(answer.IsCompletedSuccessfully);
            }
            var each = (GC.GetAllocatedBytesForCurrentThread() - before) / 1_000;
            Assert.True(each < first.Body.Length / 4, $"{each} bytes for an answer of {first.Body.Length}");

            Task AnswerAsync()
            {
                var context = new DefaultHttpContext { RequestServices = backend.Server.Services };
                context.Request.Headers.AcceptEncoding = encoding;
                return ServeAsync(context, endpoint);
            }
        }
    }

    /// <summary>Fifteen a second stopped a node of two processors.</summary>
    [Fact]
    [Trait("Conformance", "H4")]
    public async Task Who_asks_while_a_document_is_made_holds_no_thread()
    {
        await using var server = await backend.StartServerAsync();
        var endpoint = Endpoint("/openapi/v1.json", server);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var asked = Enumerable
            .Range(0, 10)
            .Select(_ =>
                endpoint(new DefaultHttpContext { RequestServices = server.Services, Request = { Method = "GET" } })
            )
            .ToArray();
        // Whoever made the document on this thread would allocate it here.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        await Task.WhenAll(asked);
    }

    [Fact]
    [Trait("Conformance", "H4")]
    public async Task Client_that_does_not_read_holds_few_bytes_and_is_cut_after_a_minute()
    {
        var clock = new StoppedClock();
        var client = new Pipe(new(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024));
        var lifetime = new Lifetime();
        var context = new DefaultHttpContext
        {
            RequestServices = new WithClock(backend.Server.Services, clock),
            Response = { Body = client.Writer.AsStream() },
        };
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);

        var serving = ServeAsync(context, Endpoint("/docs/scalar.js"));
        var waiting = 0L;
        await Eventually.HoldsAsync(() =>
        {
            if (!client.Reader.TryRead(out var read))
                return false;
            waiting = read.Buffer.Length;
            client.Reader.AdvanceTo(read.Buffer.Start);
            return waiting >= 64 * 1024;
        });
        Assert.InRange(waiting, 64 * 1024, 96 * 1024);
        Assert.False(serving.IsCompleted);
        Assert.Equal(DocumentReaders.TimeToRead, clock.Due);

        clock.Elapse();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
        Assert.True(lifetime.RequestAborted.IsCancellationRequested);
    }

    RequestDelegate Endpoint(string path, InProcessServer? server = null) =>
        (server ?? backend.Server)
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Single(endpoint => "/" + endpoint.RoutePattern.RawText!.Trim('/') == path)
            .RequestDelegate!;

    /// <summary>Serves a document as the node does, where requests that are worked on are counted.</summary>
    Task ServeAsync(HttpContext context, RequestDelegate endpoint)
    {
        context.Request.Method = "GET";
        return backend.Server.Services.GetRequiredService<Overload>().ShedAsync(context, endpoint);
    }

    [Theory, InlineData("/openapi/v1.json"), InlineData("/docs/scalar.js"), InlineData("/docs/scalar.aspnetcore.js")]
    [Trait("Conformance", "F5")]
    public async Task Each_encoding_is_the_same_document_with_a_tag_of_its_own(string path)
    {
        var plain = await backend.Guest.GetAsync(path, ("Accept-Encoding", "identity"));
        Assert.Equal((200, null), (plain.Status, plain["Content-Encoding"]));
        var tags = new List<string> { plain.ETag! };
        foreach (var encoding in new[] { "br", "gzip" })
        {
            var answer = await backend.Guest.GetAsync(path, ("Accept-Encoding", encoding));
            Assert.Equal((200, encoding), (answer.Status, answer["Content-Encoding"]));
            Assert.Equal((plain["Content-Type"], "no-cache"), (answer["Content-Type"], answer["Cache-Control"]));
            Assert.Equal(plain.Body, Decode(encoding, answer.Body));
            tags.Add(answer.ETag!);
        }
        Assert.Equal(tags.Distinct(), tags);
        foreach (var tag in tags)
        {
            var held = await backend.Guest.GetAsync(
                path,
                ("Accept-Encoding", "br"),
                ("If-None-Match", $"\"x\", {tag}")
            );
            Assert.Equal((304, tag), (held.Status, held.ETag));
        }
        Assert.Equal(200, (await backend.Guest.GetAsync(path, ("If-None-Match", "\"x\""))).Status);
    }

    [Theory]
    [InlineData("br;q=0, gzip;q=0.5", "gzip"), InlineData("*", "br"), InlineData("br;q=0, *", "gzip")]
    [InlineData("*;q=0", null), InlineData("deflate", null)]
    public async Task Encoding_is_one_that_the_client_accepts(string accepted, string? encoding) =>
        Assert.Equal(
            encoding,
            (await backend.Guest.GetAsync("/openapi/v1.json", ("Accept-Encoding", accepted)))["Content-Encoding"]
        );

    /// <summary>The services of a server, but for its clock.</summary>
    sealed class WithClock(IServiceProvider services, TimeProvider clock) : IServiceProvider
    {
        public object? GetService(Type type) => type == typeof(TimeProvider) ? clock : services.GetService(type);
    }

    /// <summary>A clock with one timer, which goes off when the test says so.</summary>
    sealed class StoppedClock : TimeProvider, ITimer
    {
        TimerCallback? callback;
        object? state;

        public TimeSpan? Due { get; set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (this.callback, this.state, Due) = (callback, state, dueTime);
            return this;
        }

        public void Elapse() => callback!(state);

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() { }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        readonly CancellationTokenSource aborted = new();

        public Lifetime() => RequestAborted = aborted.Token;

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => aborted.Cancel();
    }

    static byte[] Decode(string encoding, byte[] body)
    {
        using var from = new MemoryStream(body);
        using Stream decoder = encoding is "br"
            ? new BrotliStream(from, CompressionMode.Decompress)
            : new GZipStream(from, CompressionMode.Decompress);
        using var to = new MemoryStream();
        decoder.CopyTo(to);
        return to.ToArray();
    }
}
