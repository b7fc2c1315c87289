using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Resources.Api;

/// <summary>
/// An answer that is the same for everybody until the node ends: made for the first who asks, and compressed once for each
/// encoding. Guests may ask for it as often as their limit allows, and need not read it, so it must cost next to nothing.
/// </summary>
/// <param name="neverChanges">Whether its address is that of its content.</param>
sealed class ServedDocument(RequestDelegate make, bool neverChanges)
{
    /// <summary>What is on its way to a client at a time.</summary>
    const int Piece = 32 * 1024;

    readonly Lock making = new();
    Task<Kept>? kept;

    public async Task AnswerAsync(HttpContext context)
    {
        var answer = await KeptAsync(context.RequestServices);
        var response = context.Response;
        response.Headers.CacheControl = neverChanges ? "public, max-age=31536000, immutable" : "no-cache";
        if (HeldTag(context.Request, answer.Tag) is { } held)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            response.Headers.ETag = held;
            return;
        }
        using var reader = context.RequestServices.GetRequiredService<DocumentReaders>().Enter(context);
        if (reader is null)
        {
            await Problems.WriteAsync(
                context,
                ProblemType.Overloaded,
                "Too many documents are on their way, or to your network. Try again in a moment."
            );
            return;
        }
        var encoding = Choose(context.Request);
        var body = encoding switch
        {
            "br" => await answer.Brotli.Value,
            "gzip" => await answer.Gzip.Value,
            _ => answer.Body,
        };
        response.Headers.ETag = answer.Tag;
        response.ContentType = answer.ContentType;
        response.ContentLength = body.Length;
        if (encoding is not null)
            response.Headers.ContentEncoding = encoding;
        if (!HttpMethods.IsHead(context.Request.Method))
            await SendAsync(context, body);
    }

    /// <summary>Sends it in pieces, so that the memory of a connection holds few of them.</summary>
    static async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        Overload.Waits(context);
        using var late = new CancellationTokenSource(
            DocumentReaders.TimeToRead,
            context.RequestServices.GetRequiredService<TimeProvider>()
        );
        await using var abort = late.Token.Register(context.Abort);
        for (var sent = 0; sent < body.Length; sent += Piece)
        {
            var piece = body.Slice(sent, Math.Min(Piece, body.Length - sent));
            await context.Response.Body.WriteAsync(piece, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    /// <summary>
    /// One that could not be made is made again for the next who asks. Whoever asks meanwhile waits without a thread:
    /// others need it.
    /// </summary>
    Task<Kept> KeptAsync(IServiceProvider services)
    {
        lock (making)
        {
            if (kept is not (null or { IsFaulted: true } or { IsCanceled: true }))
                return kept;
            var scopes = services.GetRequiredService<IServiceScopeFactory>();
            return kept = Task.Run(() => MakeAsync(scopes));
        }
    }

    async Task<Kept> MakeAsync(IServiceScopeFactory scopes)
    {
        await using var scope = scopes.CreateAsyncScope();
        using var body = new MemoryStream();
        // A request of nobody: nothing of the first caller's gets into it.
        var context = new DefaultHttpContext
        {
            RequestServices = scope.ServiceProvider,
            Request =
            {
                Method = HttpMethods.Get,
                Scheme = Uri.UriSchemeHttp,
                Host = new("localhost"),
            },
            Response = { Body = body },
        };
        await make(context);
        await context.Response.CompleteAsync();
        if (context.Response.StatusCode is not StatusCodes.Status200OK)
            throw new InvalidOperationException($"It cannot be made: {context.Response.StatusCode}.");
        var bytes = body.ToArray();
        return new(
            context.Response.ContentType,
            $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12))}\"",
            bytes,
            Compressed(bytes, to => new BrotliStream(to, CompressionLevel.Optimal)),
            Compressed(bytes, to => new GZipStream(to, CompressionLevel.Optimal))
        );
    }

    static Lazy<Task<byte[]>> Compressed(byte[] bytes, Func<Stream, Stream> encode) =>
        new(() =>
            Task.Run(() =>
            {
                using var to = new MemoryStream();
                using (var encoder = encode(to))
                    encoder.Write(bytes);
                return to.ToArray();
            })
        );

    /// <summary>The client's own tag for what it holds already, in whichever encoding.</summary>
    static string? HeldTag(HttpRequest request, string tag)
    {
        var header = request.Headers.IfNoneMatch;
        if (header.Count is 0 || !EntityTagHeaderValue.TryParseList(header, out var held))
            return null;
        foreach (var each in held)
            if (each == EntityTagHeaderValue.Any)
                return tag;
            else if (each.Tag == tag || each.Tag == tag[..^1] + "-br\"" || each.Tag == tag[..^1] + "-gzip\"")
                return each.Tag.ToString();
        return null;
    }

    static string? Choose(HttpRequest request)
    {
        var header = request.Headers.AcceptEncoding;
        if (header.Count is 0 || !StringWithQualityHeaderValue.TryParseList(header, out var accepted))
            return null;
        return Accepts("br") ? "br"
            : Accepts("gzip") ? "gzip"
            : null;

        bool Accepts(string encoding) =>
            (
                accepted.FirstOrDefault(each => each.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase))
                ?? accepted.FirstOrDefault(each => each.Value == "*")
            )
                is { Quality: null or > 0 };
    }

    sealed record Kept(
        string? ContentType,
        string Tag,
        byte[] Body,
        Lazy<Task<byte[]>> Brotli,
        Lazy<Task<byte[]>> Gzip
    );
}

/// <summary>Endpoints that are served once.</summary>
static class ServedOnceEndpoints
{
    /// <summary>Keeps the answers of endpoints that have the address of a file; others are made for each request.</summary>
    /// <param name="neverChanges">Whether an address is that of its content, so that clients need not ask again.</param>
    public static TBuilder ServedOnce<TBuilder>(this TBuilder endpoints, bool neverChanges = false)
        where TBuilder : IEndpointConventionBuilder
    {
        // Endpoints are built more than once.
        var kept = new ConcurrentDictionary<string, ServedDocument>();
        endpoints.Add(endpoint =>
        {
            if (
                endpoint is RouteEndpointBuilder { RoutePattern.RawText: { } path, RequestDelegate: { } make }
                && Path.HasExtension(path)
            )
                endpoint.RequestDelegate = kept.GetOrAdd(path, _ => new(make, neverChanges)).AnswerAsync;
        });
        return endpoints;
    }
}
