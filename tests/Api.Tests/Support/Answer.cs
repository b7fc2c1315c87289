using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>
/// A response, read to its end. Reading it checks what holds for every response, so every test checks that too.
/// </summary>
public sealed partial class Answer
{
    readonly Dictionary<string, string> headers;
    readonly JsonElement? json;

    Answer(int status, Dictionary<string, string> headers, byte[] body, JsonElement? json)
    {
        Status = status;
        this.headers = headers;
        Body = body;
        this.json = json;
    }

    public int Status { get; }

    public byte[] Body { get; }

    public string? Code => Text("/code");

    public string? ETag => this["ETag"];

    /// <summary>A header; null when absent.</summary>
    public string? this[string header] => headers.GetValueOrDefault(header);

    /// <summary>A cookie that the answer sets, as requests send it; null when it sets none of this name.</summary>
    public string? Cookie(string name) =>
        Regex.Match(this["Set-Cookie"] ?? "", $"(?<=^|, ){Regex.Escape(name)}=[^;]*") is { Success: true } found
            ? found.Value
            : null;

    /// <summary>A member of the JSON body by its pointer; null when absent.</summary>
    public JsonElement? At(string pointer)
    {
        var at = json;
        foreach (var step in pointer.Split('/').Skip(1))
            at = at switch
            {
                { ValueKind: JsonValueKind.Object } element when element.TryGetProperty(step, out var member) => member,
                { ValueKind: JsonValueKind.Array } element
                    when int.TryParse(step, out var index) && index < element.GetArrayLength() => element[index],
                _ => null,
            };
        return at;
    }

    /// <summary>A member as text: strings bare, all else as JSON.</summary>
    public string? Text(string pointer) =>
        At(pointer) is not { } element ? null
        : element.ValueKind is JsonValueKind.String ? element.GetString()
        : element.GetRawText();

    /// <summary>The pointers of all faults.</summary>
    public string[] Faults =>
        At("/errors") is { } errors
            ? [.. errors.EnumerateArray().Select(error => error.GetProperty("pointer").GetString()!)]
            : [];

    /// <summary>The codes of all faults.</summary>
    public string[] FaultCodes =>
        At("/errors") is { } errors
            ? [.. errors.EnumerateArray().Select(error => error.GetProperty("code").GetString()!)]
            : [];

    public override string ToString() =>
        $"{Status} {string.Join("; ", headers.Select(header => $"{header.Key}: {header.Value}"))}\n{Encoding.UTF8.GetString(Body)}";

    internal static async Task<Answer> ReadAsync(HttpRequestMessage request, HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsByteArrayAsync();
        var headers = response
            .Headers.NonValidated.Concat(response.Content.Headers.NonValidated)
            .ToDictionary(
                header => header.Key,
                header => string.Join(", ", header.Value),
                StringComparer.OrdinalIgnoreCase
            );
        var isJson =
            body.Length > 0
            && response.Content.Headers.ContentEncoding.Count is 0
            && response.Content.Headers.ContentType?.MediaType is { } type
            && type.EndsWith("json", StringComparison.Ordinal);
        var answer = new Answer(
            (int)response.StatusCode,
            headers,
            body,
            isJson ? JsonElement.Parse(body, new JsonDocumentOptions { MaxDepth = 128 }) : null
        );
        try
        {
            answer.CheckAlways(request);
            await ApiDocument.CheckAsync(request, response, body);
        }
        catch (Xunit.Sdk.XunitException e)
        {
            throw new InvalidOperationException(
                $"{request.Method} {request.RequestUri} breaks a promise of every answer: {e.Message}\n{answer}",
                e
            );
        }
        return answer;
    }

