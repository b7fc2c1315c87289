namespace Resources.Api.Tests;

/// <summary>Requests about whose end two readers may disagree, as they are.</summary>
[Trait("Conformance", "E1")]
public sealed class SmugglingTests(Backend backend)
{
    public static TheoryData<string> Names => [.. SmugglingCorpus.All.Select(row => row.Name)];

    [Theory, MemberData(nameof(Names))]
    public async Task Ambiguous_request_gets_one_answer_that_blames_the_client(string name)
    {
        var statuses = await SmugglingCorpus.SendAsync(
            backend.Server.Address,
            SmugglingCorpus.All.Single(row => row.Name == name).Request
        );
        Assert.True(SmugglingCorpus.IsRight(SmugglingCorpus.Node, name, statuses), string.Join(", ", statuses));
    }

    [Theory, InlineData("FFFFFFFF"), InlineData("100000000"), InlineData("FFFFFFFFFFFFFFFFF")]
    [Trait("Conformance", "D15")]
    public async Task Impossible_chunk_is_told_as_an_invalid_request_and_ends_the_connection(string size)
    {
        using var connection = await RawConnection.OpenAsync(backend.Server.Address);
        await connection.SendAsync(
            "POST /api/v1/auth/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + $"Transfer-Encoding: chunked\r\n\r\n{size}\r\n{{}}\r\n"
        );
        await connection.ReadToEndAsync();
        Assert.Equal([400], connection.Statuses);
        Assert.Contains("\"code\":\"VALIDATION_FAILED\"", connection.Received, StringComparison.Ordinal);
    }
}
