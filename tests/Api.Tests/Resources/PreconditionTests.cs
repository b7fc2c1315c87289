namespace Resources.Api.Tests;

/// <summary>
/// If-Match and If-None-Match (RFC 9110, section 13): every form, on reads and writes of a resource at version 2.
/// </summary>
[Trait("Conformance", "F1")]
[Trait("Conformance", "F2")]
[Trait("Conformance", "F3")]
public sealed class PreconditionTests(Backend backend)
{
    const string Merge = "application/merge-patch+json";

    static readonly (string Name, string Value, bool Fits, string? Fault)[] IfMatch =
    [
        ("If-Match", "\"2\"", true, null),
        ("If-Match", "*", true, null),
        ("If-Match", "\"1\", \"2\"", true, null),
        ("If-Match", "\"2-br\"", true, null),
        ("If-Match", "\"2-gzip\"", true, null),
        ("If-Match", "\"1\"", false, null),
        ("If-Match", "\"1\", \"3\"", false, null),
        ("If-Match", "W/\"2\"", false, null),
        ("If-Match", "\"02\"", false, null),
        ("If-Match", "\"2-zstd\"", false, null),
        ("If-Match", "\"x\"", false, null),
        ("If-Match", "\"99999999999999999999\"", false, null),
        ("If-Match", "2", false, "header:If-Match"),
        ("If-Match", "\"2", false, "header:If-Match"),
        ("If-Match", "\"2\" \"3\"", false, "header:If-Match"),
    ];

    static readonly (string Name, string Value, bool Fits, string? Fault)[] IfNoneMatch =
    [
        ("If-None-Match", "\"1\"", true, null),
        ("If-None-Match", "W/\"3\", \"x\"", true, null),
        ("If-None-Match", "\"2\"", false, null),
        ("If-None-Match", "W/\"2\"", false, null),
        ("If-None-Match", "\"1\", W/\"2-br\"", false, null),
        ("If-None-Match", "*", false, null),
        ("If-None-Match", "2", false, "header:If-None-Match"),
    ];

    public static TheoryData<Scenario> Rows =>
        [
            .. from header in IfMatch.Concat(IfNoneMatch)
            from method in new[] { "GET", "HEAD", "PATCH", "DELETE", "PUT" }
            where method is not "PUT" || header.Name is "If-Match"
            select Row(method, header.Name, header.Value, header.Fits, header.Fault),
            .. Orders,
        ];

    static Scenario[] Orders =>
        [
            Both("both fit", 200, "\"2\"", "\"1\""),
            Both("If-Match comes first", 412, "\"1\"", "\"2\""),
            Both("If-None-Match comes second", 304, "\"2\"", "\"2\""),
            new("a condition on a missing one", "PATCH", One, 404)
            {
                Given = Given.Missing,
                ContentType = Merge,
                Body = """{"name":"x"}""",
                Headers = [("If-Match", "\"1\"")],
                Code = "RESOURCE_NOT_FOUND",
            },
            new("a bad condition on a missing one", "PATCH", One, 404)
            {
                Given = Given.Missing,
                ContentType = Merge,
                Body = """{"name":"x"}""",
                Headers = [("If-Match", "1")],
                Code = "RESOURCE_NOT_FOUND",
            },
            new("a bad condition on a deleted one", "PUT", One, 410)
            {
                Given = Given.Deleted,
                Body = """{"name":"x"}""",
                Headers = [("If-Match", "1")],
                Code = "RESOURCE_DELETED",
            },
            new("a stale condition and a bad body", "PUT", One, 400)
            {
                Given = Given.Changed,
                Body = """{"name":1}""",
                Headers = [("If-Match", "\"1\"")],
                Code = "VALIDATION_FAILED",
                Faults = ["/name"],
            },
            new("no condition and a bad body", "PUT", One, 400) { Body = """{"name":1}""", Code = "VALIDATION_FAILED" },
            new("no condition and another media type", "PUT", One, 415)
            {
                Body = "x",
                ContentType = "text/plain",
                Code = "UNSUPPORTED_MEDIA_TYPE",
            },
            new("two conditions in two lines", "PATCH", One, 412)
            {
                Given = Given.Changed,
                ContentType = Merge,
                Body = """{"name":"x"}""",
                Headers = [("If-Match", "\"1\""), ("If-Match", "\"3\"")],
                Code = "VERSION_MISMATCH",
            },
            new("a stale condition and a patch that cannot apply", "PATCH", One, 412)
            {
                Given = Given.Changed,
                ContentType = "application/json-patch+json",
                Body = """[{"op":"remove","path":"/metadata/none"}]""",
                Headers = [("If-Match", "\"1\"")],
                Code = "VERSION_MISMATCH",
            },
            new("a stale condition and a patch of what may not be patched", "PATCH", One, 400)
            {
                Given = Given.Changed,
                ContentType = "application/json-patch+json",
                Body = """[{"op":"remove","path":"/id"}]""",
                Headers = [("If-Match", "\"1\"")],
                Code = "VALIDATION_FAILED",
            },
            new("a past version that is held", "GET", One + "?version=1", 304)
            {
                Given = Given.Changed,
                Headers = [("If-None-Match", "\"1\"")],
                Answers = [("ETag", "\"1\"")],
            },
            new("a past version while the newest is held", "GET", One + "?version=1", 200)
            {
                Given = Given.Changed,
                Headers = [("If-None-Match", "\"2\"")],
                Answers = [("ETag", "\"1\"")],
            },
        ];

