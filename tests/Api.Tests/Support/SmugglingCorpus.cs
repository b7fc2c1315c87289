namespace Resources.Api.Tests;

/// <summary>
/// Requests about whose end two readers may disagree. Each is complete, and holds what some reader would take for a second
/// request.
/// </summary>
static class SmugglingCorpus
{
    public const string Node = "the node";
    public const string Balancer = "the balancer";

    const string Second = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const string Chunks = "2\r\n{}\r\n0\r\n\r\n";

    public static readonly (string Name, string Request)[] All =
    [
        (
            "length and chunks",
            Post($"Content-Length: {Second.Length + 5}\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + Second)
        ),
        (
            "chunks and length",
            Post($"Transfer-Encoding: chunked\r\nContent-Length: {Second.Length + 5}", "0\r\n\r\n" + Second)
        ),
        (
            "chunks and a length within",
            Post("Transfer-Encoding: chunked\r\nContent-Length: 4", $"{Second.Length:x}\r\n{Second}\r\n0\r\n\r\n")
        ),
        ("two lengths", Post($"Content-Length: {Second.Length + 2}\r\nContent-Length: 2", "{}" + Second)),
        ("two equal lengths", Post("Content-Length: 2\r\nContent-Length: 2", "{}")),
        ("a list of lengths", Post("Content-Length: 2, 2", "{}" + Second)),
        ("a length with a sign", Post("Content-Length: +2", "{}" + Second)),
        ("a negative length", Post("Content-Length: -1", Second)),
        ("a length of base 16", Post("Content-Length: 0x2", "{}" + Second)),
        ("a length with a gap", Post("Content-Length: 0 2", "{}" + Second)),
        ("an empty length", Post("Content-Length: ", Second)),
        ("a length beyond all numbers", Post("Content-Length: 18446744073709551618", "{}" + Second)),
        ("a space before the colon", Post("Content-Length : 2", "{}" + Second)),
        ("a space before the colon of chunks", Post("Transfer-Encoding : chunked", Chunks + Second)),
        ("a folded length", Post("X-Folded: x\r\n Content-Length: 2", Second)),
        ("folded chunks", Post("Transfer-Encoding:\r\n chunked", Chunks)),
        ("an unknown coding", Post("Transfer-Encoding: xchunked", Chunks + Second)),
        ("chunks that are not last", Post("Transfer-Encoding: chunked, identity", Chunks + Second)),
        ("chunks twice", Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", Chunks + Second)),
        ("a vertical tab before chunks", Post("Transfer-Encoding: \vchunked", Chunks + Second)),
        ("quoted chunks", Post("Transfer-Encoding: \"chunked\"", Chunks + Second)),
        ("a tab before chunks", Post("Transfer-Encoding:\tchunked", Chunks)),
        ("a chunk of FFFFFFFF", Chunked($"FFFFFFFF\r\n{Second}")),
        ("a chunk of 100000000", Chunked($"100000000\r\n{Second}")),
        ("a chunk of 17 digits", Chunked($"FFFFFFFFFFFFFFFFF\r\n{Second}")),
        ("a chunk that wraps around", Chunked($"10000000000000002\r\n{{}}\r\n0\r\n\r\n{Second}")),
        ("a chunk with a sign", Chunked($"+2\r\n{{}}\r\n0\r\n\r\n{Second}")),
        ("a negative chunk", Chunked($"-2\r\n{{}}\r\n0\r\n\r\n{Second}")),
        ("a chunk with a prefix", Chunked($"0x2\r\n{{}}\r\n0\r\n\r\n{Second}")),
        ("a chunk that is longer than it says", Chunked($"2\r\n{{}}{Second}")),
        ("a line feed alone behind an extension", Chunked($"2;x\n{{}}\r\n0\r\n\r\n{Second}")),
        ("a carriage return alone behind a size", Chunked($"2\r{{}}\r\n0\r\n\r\n{Second}")),
        ("a length among the trailers", Chunked($"2\r\n{{}}\r\n0\r\nContent-Length: {Second.Length}\r\n\r\n")),
        ("chunks in HTTP/1.0", Post("Transfer-Encoding: chunked", Chunks + Second, version: "1.0")),
        ("a carriage return alone in a header", Post("X-Bare: x\rContent-Length: 2", Second)),
        ("NUL in a header", Post("X-Nul: x\0\r\nContent-Length: 2", "{}" + Second)),
        (
            "a body of a read",
            $"GET /health/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: {Second.Length}\r\n\r\n{Second}"
        ),
        ("two hosts", Post("Host: elsewhere\r\nContent-Length: 2", "{}")),
        ("a fragment of a request line", $"GET /health/live HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n{Second}"),
    ];

    static string Chunked(string body) => Post("Transfer-Encoding: chunked", body);

    static string Post(string headers, string body, string version = "1.1") =>
        $"POST /api/v1/auth/refresh HTTP/{version}\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{body}";

    /// <summary>
    /// What a reader takes for two requests, against the letter of the standard. Whoever stands behind it gets them as two,
    /// so that nobody is deceived.
    /// </summary>
    public static readonly (string Reader, string Name)[] TakenForTwo =
    [
        (Node, "a length with a sign"),
        (Balancer, "a line feed alone behind an extension"),
    ];

    /// <summary>Whether a reader has answered as it should: once at most, and never as if the fault were its own.</summary>
    public static bool IsRight(string reader, string name, int[] statuses) =>
        statuses.Length <= (TakenForTwo.Contains((reader, name)) ? 2 : 1)
        // 501 is what nginx says of a transfer coding that it does not know.
        && statuses.All(status => status < 500 || reader is Balancer && status is 501);

    /// <summary>Sends one, and then an ordinary request on the same connection and on another.</summary>
    /// <returns>The statuses of the answers, without those of the ordinary requests.</returns>
    public static async Task<int[]> SendAsync(Uri address, string request)
    {
        using var connection = await RawConnection.OpenAsync(address);
        await connection.SendAsync(request);
        await connection.StatusAsync();
        var isOpen = await FollowAsync(connection);
        var statuses = connection.Statuses;

        using var next = await RawConnection.OpenAsync(address);
        Assert.True(await FollowAsync(next), $"The next request got {next.Received}");
        Assert.Equal([401], next.Statuses);
        return isOpen ? statuses[..^1] : statuses;
    }

    /// <summary>Sends an ordinary request, and reads up to its answer; false if the server has closed.</summary>
    static async Task<bool> FollowAsync(RawConnection connection)
    {
        var path = $"/api/v1/follows-{Guid.NewGuid():n}";
        await connection.SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return await connection.ReadUntilAsync(() =>
            connection.Received.Contains($"\"instance\":\"{path}\"", StringComparison.Ordinal)
        );
    }
}
