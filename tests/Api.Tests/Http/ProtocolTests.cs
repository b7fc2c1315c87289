using System.Net;
using System.Text;

namespace Resources.Api.Tests;

/// <summary>Methods, media types, sizes and addresses: what HTTP itself asks of a server.</summary>
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
    public async Task Other_methods_are_405_with_those_that_are_allowed(string path, string allowed)
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

    [Theory]
    [
        InlineData("GET", "/api/v1"),
        InlineData("GET", "/api/v1/"),
        InlineData("GET", "/api/v1/none"),
        InlineData("POST", "/api/v1/auth/none"),
        InlineData("GET", "/api/v1/auth/login"),
        InlineData("PATCH", "/api/v1/me"),
        InlineData("OPTIONS", "/api/v1/resources"),
        InlineData("GET", "/api/v1/resources/x/y/z"),
        InlineData("GET", "/none"),
        InlineData("GET", "/")
    ]
    public async Task A_guest_gets_401_wherever_nothing_is_open(string method, string path) =>
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
    public async Task Nothing_is_at_other_addresses(string path) =>
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
    public async Task An_answer_has_a_form_that_is_accepted(string accept, int status)
    {
        var answer = await backend.Admin.GetAsync("/api/v1/me", ("Accept", accept));
        Assert.Equal((status, status is 406 ? "NOT_ACCEPTABLE" : null), (answer.Status, answer.Code));
    }

    [Theory]
    [
        InlineData("POST", "/api/v1/resources", "application/json"),
        InlineData("PUT", "/api/v1/resources/{id}", "application/json"),
        InlineData("PATCH", "/api/v1/resources/{id}", "application/merge-patch+json, application/json-patch+json"),
        InlineData("POST", "/api/v1/users", "application/json")
    ]
    public async Task Other_media_types_are_415_with_those_that_are_taken(string method, string path, string taken)
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
                Caller.Content("{}"u8.ToArray(), type),
                ("If-Match", "*")
            );
            Assert.Equal((415, taken), (answer.Status, answer[method is "PATCH" ? "Accept-Patch" : "Accept-Post"]));
        }
        var encoded = await backend.Admin.SendAsync(
            method,
            path,
            Caller.Content("{}"u8.ToArray(), taken.Split(',')[0]),
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
    public async Task Media_types_are_read_as_HTTP_says(string type) =>
        Assert.Equal(
            201,
            (await backend.Admin.SendAsync("POST", "/api/v1/resources", """{"name":"typed"}""", type)).Status
        );

    [Theory, InlineData("PUT"), InlineData("PATCH")]
    public async Task What_is_missing_or_deleted_comes_before_its_media_type(string method)
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
    public async Task A_body_of_one_MiB_is_taken_and_a_larger_one_is_413()
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
            (await backend.Admin.SendAsync("POST", "/api/v1/resources", Caller.Content(Body(1 << 20)))).Status
        );

        var declared = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            Caller.Content(Body((1 << 20) + 1)),
            ("Expect", "100-continue")
        );
        Assert.Equal((413, "BODY_TOO_LARGE"), (declared.Status, declared.Code));

        var chunked = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            Caller.Content(Body((1 << 20) + 1)),
            ("Transfer-Encoding", "chunked")
        );
        Assert.Equal((413, "BODY_TOO_LARGE"), (chunked.Status, chunked.Code));
    }

    [Fact]
    public async Task Problems_are_published()
    {
        var problems = await backend.Guest.GetAsync("/problems");
        Assert.Equal(
            ProblemType.All.Select(type => type.Code),
            problems.At("")!.Value.EnumerateArray().Select(type => type.GetProperty("code").GetString())
        );
        Assert.Equal(ProblemType.All.Length, ProblemType.All.Select(type => type.Code).Distinct().Count());
    }

    [Fact]
    public async Task A_trace_is_continued_and_named()
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
    public async Task A_fault_of_the_server_says_nothing_of_itself_and_is_logged()
    {
        var answer = await backend.Admin.GetAsync(ApiNode.FaultPath);

        Assert.Equal((500, "INTERNAL_ERROR"), (answer.Status, answer.Code));
        var text = answer.ToString();
        foreach (
            var leak in new[] { ApiNode.Secret, nameof(InvalidOperationException), "Resources.Api", " at ", ".cs" }
        )
            Assert.DoesNotContain(leak, text, StringComparison.Ordinal);
        Assert.Contains(backend.Node.Errors, error =>
            error.Contains(ApiNode.Secret, StringComparison.Ordinal)
            && error.Contains(ApiNode.FaultPath, StringComparison.Ordinal)
        );
        Assert.Equal(200, (await backend.Admin.GetAsync("/health/ready")).Status);
    }
}
