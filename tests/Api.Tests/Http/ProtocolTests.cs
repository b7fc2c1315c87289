using System.Net;
using System.Text;

namespace Resources.Api.Tests;

/// <summary>Methods, media types, sizes and paths: the rules of HTTP itself.</summary>
public sealed class ProtocolTests(Backend backend)
{
    const string Id = "01a20a5e-5daf-7e21-87e9-b98e29064227";

    [Theory]
    [
        InlineData("/api/v1/resources", "GET, HEAD, POST"),
        InlineData($"/api/v1/resources/{Id}", "DELETE, GET, HEAD, PATCH, PUT"),
        InlineData($"/api/v1/resources/{Id}/restore", "POST"),
        InlineData($"/api/v1/resources/{Id}/events", "GET, HEAD")
    ]
    [
        InlineData("/api/v1/me", "GET, HEAD"),
        InlineData("/api/v1/events/ws", "CONNECT, GET, HEAD"),
        InlineData("/api/v1/users", "GET, HEAD, POST"),
        InlineData("/api/v1/auth/login", "POST"),
        InlineData("/health/live", "GET, HEAD"),
        InlineData("/openapi/v1.json", "GET, HEAD"),
        InlineData("/problems", "GET, HEAD")
    ]
    [Trait("Conformance", "C5")]
    [Trait("Conformance", "E6")]
    public async Task Other_methods_get_405_with_the_allowed_ones(string path, string allowed)
    {
        foreach (
            var method in new[] { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND" }.Except(
                allowed.Split(", ")
            )
        )
        {
            var answer = await backend.Admin.SendAsync(method, path);
            Assert.True((405, "METHOD_NOT_ALLOWED") == (answer.Status, answer.Code), $"{method} {path}: {answer}");
            Assert.Equal(allowed, string.Join(", ", answer["Allow"]!.Split(", ").Order(StringComparer.Ordinal)));
        }
    }

    [Fact]
    [Trait("Conformance", "E2")]
    public async Task Bounds_of_the_request_line_and_of_headers_are_refused_with_a_problem()
    {
        var line = await backend.User.GetAsync($"/api/v1/resources?q={new string('a', 66_000)}");
        Assert.Equal((414, "URI_TOO_LONG"), (line.Status, line.Code));

        var large = await backend.User.GetAsync("/api/v1/resources", ("X-Large", new string('a', 33_000)));
        Assert.Equal((431, "HEADERS_TOO_LARGE"), (large.Status, large.Code));
        var many = await backend.User.GetAsync(
            "/api/v1/resources",
            [.. Enumerable.Range(0, 110).Select(i => ($"X-Header-{i}", "x"))]
        );
        Assert.Equal((431, "HEADERS_TOO_LARGE"), (many.Status, many.Code));
    }

    [Theory]
    [
        InlineData("GET", "/api/v1"),
        InlineData("GET", "/api/v1/"),
        InlineData("GET", "/api/v1/none"),
        InlineData("POST", "/api/v1/auth/none"),
        InlineData("PATCH", "/api/v1/me"),
        InlineData("OPTIONS", "/api/v1/resources"),
        InlineData("GET", "/api/v1/resources/x/y/z"),
        InlineData("GET", "/none")
    ]
    [Trait("Conformance", "C5")]
    public async Task Guest_gets_401_on_every_route_that_is_not_open(string method, string path) =>
        Assert.Equal(
            (401, "UNAUTHENTICATED"),
            (await backend.Guest.SendAsync(method, path)) is var answer ? (answer.Status, answer.Code) : default
        );

    [
        Theory,
        InlineData("/api/v1/none"),
        InlineData("/api/v1"),
        InlineData("/api/v2/resources"),
        InlineData("/none"),
        InlineData("/API/V1/none"),
        InlineData("/api/v1/resources/x/y/z")
    ]
    [Trait("Conformance", "C5")]
    public async Task Unknown_paths_get_404(string path) =>
        Assert.Equal("NOT_FOUND", (await backend.Admin.GetAsync(path)).Code);

    [Theory]
    [
        InlineData("text/html", 406),
        InlineData("application/xml, text/*;q=0.5", 406),
        InlineData("application/json;q=0", 406),
        InlineData("*/*, application/json;q=0", 406),
        InlineData("application/*;q=0.1", 200)
    ]
    [
        InlineData("text/html, */*;q=0.1", 200),
        InlineData("application/json; charset=utf-8", 200),
        InlineData("APPLICATION/JSON", 200)
    ]
    [Trait("Conformance", "D12")]
    public async Task Response_has_an_accepted_media_type(string accept, int status)
    {
        var answer = await backend.Admin.GetAsync("/api/v1/me", ("Accept", accept));
        Assert.Equal((status, status is 406 ? "NOT_ACCEPTABLE" : null), (answer.Status, answer.Code));
    }

