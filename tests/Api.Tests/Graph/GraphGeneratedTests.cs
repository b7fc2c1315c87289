using System.Globalization;

namespace Resources.Api.Tests;

/// <summary>
/// Generated operations beside graphql-js and REST. <c>RESOURCES_OPERATIONS=100000</c> is the long form, and
/// <c>RESOURCES_SEED</c> repeats one.
/// </summary>
public sealed class GraphGeneratedTests(Backend backend, JavaScriptProgram programs) : GraphBackend(backend)
{
    static readonly string Count = Environment.GetEnvironmentVariable("RESOURCES_OPERATIONS") ?? "600";

    [Fact]
    public async Task Generated_operations_are_judged_as_by_graphql_js_and_answered_as_by_REST()
    {
        var (author, book) = (FreshName(), FreshName());
        Is(await DeclareAsync(Definition(author)), 201);
        Is(
            await DeclareAsync(
                Definition(
                    book,
                    """
                    {"type":"object","properties":{"price":{"type":"number"},"pages":{"type":"integer","maximum":9000,"minimum":0},"genre":{"enum":["poem","novel"]},
                    "author":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}},"place":{"type":"object","properties":{"city":{"type":"string"}}},"any":{}}}
                    """,
                    $$$"""
                    "indexed":["/metadata/price"],"references":{"/metadata/author":{"type":"{{{author}}}","inverse":"books"}}
                    """
                )
            ),
            201
        );
        var authors = new List<string>();
        for (var i = 0; i < 5; i++)
            authors.Add(await MadeAsync(author, "{}", name: $"n{i}"));
        for (var i = 0; i < 40; i++)
            await MadeAsync(
                book,
                $$$"""{"price":{{{i * 37 % 101}}}.50,"genre":"{{{(i % 2 is 0 ? "poem" : "novel")}}}","author":"{{{authors[i % 5]}}}","tags":["a"],"place":{"city":"c"},"any":[1]}""",
                name: $"n{i % 9}"
            );
        // The index of prices is there.
        await Eventually.HoldsAsync(async () =>
            (await Admin.GetAsync($"/api/v1/resources?type={book}&sort=metadata.price")).Status is 200
        );
        var seed = Environment.GetEnvironmentVariable("RESOURCES_SEED")
            ?? Random.Shared.Next().ToString(CultureInfo.InvariantCulture);
        TestContext.Current.SendDiagnosticMessage($"RESOURCES_SEED={seed}");
        var output = await programs.RunAsync(
            "graphql-generated.mjs",
            Backend.Server.Address.ToString().TrimEnd('/'),
            Admin.Token!,
            book,
            author,
            Count,
            seed
        );
        Assert.True(
            output.Trim() == $"0 of {Count} are wrong",
            $"RESOURCES_SEED={seed}: {output}\nThe server's errors:\n{string.Join('\n', Backend.Server.Errors)}"
        );
    }
}
