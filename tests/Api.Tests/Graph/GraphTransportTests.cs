using System.Net.WebSockets;
using System.Text;

namespace Resources.Api.Tests;

/// <summary>What is refused before an operation is run: forms, cookies, origins, and a schema that is not shown.</summary>
public sealed class GraphTransportTests(Backend backend) : GraphBackend(backend)
{
    const string Path = "/api/v1/graphql";

    const string Mutation = """{"query":"mutation { createResource(input: {name: \"x\"}) { position } }"}""";

    [Theory]
    [
        InlineData("application/x-www-form-urlencoded"),
        InlineData("text/plain"),
        InlineData("multipart/form-data; boundary=x"),
        InlineData("application/graphql")
    ]
    [Trait("Conformance", "G5")]
    public async Task Body_that_a_form_could_send_is_refused(string type)
    {
        var answer = await Admin.SendAsync("POST", Path, Mutation, type);
        Assert.Equal((415, "UNSUPPORTED_MEDIA_TYPE"), (answer.Status, answer.Code));
    }

    [Fact]
    [Trait("Conformance", "G5")]
    public async Task Cookie_needs_its_token()
    {
        var person = await Backend.CreatePersonAsync("user");
        var (cookie, csrf, _) = await person.LoginByCookieAsync();
        var refused = await person.Guest.SendAsync("POST", Path, Mutation, headers: ("Cookie", cookie));
        Assert.Equal((403, "CSRF_REJECTED"), (refused.Status, refused.Code));
        var taken = await person.Guest.SendAsync(
            "POST",
            Path,
            """{"query":"{ me { id } }"}""",
            "application/json",
            ("Cookie", cookie),
            ("X-CSRF-Token", csrf)
        );
        Assert.Equal(200, taken.Status);
        Assert.NotNull(taken.Text("/data/me/id"));
    }

    [Theory, InlineData("https://evil.example"), InlineData("null")]
    [Trait("Conformance", "G5")]
    public async Task Page_of_another_origin_opens_no_socket(string origin)
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", origin);
        socket.Options.AddSubProtocol("graphql-transport-ws");
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() =>
            socket.ConnectAsync(
                new UriBuilder(Backend.Server.Address) { Scheme = "ws", Path = Path }.Uri,
                TestContext.Current.CancellationToken
            )
        );
        Assert.Equal(403, (int)socket.HttpStatusCode);
    }

    [Fact]
    [Trait("Conformance", "G5")]
    public async Task Mutation_is_not_sent_by_GET()
    {
        var answer = await Admin.GetAsync(
            $"{Path}?query={Uri.EscapeDataString("mutation { createResource(input: {name: \"x\"}) { position } }")}"
        );
        Assert.Equal((405, "POST"), (answer.Status, answer["Allow"]));
    }

    [Fact]
    [Trait("Conformance", "G2")]
    public async Task Operations_are_not_sent_in_batches()
    {
        var answer = await Admin.SendAsync("POST", Path, """[{"query":"{ __typename }"}]""");
        Is(answer, 400, "VALIDATION_FAILED", "");
    }

    [Theory]
    [
        InlineData(
            "application/graphql-response+json, application/json, text/event-stream",
            "application/graphql-response+json"
        ),
        InlineData("application/json, text/event-stream", "application/json"),
        InlineData("application/json;q=0.5, text/event-stream", "text/event-stream"),
        InlineData("text/event-stream", "text/event-stream")
    ]
    public async Task Single_answer_is_a_stream_only_where_that_is_preferred(string accept, string type)
    {
        var answer = await Admin.SendAsync("POST", Path, """{"query":"{ __typename }"}""", headers: ("Accept", accept));
        Assert.Equal((200, type), (answer.Status, answer["Content-Type"]!.Split(';')[0]));
    }

    [Fact]
    [Trait("Conformance", "G4")]
    public async Task Schema_is_hidden_where_that_is_asked_for()
    {
        await using var server = await Backend.StartServerAsync(("GraphQl:Introspection", "off"));
        var admin = await server.AdminAsync();
        foreach (var query in new[] { "{ __schema { types { name } } }", """{ __type(name: \"Query\") { name } }""" })
        {
            var refused = await admin.SendAsync("POST", Path, $$"""{"query":"{{query}}"}""");
            Assert.Equal("FORBIDDEN", refused.Text("/errors/0/extensions/code"));
            Assert.Null(refused.At("/data"));
        }
        Is(await admin.GetAsync($"{Path}/schema.graphql"), 403, "FORBIDDEN");
        var shown = await admin.SendAsync("POST", Path, """{"query":"{ __typename }"}""");
        Assert.Equal("Query", shown.Text("/data/__typename"));
    }

    [Fact]
    [Trait("Conformance", "G6")]
    public async Task Errors_repeat_nothing_that_was_sent()
    {
        const string Secret = "s3cr3tW0rd";
        foreach (
            var query in new[]
            {
                $"{{ {Secret} }}",
                $"{{ resource(id: \"{Secret}\", version: \"{Secret}\") {{ id }} }}",
                $"{{ resources(filter: \"{Secret} ~ 1\") {{ nodes {{ id }} }} }}",
                $"query(${Secret}: Int!) {{ __typename }}",
                $"{{ resources(first: {Secret}) {{ nodes {{ id }} }} }}",
                $"{{ __typename @{Secret} }}",
                $"{{ {Secret}",
            }
        )
        {
            var answer = await AskAsync(query);
            Assert.NotNull(answer.At("/errors/0"));
            Assert.DoesNotContain(Secret, Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
        }
    }
}
