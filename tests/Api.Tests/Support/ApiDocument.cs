using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Web;

namespace Resources.Api.Tests;

/// <summary>
/// The OpenAPI document of a server, held against its answers, and against the requests that it accepts.
/// </summary>
public sealed class ApiDocument
{
    /// <summary>What every web server sends, and browsers read; the document is about the API.</summary>
    static readonly HashSet<string> HeadersOfTheWeb = new(StringComparer.OrdinalIgnoreCase)
    {
        "Allow",
        "Cache-Control",
        "Connection",
        "Content-Encoding",
        "Content-Length",
        "Content-Security-Policy",
        "Content-Type",
        "Cross-Origin-Opener-Policy",
        "Cross-Origin-Resource-Policy",
        "Date",
        "Permissions-Policy",
        "Referrer-Policy",
        "Strict-Transport-Security",
        "Transfer-Encoding",
        "Vary",
        "X-Accel-Buffering",
        "X-Content-Type-Options",
        "X-Frame-Options",
    };

    static readonly ConcurrentDictionary<string, ApiDocument> Learnt = new();
    static ApiDocument? product;

    readonly JsonElement document;
    readonly ApiSchemas schemas;
    readonly (Regex Address, JsonElement Item)[] paths;

    ApiDocument(JsonElement document)
    {
        this.document = document;
        schemas = new(document.GetProperty("components").GetProperty("schemas"));
        paths =
        [
            .. document
                .GetProperty("paths")
                .EnumerateObject()
                .OrderBy(path => path.Name.Count(letter => letter is '{'))
                .Select(path => (Pattern(path.Name), path.Value)),
        ];
    }

    /// <summary>Reads the document of the product, which holds for all servers that have none of their own.</summary>
    public static async Task LearnAsync(Uri server) => product = await ReadAsync(server);

    /// <summary>Reads the document of a server with further features.</summary>
    public static async Task LearnOwnAsync(Uri server) => Learnt[server.Authority] = await ReadAsync(server);

    /// <summary>Fails if an answer, or the request that it accepts, is not as the server's document says.</summary>
    /// <param name="body">The body of the answer; null = a stream, which goes on.</param>
    public static async Task CheckAsync(HttpRequestMessage request, HttpResponseMessage response, byte[]? body)
    {
        var known = Learnt.GetValueOrDefault(request.RequestUri!.Authority) ?? product!;
        var sent = request.Content is ByteArrayContent content ? await content.ReadAsByteArrayAsync() : null;
        Assert.Empty(known.FaultsOf(request, sent, response, body is null ? null : await DecodeAsync(response, body)));
    }

    static async Task<ApiDocument> ReadAsync(Uri server)
    {
        using var http = new HttpClient { BaseAddress = server };
        return new(JsonElement.Parse(await http.GetByteArrayAsync("/openapi/v1.json")));
    }

    static Regex Pattern(string path) =>
        new($"^{Regex.Replace(path, @"\{(\w+)\}", "(?<$1>[^/]+)")}$", RegexOptions.CultureInvariant);

    /// <summary>The body without its content coding.</summary>
    static async Task<byte[]> DecodeAsync(HttpResponseMessage response, byte[] body)
    {
        if (body is [] || response.Content.Headers.ContentEncoding.FirstOrDefault() is not { } coding)
            return body;
        await using Stream decoder = coding is "br"
            ? new BrotliStream(new MemoryStream(body), CompressionMode.Decompress)
            : new GZipStream(new MemoryStream(body), CompressionMode.Decompress);
        using var decoded = new MemoryStream();
        await decoder.CopyToAsync(decoded);
        return decoded.ToArray();
    }

    IEnumerable<string> FaultsOf(HttpRequestMessage request, byte[]? sent, HttpResponseMessage answer, byte[]? body)
    {
        // As the server reads it: dots are resolved on the way.
        var path = new Uri(request.RequestUri!.AbsoluteUri).AbsolutePath;
        var method = request.Method == HttpMethod.Head ? "get" : request.Method.Method.ToLowerInvariant();
        var status = (int)answer.StatusCode;
        var (route, item) = paths.FirstOrDefault(each => each.Address.IsMatch(path));
        if (route is null || !item.TryGetProperty(method, out var operation))
            return FaultsOfOthers(method, path, answer, body);
        if (!operation.GetProperty("responses").TryGetProperty($"{status}", out var response))
            return [$"The status {status} is not described."];
        response = Resolve(response);
        var faults = FaultsOfHeaders(response, answer).Concat(FaultsOfBody(request, response, answer, body));
        return answer.IsSuccessStatusCode
            ? faults
                .Concat(FaultsOfParameters(operation, request, route.Match(path)))
                .Concat(FaultsOfRequestBody(operation, request, sent))
            : faults;
    }

