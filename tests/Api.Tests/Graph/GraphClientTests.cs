namespace Resources.Api.Tests;

/// <summary>Clients of GraphQL from npm.</summary>
public sealed class GraphClientTests(Backend backend, JavaScriptProgram programs) : GraphBackend(backend)
{
    Task<string> RunAsync(string what, string type = "") =>
        programs.RunAsync("graphql.mjs", what, Backend.Server.Address.ToString().TrimEnd('/'), Admin.Token!, type);

    [Fact]
    public async Task Audit_of_GraphQL_over_HTTP_finds_nothing() =>
        Assert.Equal("61 of 61", (await RunAsync("audit")).Trim());

    [Theory, InlineData("socket"), InlineData("sse")]
    public async Task Client_sees_every_event_in_order(string transport) =>
        Assert.Equal(
            "all events in order\ncounted 20",
            (await RunAsync(transport, FreshType())).Trim().ReplaceLineEndings("\n")
        );

    [Fact]
    public async Task Socket_is_closed_with_the_code_of_what_is_wrong() =>
        Assert.Equal(
            "20 of 20",
            (
                await programs.RunAsync(
                    "graphql-socket.mjs",
                    Backend.Server.Address.ToString().TrimEnd('/'),
                    Admin.Token!
                )
            ).Trim()
        );
}