    [Theory]
    [
        InlineData("POST", "/api/v1/resources", "application/json"),
        InlineData("PUT", "/api/v1/resources/{id}", "application/json"),
        InlineData(
            "PATCH",
            "/api/v1/resources/{id}",
            "application/merge-patch+json, application/json, application/json-patch+json, application/vnd.resources.patch+json"
        ),
        InlineData("PATCH", "/api/v1/users/{id}", "application/merge-patch+json, application/json"),
        InlineData("POST", "/api/v1/users", "application/json")
    ]
    [Trait("Conformance", "D12")]
    public async Task Other_media_types_get_415_with_the_accepted_ones(string method, string path, string taken)
    {
        var sample = await backend.CreateAsync();
        path = path.Replace("{id}", sample.Id.ToString(), StringComparison.Ordinal);
        foreach (
            var type in new[]
            {
                null,
                "text/plain",
                "application/xml",
                "application/json; charset=utf-16",
                "application/json; charset=utf-7",
                "application/jsonx",
                "json",
                "application/x-www-form-urlencoded",
            }
        )
        {
            var answer = await backend.Admin.SendAsync(
                method,
                path,
                ApiClient.Content("{}"u8.ToArray(), type),
                ("If-Match", "*")
            );
            Assert.Equal((415, taken), (answer.Status, answer[method is "PATCH" ? "Accept-Patch" : "Accept-Post"]));
        }
        var encoded = await backend.Admin.SendAsync(
            method,
            path,
            ApiClient.Content("{}"u8.ToArray(), taken.Split(',')[0]),
            ("Content-Encoding", "gzip")
        );
        Assert.Equal(415, encoded.Status);
        Assert.Equal(["resource.created"], await backend.EventsAsync(sample.Id));
    }

    [
        Theory,
        InlineData("application/json; charset=utf-8"),
        InlineData("application/json;charset=\"UTF-8\""),
        InlineData("Application/JSON"),
        InlineData("application/json; v=1")
    ]
    public async Task Media_types_are_parsed_as_HTTP_specifies(string type) =>
        Assert.Equal(
            201,
            (await backend.Admin.SendAsync("POST", "/api/v1/resources", """{"name":"typed"}""", type)).Status
        );

    [Theory, InlineData("PUT"), InlineData("PATCH")]
    public async Task Missing_or_deleted_resource_takes_precedence_over_the_media_type(string method)
    {
        Assert.Equal(
            404,
            (
                await backend.Admin.SendAsync(
                    method,
                    (await backend.CreateAsync(Given.Missing)).Path,
                    "x",
                    "text/plain"
                )
            ).Status
        );
        Assert.Equal(
            410,
            (
                await backend.Admin.SendAsync(
                    method,
                    (await backend.CreateAsync(Given.Deleted)).Path,
                    "x",
                    "text/plain"
                )
            ).Status
        );
        Assert.Equal(
            401,
            (await backend.Guest.SendAsync(method, (await backend.CreateAsync()).Path, "x", "text/plain")).Status
        );
        Assert.Equal(
            403,
            (await backend.User.SendAsync(method, (await backend.CreateAsync()).Path, "x", "text/plain")).Status
        );
    }

    [Fact]
    [Trait("Conformance", "D4")]
    [Trait("Conformance", "E2")]
    public async Task Body_of_1_MiB_is_accepted_and_a_larger_one_gets_413()
    {
        byte[] Body(int length) =>
            Encoding.UTF8.GetBytes(
                """{"name":"large","metadata":{"t":"TEXT"}}""".Replace(
                    "TEXT",
                    new string('x', length - 36),
                    StringComparison.Ordinal
                )
            );
        Assert.Equal(1 << 20, Body(1 << 20).Length);
        Assert.Equal(
            201,
            (await backend.Admin.SendAsync("POST", "/api/v1/resources", ApiClient.Content(Body(1 << 20)))).Status
        );

        var declared = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            ApiClient.Content(Body((1 << 20) + 1)),
            ("Expect", "100-continue")
        );
        Assert.Equal((413, "BODY_TOO_LARGE"), (declared.Status, declared.Code));

        var chunked = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            ApiClient.Content(Body((1 << 20) + 1)),
            ("Transfer-Encoding", "chunked")
        );
        Assert.Equal((413, "BODY_TOO_LARGE"), (chunked.Status, chunked.Code));
    }

    [Fact]
    [Trait("Conformance", "D15")]
    public async Task Problem_types_are_published()
    {
        var problems = await backend.Guest.GetAsync("/problems");
        Assert.Equal(
            ProblemType.All.Select(type => type.Code),
            problems.At("")!.Value.EnumerateArray().Select(type => type.GetProperty("code").GetString())
        );
        Assert.Equal(ProblemType.All.Length, ProblemType.All.Select(type => type.Code).Distinct().Count());
    }

    [Fact]
    public async Task Trace_is_continued_and_returned()
    {
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        var created = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            """{"name":"traced"}""",
            headers: ("traceparent", $"00-{Trace}-00f067aa0ba902b7-01")
        );
        Assert.Equal(
            Trace,
            (await backend.User.GetAsync(created["Location"]! + "/events")).Text("/data/0/correlationid")
        );
        Assert.Equal(
            Trace,
            (await backend.Admin.GetAsync("/api/v1/none", ("traceparent", $"00-{Trace}-00f067aa0ba902b7-01"))).Text(
                "/traceId"
            )
        );
    }

    [Fact]
    [Trait("Conformance", "D16")]
    public async Task Server_error_reveals_nothing_and_is_logged()
    {
        var answer = await backend.Admin.GetAsync(InProcessServer.FaultPath);

        Assert.Equal((500, "INTERNAL_ERROR"), (answer.Status, answer.Code));
        var text = answer.ToString();
        foreach (
            var leak in new[]
            {
                InProcessServer.FaultSecret,
                nameof(InvalidOperationException),
                "Resources.Api",
                " at ",
                ".cs",
            }
        )
            Assert.DoesNotContain(leak, text, StringComparison.Ordinal);
        Assert.Contains(backend.Server.Errors, error =>
            error.Contains(InProcessServer.FaultSecret, StringComparison.Ordinal)
            && error.Contains(InProcessServer.FaultPath, StringComparison.Ordinal)
        );
        Assert.Equal(200, (await backend.Admin.GetAsync("/health/ready")).Status);
    }
}
