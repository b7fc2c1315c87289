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

    [Theory, InlineData("apollo"), InlineData("urql")]
    public async Task Client_of_an_application_lists_pages_creates_and_subscribes(string client)
    {
        var type = FreshName();
        await DeclareAsync(Definition(type, """{"type":"object","properties":{"a":{"type":"string"}}}"""));
        Assert.Equal("listed, paged, created, subscribed", (await UseAsync(client, type)).Trim());
    }

    [Fact]
    public async Task Generators_take_the_schema_of_fifty_types()
    {
        var seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var random = new Random(seed);
        var type = "";
        for (var i = 0; i < 50; i++)
        {
            type = FreshName();
            var members = Enumerable
                .Range(0, random.Next(1, 12))
                .Select(at => $"\"{Names[random.Next(Names.Length)]}{at}\":{Schemas[random.Next(Schemas.Length)]}");
            var answer = await DeclareAsync(
                Definition(type, "{\"type\":\"object\",\"properties\":{" + string.Join(',', members) + "}}")
            );
            Assert.True(answer.Status is 201, $"seed {seed}: {answer}");
        }
        Assert.Equal(
            "no difference between text and introspection, types compile, Relay compiles",
            string.Join(
                ", ",
                (await UseAsync("generators", type))
                    .Trim()
                    .Split('\n')
                    .Where(line => !IsOfRelay(line))
                    .Select(line => line.Trim())
            )
        );
    }

    static readonly string[] Names = ["a", "b-c", "b_c", "1x", "__y", "größe", "type", "id", "n ame", "😀"];

    static readonly string[] Schemas =
    [
        """{"type":"string"}""",
        """{"type":"string","format":"date-time"}""",
        """{"type":"integer","minimum":0,"maximum":50}""",
        """{"type":"integer"}""",
        """{"type":["string","null"]}""",
        """{"enum":["red","green"]}""",
        """{"enum":["not a name",3]}""",
        """{"type":"array","items":{"type":"number"}}""",
        """{"type":"object","properties":{"x":{"type":"boolean"},"y":{"type":"object","properties":{"z":{}}}}}""",
        """{"anyOf":[{"type":"string"},{"type":"number"}]}""",
        "{}",
    ];

    /// <summary>What the compiler of Relay says on its way.</summary>
    static bool IsOfRelay(string line) => line.Contains("[INFO]", StringComparison.Ordinal) || line.Trim() is "";

    Task<string> UseAsync(string what, string type) =>
        programs.RunAsync(
            "graphql-clients.mjs",
            what,
            Backend.Server.Address.ToString().TrimEnd('/'),
            Admin.Token!,
            type
        );
}
