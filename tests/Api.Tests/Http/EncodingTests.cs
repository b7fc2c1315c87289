using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>Compressed responses, their ETags, and HEAD.</summary>
public sealed class EncodingTests(Backend backend)
{
    [Theory, InlineData("br"), InlineData("gzip")]
    [Trait("Conformance", "F4")]
    [Trait("Conformance", "F5")]
    public async Task Each_encoding_has_its_own_ETag_and_every_condition_accepts_it(string encoding)
    {
        var sample = await backend.CreateAsync();

        var answer = await backend.Admin.GetAsync(sample.Path, ("Accept-Encoding", encoding));

        Assert.Equal((encoding, $"\"1-{encoding}\""), (answer["Content-Encoding"], answer.ETag));
        Assert.Equal(
            "sample",
            JsonElement.Parse(Decode(encoding, answer.Body)).GetProperty("data").GetProperty("name").GetString()
        );
        var held = await backend.Admin.GetAsync(
            sample.Path,
            ("Accept-Encoding", encoding),
            ("If-None-Match", answer.ETag!)
        );
        Assert.Equal((304, answer.ETag), (held.Status, held.ETag));
        var written = await backend.Admin.SendAsync(
            "PUT",
            sample.Path,
            """{"name":"new"}""",
            "application/json",
            ("If-Match", answer.ETag!),
            ("Accept-Encoding", encoding)
        );
        Assert.Equal((200, $"\"2-{encoding}\""), (written.Status, written.ETag));
        var stale = await backend.Admin.SendAsync(
            "PUT",
            sample.Path,
            """{"name":"newer"}""",
            "application/json",
            ("If-Match", answer.ETag!)
        );
        Assert.Equal((412, "\"2\""), (stale.Status, stale.ETag));
    }

    [Fact]
    [Trait("Conformance", "E10")]
    public async Task Responses_with_secrets_are_not_compressed()
    {
        var login = await backend.Guest.SendAsync(
            "POST",
            "/api/v1/auth/login",
            $$"""{"email":"{{TestServer.AdminEmail}}","password":"{{TestServer.AdminPassword}}"}""",
            "application/json",
            ("Accept-Encoding", "br, gzip")
        );
        Assert.Equal((200, null), (login.Status, login["Content-Encoding"]));
    }

    [Fact]
    public async Task Problems_are_compressed()
    {
        var answer = await backend.Admin.GetAsync("/api/v1/none", ("Accept-Encoding", "gzip"));
        Assert.Equal((404, "gzip"), (answer.Status, answer["Content-Encoding"]));
        Assert.Equal("NOT_FOUND", JsonElement.Parse(Decode("gzip", answer.Body)).GetProperty("code").GetString());
    }

    [Theory]
    [
        InlineData("/api/v1/resources/{id}"),
        InlineData("/api/v1/resources/{id}?version=1"),
        InlineData("/api/v1/resources/{id}?fields=name"),
        InlineData("/api/v1/resources/{id}/events"),
        InlineData("/api/v1/resources?limit=1&type=headed")
    ]
    [
        InlineData("/api/v1/me"),
        InlineData("/api/v1/users?limit=1"),
        InlineData("/health/live"),
        InlineData("/health/ready"),
        InlineData("/openapi/v1.json"),
        InlineData("/docs/"),
        InlineData("/problems"),
        InlineData("/metrics")
    ]
    [InlineData("/api/v1/none"), InlineData("/api/v1/resources/none"), InlineData("/api/v1/resources?limit=0")]
    [Trait("Conformance", "E6")]
    public async Task HEAD_equals_GET_without_the_body(string path)
    {
        path = path.Replace("{id}", (await backend.CreateAsync()).Id.ToString(), StringComparison.Ordinal);
        foreach (var encoding in new[] { "identity", "br" })
        {
            var get = await backend.Admin.GetAsync(path, ("Accept-Encoding", encoding));
            var head = await backend.Admin.SendAsync("HEAD", path, null, headers: ("Accept-Encoding", encoding));

            Assert.Equal(get.Status, head.Status);
            Assert.NotEmpty(get.Body);
            foreach (
                var header in new[]
                {
                    "Content-Type",
                    "ETag",
                    "Cache-Control",
                    "Vary",
                    "RateLimit-Policy",
                    "Content-Encoding",
                }
            )
                Assert.Equal(WithoutPosition(get[header]), WithoutPosition(head[header]));
            Assert.Equal(WithoutNonce(get), WithoutNonce(head));
        }
    }

    /// <summary>The ETag without the log's position, which other tests move.</summary>
    static string? WithoutPosition(string? header) =>
        header?.StartsWith("W/", StringComparison.Ordinal) is true
            ? header[..header.IndexOf('-', StringComparison.Ordinal)]
            : header;

    static string WithoutNonce(Answer answer) =>
        Regex.Replace(answer["Content-Security-Policy"]!, "'nonce-[^']+'", "'nonce'");

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