    IEnumerable<string> FaultsOfOthers(string method, string path, HttpResponseMessage answer, byte[]? body)
    {
        string[] described = ["/api/v1", "/health", "/.well-known"];
        // A preflight is the browser's.
        if (
            answer.IsSuccessStatusCode
            && method is not "options"
            && described.Any(prefix => path.StartsWith(prefix, StringComparison.Ordinal))
        )
            return ["This operation is not described."];
        return MediaTypeOf(answer) is "application/problem+json" && body is { Length: > 0 }
            ? schemas.FaultsOfSent(
                document.GetProperty("components").GetProperty("schemas").GetProperty(nameof(Problem)),
                body
            )
            : [];
    }

    IEnumerable<string> FaultsOfHeaders(JsonElement response, HttpResponseMessage answer)
    {
        var described = response.TryGetProperty("headers", out var headers)
            ? headers
                .EnumerateObject()
                .ToDictionary(header => header.Name, header => Resolve(header.Value), StringComparer.OrdinalIgnoreCase)
            : [];
        foreach (var (name, values) in answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated))
            if (described.TryGetValue(name, out var header))
            {
                foreach (var fault in schemas.FaultsOfText(header.GetProperty("schema"), string.Join(", ", values)))
                    yield return $"{name}: {fault}";
            }
            else if (
                !HeadersOfTheWeb.Contains(name)
                && !name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)
            )
                yield return $"The header {name} is not described.";
    }

    IEnumerable<string> FaultsOfBody(
        HttpRequestMessage request,
        JsonElement response,
        HttpResponseMessage answer,
        byte[]? body
    )
    {
        if (MediaTypeOf(answer) is not { } mediaType)
            return response.TryGetProperty("content", out _) && request.Method != HttpMethod.Head
                ? ["There is no body where the document describes one."]
                : [];
        if (mediaType is StreamsEvents.MediaType)
            return response.TryGetProperty(StreamsEvents.Extension, out _) ? [] : ["A stream is not described."];
        if (
            !response.TryGetProperty("content", out var content)
            || !content.TryGetProperty(mediaType, out var described)
        )
            return [$"The media type {mediaType} is not described."];
        return request.Method == HttpMethod.Head || body is null or [] || mediaType is "text/plain"
            ? []
            : schemas.FaultsOfSent(described.GetProperty("schema"), body);
    }

    IEnumerable<string> FaultsOfParameters(JsonElement operation, HttpRequestMessage request, Match path)
    {
        var query = HttpUtility.ParseQueryString(request.RequestUri!.Query);
        foreach (
            var parameter in operation.TryGetProperty("parameters", out var parameters)
                ? parameters.EnumerateArray()
                : default
        )
        {
            var name = parameter.GetProperty("name").GetString()!;
            var value = parameter.GetProperty("in").GetString() switch
            {
                "query" => query[name],
                "path" => Uri.UnescapeDataString(path.Groups[name].Value),
                _ => request.Headers.NonValidated.TryGetValues(name, out var values) ? string.Join(", ", values) : null,
            };
            query.Remove(name);
            // An empty one counts as none.
            if (string.IsNullOrEmpty(value))
            {
                if (parameter.TryGetProperty("required", out var required) && required.GetBoolean())
                    yield return $"The parameter {name} is said to be required.";
                continue;
            }
            foreach (var fault in schemas.FaultsOfText(parameter.GetProperty("schema"), value))
                yield return $"The parameter {name}={value} is accepted: {fault}";
        }
        foreach (var name in query.AllKeys)
            yield return $"The parameter {name} is accepted and not described.";
    }

    IEnumerable<string> FaultsOfRequestBody(JsonElement operation, HttpRequestMessage request, byte[]? sent)
    {
        // Other endpoints read no body. What is not an array of bytes was sent piece by piece.
        if (!operation.TryGetProperty("requestBody", out var body) || request.Content is not (null or ByteArrayContent))
            return [];
        if (sent is null or [])
            return body.TryGetProperty("required", out var required) && required.GetBoolean()
                ? ["The body is said to be required."]
                : [];
        var mediaType = $"{request.Content!.Headers.NonValidated["Content-Type"]}".Split(';')[0].Trim();
        return body.GetProperty("content").TryGetProperty(mediaType.ToLowerInvariant(), out var described)
            ? schemas
                .FaultsOfTaken(described.GetProperty("schema"), sent)
                .Select(fault => $"The body is accepted: {fault}")
            : [$"A body of {mediaType} is accepted and not described."];
    }

    static string? MediaTypeOf(HttpResponseMessage answer) => answer.Content.Headers.ContentType?.MediaType;

    JsonElement Resolve(JsonElement element) =>
        element.TryGetProperty("$ref", out var reference)
            ? reference.GetString()!.Split('/').Skip(1).Aggregate(document, (at, step) => at.GetProperty(step))
            : element;
}