    const string One = "/api/v1/resources/{id}";

    static Scenario Row(string method, string header, string value, bool fits, string? fault)
    {
        var reads = method is "GET" or "HEAD";
        var status = (fault, fits, reads, header) switch
        {
            (not null, _, _, _) => 400,
            (_, true, _, _) => method is "DELETE" ? 204 : 200,
            (_, _, true, "If-None-Match") => 304,
            _ => 412,
        };
        return new($"{method} {header}: {value}", method, One, status)
        {
            Given = Given.Changed,
            Headers = [(header, value)],
            ContentType = method is "PUT" ? "application/json" : Merge,
            Body = reads || method is "DELETE" ? null : """{"name":"new"}""",
            Code = method is "HEAD"
                ? null
                : status switch
                {
                    400 => "VALIDATION_FAILED",
                    412 => "VERSION_MISMATCH",
                    _ => null,
                },
            Faults = fault is null || method is "HEAD" ? null : [fault],
            Answers =
            [
                (
                    "ETag",
                    status switch
                    {
                        400 or 204 => null,
                        200 when !reads => "\"3\"",
                        304 when value.Contains("2-br", StringComparison.Ordinal) => "\"2-br\"",
                        _ => "\"2\"",
                    }
                ),
            ],
            Appends = (status, method) switch
            {
                (200, "PATCH") => ["resource.renamed"],
                (200, "PUT") => ["resource.replaced"],
                (204, _) => ["resource.deleted"],
                _ => [],
            },
        };
    }

    static Scenario Both(string name, int status, string ifMatch, string ifNoneMatch) =>
        new(name, "GET", One, status)
        {
            Given = Given.Changed,
            Headers = [("If-Match", ifMatch), ("If-None-Match", ifNoneMatch)],
            Code = status is 412 ? "VERSION_MISMATCH" : null,
        };

    [Theory, MemberData(nameof(Rows), DisableDiscoveryEnumeration = true)]
    public Task Preconditions_follow_RFC_9110(Scenario row) => row.RunAsync(backend);

    [Fact]
    [Trait("Conformance", "F6")]
    public async Task Of_ten_writers_with_the_same_version_one_wins()
    {
        var sample = await backend.CreateAsync();

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 10)
                .Select(i =>
                    backend.Admin.SendAsync(
                        "PUT",
                        sample.Path,
                        $$"""{"name":"writer {{i}}"}""",
                        headers: ("If-Match", "\"1\"")
                    )
                )
        );

        Assert.Equal([200, .. Enumerable.Repeat(412, 9)], answers.Select(answer => answer.Status).Order());
        Assert.All(answers, answer => Assert.Equal("\"2\"", answer.ETag));
        var winner = answers.Single(answer => answer.Status is 200).Text("/data/name");
        Assert.Equal(winner, (await backend.User.GetAsync(sample.Path)).Text("/data/name"));
        Assert.Equal(["resource.created", "resource.replaced"], await backend.EventsAsync(sample.Id));
    }

    [Fact]
    public async Task Unconditional_writers_never_get_a_conflict()
    {
        var sample = await backend.CreateAsync();

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 10)
                .Select(i =>
                    backend.Admin.SendAsync("PATCH", sample.Path, $$$"""{"metadata":{"m{{{i}}}":{{{i}}}}}""", Merge)
                )
        );

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(
            Enumerable.Range(2, 10).Select(version => $"\"{version}\""),
            answers.Select(answer => answer.ETag!).OrderBy(tag => tag.Length).ThenBy(tag => tag)
        );
        var now = await backend.User.GetAsync(sample.Path);
        for (var i = 0; i < 10; i++)
            Assert.Equal($"{i}", now.Text($"/data/metadata/m{i}"));
    }
}