    void CheckAlways(HttpRequestMessage request)
    {
        var path = request.RequestUri!.AbsolutePath;
        Assert.Equal("nosniff", this["X-Content-Type-Options"]);
        Assert.Contains("default-src 'none'", this["Content-Security-Policy"]);
        Assert.Contains("frame-ancestors 'none'", this["Content-Security-Policy"]);
        Assert.Equal("no-referrer", this["Referrer-Policy"]);
        Assert.Equal("same-origin", this["Cross-Origin-Resource-Policy"]);
        Assert.NotNull(this["X-Request-Id"]);
        Assert.Contains("Accept-Encoding", this["Vary"]);
        Assert.Null(this["Server"]);
        Assert.Null(this["X-Powered-By"]);
        if (request.Method == HttpMethod.Head || Status is 204 or 304)
            Assert.Empty(Body);
        if (Status is 204 or 304)
            Assert.Null(this["Content-Type"]);
        if (Status is 401)
            Assert.StartsWith("Bearer", this["WWW-Authenticate"]);
        if (Status is 405)
            Assert.NotNull(this["Allow"]);
        if (Status is 429 or 503)
            Assert.NotNull(this["Retry-After"]);
        if (path.StartsWith("/api/v1", StringComparison.Ordinal))
        {
            // What a node does not take on is not counted.
            string[] uncounted =
            [
                ProblemType.Overloaded.Code,
                ProblemType.AccessUnknown.Code,
                ProblemType.LimitUnknown.Code,
            ];
            if (!uncounted.Contains(Code))
            {
                Assert.Matches(RateLimitPolicy(), this["RateLimit-Policy"]);
                Assert.Matches(RateLimitState(), this["RateLimit"]);
            }
            Assert.Matches("^(no-store|private, no-cache)$", this["Cache-Control"]);
        }
        if (
            path.EndsWith("/graphql", StringComparison.Ordinal)
            && this["Content-Type"] is "application/json" or "application/graphql-response+json"
        )
            CheckGraph();
        else if (
            Status >= 400
            && request.Method != HttpMethod.Head
            && !path.StartsWith("/health", StringComparison.Ordinal)
        )
            CheckProblem(path);
        // A schema is a document of its own, which tools read by its address.
        else if (
            path.StartsWith("/api/v1", StringComparison.Ordinal)
            && !path.EndsWith("/schema.json", StringComparison.Ordinal)
            && !path.EndsWith("/openapi.json", StringComparison.Ordinal)
            && json is not null
        )
            CheckEnvelope();
    }

    void CheckProblem(string path)
    {
        Assert.Equal("application/problem+json", this["Content-Type"]);
        Assert.Equal("no-store", this["Cache-Control"]);
        if (json is null)
            return;
        var type = Assert.Single(ProblemType.All.Append(Polls.PollsFeature.PollClosed), type => type.Code == Code);
        Assert.Equal(Status, type.Status);
        Assert.Equal((type.Uri, type.Title), (Text("/type"), Text("/title")));
        Assert.Equal(Status.ToString(CultureInfo.InvariantCulture), Text("/status"));
        Assert.Equal("false", Text("/success"));
        Assert.Equal(Text("/detail"), Text("/error"));
        Assert.NotEmpty(Text("/detail")!);
        Assert.Matches("^[0-9a-f]{32}$", Text("/traceId"));
        Assert.StartsWith("/", Text("/instance"));
        // Escapes and dots are resolved on the way.
        if (!path.Contains('%', StringComparison.Ordinal) && !path.Contains("..", StringComparison.Ordinal))
            Assert.Equal(path, Text("/instance"));
        if (Code == ProblemType.ValidationFailed.Code && At("/errors") is { } errors)
            foreach (var error in errors.EnumerateArray())
            {
                Assert.Equal(
                    ["pointer", "code", "detail"],
                    error.EnumerateObject().Select(member => member.Name).Where(name => name is not "position")
                );
                Assert.Matches("^(/|\\?|header:|$)", error.GetProperty("pointer").GetString());
                Assert.Matches("^[A-Z0-9_]+$", error.GetProperty("code").GetString());
            }
    }

    void CheckGraph()
    {
        if (json is null)
            return;
        Assert.Subset(
            new HashSet<string> { "data", "errors", "extensions" },
            json.Value.EnumerateObject().Select(member => member.Name).ToHashSet()
        );
        foreach (var error in At("/errors")?.EnumerateArray().ToArray() ?? [])
            Assert.Matches("^[A-Z0-9_]+$", error.GetProperty("extensions").GetProperty("code").GetString());
        Assert.Equal(this["Position"], Text("/extensions/position"));
    }

    void CheckEnvelope()
    {
        Assert.Equal(["success", "data", "meta"], json!.Value.EnumerateObject().Select(member => member.Name));
        Assert.Equal("true", Text("/success"));
        Assert.Equal(this["X-Request-Id"], Text("/meta/requestId"));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", Text("/meta/timestamp"));
        Assert.Equal(this["Position"], Text("/meta/position"));
    }

    [GeneratedRegex("""^"[a-z_]+";q=\d+;w=\d+$""")]
    private static partial Regex RateLimitPolicy();

    [GeneratedRegex("""^"[a-z_]+";r=\d+;t=\d+$""")]
    private static partial Regex RateLimitState();
}
