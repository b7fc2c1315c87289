using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Resources.Api.Tests;

/// <summary>
/// Ten thousand malformed requests from a seeded generator. The server never fails, and every refusal is a problem
/// document, which <see cref="Answer"/> checks. <c>MALFORMED_SEED</c> repeats a run.
/// </summary>
[Trait("Conformance", "D6")]
[Trait("Conformance", "D8")]
public sealed class MalformedRequestTests(Backend backend, ITestOutputHelper output)
{
    const int Requests = 10_000;
    const int Senders = 4;

    static readonly string[] Methods =
    [
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "TRACE",
        "PROPFIND",
        "get",
        "X",
    ];
    static readonly string[] Types =
    [
        "application/json",
        "application/merge-patch+json",
        "application/json-patch+json",
        "text/plain",
        "application/json; charset=utf-16",
        "application/json;;",
        "/",
        "multipart/form-data",
    ];
    static readonly string[] Texts =
    [
        "",
        "0",
        "-1",
        "1",
        "2",
        "*",
        "null",
        "99999999999999999999",
        "1e400",
        "%00",
        "%ff",
        "%F0%9F%98%80",
        "%2e%2e%2f",
        "'",
        "\"",
        "%22",
        "{}",
        "[]",
        "a,b",
        "metadata.",
        "metadata.a.b",
        "name",
        "..",
        "%25",
        "+",
        "~",
        "$",
        "2026-01-01T00:00:00Z",
        "9999-99-99T99:99:99Z",
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-14:00",
        "resource",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "________________________________",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ];
    static readonly string[] Names =
    [
        "version",
        "at",
        "fields",
        "limit",
        "cursor",
        "after",
        "type",
        "status",
        "owner",
        "x",
        "",
        "version[]",
        "%00",
        "Limit",
    ];
    static readonly string[] Headers =
    [
        "If-Match",
        "If-None-Match",
        "Idempotency-Key",
        "Accept",
        "Accept-Encoding",
        "Content-Encoding",
        "Authorization",
        "Range",
        "If-Modified-Since",
        "If-Range",
        "Cookie",
        "X-HTTP-Method-Override",
        "X-Forwarded-For",
        "traceparent",
        "Last-Event-ID",
        "Origin",
        "Content-Language",
    ];
    static readonly string[] Values =
    [
        "",
        "*",
        "\"1\"",
        "W/\"1\"",
        "1",
        "\"",
        "\"1\", *",
        ",,,",
        "\"\"",
        "br",
        "gzip;q=0",
        "identity;q=0, *;q=0",
        "*/*;q=2",
        "text/html",
        "application/json;q=nan",
        "Bearer x",
        "Basic",
        "bytes=0-",
        "00-x",
        "\\",
        "\"\\\"",
        ";",
        "=",
        "a=b; c",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "\"99999999999999999999\"",
        "\"0\"",
        "\"-1\"",
    ];
    static readonly string[] Bodies =
    [
        """{"name":"malformed","metadata":{"a":[1,2.5,null,true,"x"]}}""",
        """{"name":"malformed","type":"t","status":"s"}""",
        """{"metadata":{"a":null},"status":"new"}""",
        """[{"op":"add","path":"/metadata/a/-","value":1},{"op":"test","path":"/name","value":"x"}]""",
        """[{"op":"move","from":"/metadata/a","path":"/metadata/b"},{"op":"copy","from":"/metadata","path":"/metadata/c"}]""",
        """{"email":"malformed@example.org","password":"fifteen letters","roles":["user"]}""",
        "{}",
        "[]",
        "null",
        "\"\"",
        "0",
    ];
    static readonly byte[][] Pieces =
    [
        [0],
        [0xFF],
        [0xC3],
        [0xED, 0xA0, 0x80],
        [0xEF, 0xBB, 0xBF],
        .. new[]
        {
            "\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\\u0000",
            "\\ud800",
            "\\",
            "1e999",
            "-",
            "null",
            "\"name\":",
            "/metadata",
            "~2",
            "\n",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    [Fact]
    public async Task Ten_thousand_malformed_requests_cause_no_server_error()
    {
        var seed = int.TryParse(
            Environment.GetEnvironmentVariable("MALFORMED_SEED"),
            CultureInfo.InvariantCulture,
            out var given
        )
            ? given
            : Random.Shared.Next();
        output.WriteLine($"MALFORMED_SEED={seed}");
        var samples = new[]
        {
            await backend.CreateAsync(),
            await backend.CreateAsync(Given.Changed),
            await backend.CreateAsync(Given.Deleted),
            await backend.CreateAsync(Given.Missing),
        };
        var started = Stopwatch.GetTimestamp();

        var statuses = await Task.WhenAll(
            Enumerable.Range(0, Senders).Select(sender => SendAsync(seed + sender, samples))
        );

        var counts = statuses
            .SelectMany(status => status)
            .GroupBy(status => status)
            .OrderBy(group => group.Key)
            .Select(group => $"{group.Key}: {group.Count()}");
        output.WriteLine($"{string.Join(", ", counts)} in {Stopwatch.GetElapsedTime(started)}");
    }

    async Task<List<int>> SendAsync(int seed, Sample[] samples)
    {
        var random = new Random(seed);
        var statuses = new List<int>();
        for (var i = 0; i < Requests / Senders; i++)
        {
            var caller = random.Next(10) switch
            {
                0 => backend.Guest,
                1 => backend.User,
                _ => backend.Admin,
            };
            var method = Pick(random, Methods);
            var path = Path(random, samples);
            var body = random.Next(4) is 0
                ? null
                : ApiClient.Content(
                    Mutate(random, Encoding.UTF8.GetBytes(Pick(random, Bodies))),
                    random.Next(3) is 0 ? Pick(random, Types) : Pick(random, Types[..3])
                );
            var headers = Enumerable
                .Range(0, random.Next(4))
                .Select(_ => (Pick(random, Headers), Pick(random, Values)))
                .DistinctBy(header => header.Item1)
                .ToArray();
            // A body is needed to carry the headers that describe one; TRACE may have none.
            if (method is "TRACE")
                body = null;
            if (body is null)
                headers = [.. headers.Where(header => !header.Item1.StartsWith("Content-", StringComparison.Ordinal))];
            var request = $"{method} {path} {string.Join("; ", headers)}";
            try
            {
                var answer = await caller.SendAsync(method, path, body, headers);
                Assert.True(answer.Status < 500, $"{request}: {answer}");
                statuses.Add(answer.Status);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                throw new InvalidOperationException($"Request {i} of seed {seed}: {request}", e);
            }
        }
        return statuses;
    }

    static string Path(Random random, Sample[] samples)
    {
        var id = random.Next(5) is 0 ? Pick(random, Texts) : Pick(random, samples).Id.ToString();
        var path = Pick(
                random,
                [
                    "/resources",
                    "/resources/{id}",
                    "/resources/{id}",
                    "/resources/{id}",
                    "/resources/{id}/events",
                    "/resources/{id}/restore",
                    "/me",
                    "/users",
                    "/auth/login",
                    "/none",
                    "/resources/{id}/none",
                    "//",
                    "/resources/{id}/",
                ]
            )
            .Replace("{id}", id, StringComparison.Ordinal);
        // %00 in a path and broken escapes end in the listener itself, without a body.
        path = "/api/v1" + path.Replace("%00", "%01", StringComparison.Ordinal);
        var query = string.Join(
            '&',
            Enumerable
                .Range(0, random.Next(4) is 0 ? random.Next(1, 4) : 0)
                .Select(_ => $"{Pick(random, Names)}={Pick(random, Texts)}")
        );
        return query is "" ? path : $"{path}?{query}";
    }

    static byte[] Mutate(Random random, byte[] body)
    {
        var bytes = body.ToList();
        for (var i = random.Next(4); i > 0; i--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(4))
            {
                case 0:
                    bytes.InsertRange(at, Pick(random, Pieces));
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(random.Next(4), bytes.Count - at));
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(20), bytes.Count - at)));
                    break;
                default:
                    if (at < bytes.Count)
                        bytes[at] = (byte)random.Next(256);
                    break;
            }
        }
        return [.. bytes];
    }

    static T Pick<T>(Random random, T[] from) => from[random.Next(from.Length)];
}
