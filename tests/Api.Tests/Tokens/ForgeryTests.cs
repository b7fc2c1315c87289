using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Resources.Api.Tests;

/// <summary>
/// Tokens forged with the libraries of others, and what those make of the tokens of the server.
/// </summary>
public sealed class ForgeryTests(Backend backend, JavaScriptProgram node)
{
    [Fact]
    [Trait("Conformance", "B1")]
    [Trait("Conformance", "B2")]
    [Trait("Conformance", "B3")]
    [Trait("Conformance", "B4")]
    [Trait("Conformance", "B5")]
    public async Task Every_forged_token_is_refused_without_an_outbound_request()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        var key = (
            await session.Caller.SendAsync(
                "POST",
                "/api/v1/api-keys",
                """{"name":"k","permissions":["resource:read"]}"""
            )
        ).Text("/data/key")!;
        var signing = backend.Server.Services.GetRequiredService<SigningKeys>().All[0].Key.ECDsa;
        var output = JsonElement.Parse(
            await node.RunAsync(
                "forge.mjs",
                $"{backend.Server.Address}",
                session.Caller.Token!,
                session.RefreshToken,
                key,
                Convert.ToBase64String(signing.ExportPkcs8PrivateKey())
            )
        );

        var forged = output.GetProperty("forged").EnumerateObject().ToArray();
        Assert.True(forged.Length >= 50);
        Assert.All(forged, each =>
            Assert.Equal(
                $$"""{{each.Name}} {"status":401,"challenge":"Bearer error=\"invalid_token\"","code":"UNAUTHENTICATED"}""",
                $"{each.Name} {each.Value.GetRawText()}"
            )
        );
        Assert.Equal((401, 0), (output.GetProperty("stream").GetInt32(), output.GetProperty("calls").GetInt32()));
        Assert.Equal(
            (200, 200, true),
            (
                output.GetProperty("good").GetInt32(),
                output.GetProperty("signedAgain").GetInt32(),
                output.GetProperty("verified").GetBoolean()
            )
        );
        Assert.Equal(
            """{"cache":"public, max-age=30","members":["alg","crv","kid","kty","use","x","y"]}""",
            output.GetProperty("jwks").GetRawText()
        );
        Assert.InRange(output.GetProperty("slowest").GetDouble(), 0, 1_000);
        Assert.DoesNotContain(backend.Server.Errors, error => error.Contains("JsonWebToken", StringComparison.Ordinal));
    }
}
