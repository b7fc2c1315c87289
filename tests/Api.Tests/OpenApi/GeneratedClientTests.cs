namespace Resources.Api.Tests;

/// <summary>Clients that are generated from the OpenAPI document compile, and their types fit the answers.</summary>
public sealed class GeneratedClientTests(Backend backend, JavaScriptProgram javaScript)
{
    const string Generator = "node_modules/openapi-typescript/bin/cli.js";
    const string Compiler = "node_modules/typescript/bin/tsc";

    [Fact]
    public async Task Strict_TypeScript_client_creates_lists_patches_and_reads_metadata()
    {
        await javaScript.RunAsync(Generator, $"{backend.Server.Address}openapi/v1.json", "--output", "api.d.ts");
        await javaScript.RunAsync(Compiler, "--project", ".");
        Assert.Equal(
            "ok",
            (
                await javaScript.RunAsync(
                    "typed.js",
                    backend.Server.Address.GetLeftPart(UriPartial.Authority),
                    TestServer.AdminEmail,
                    TestServer.AdminPassword
                )
            ).Trim()
        );
    }

    [Fact]
    public async Task Client_of_NSwag_creates_lists_patches_and_reads_metadata()
    {
        using var client = new CSharpClient();
        await Tool.RunAsync(
            Repository.Root,
            "dotnet",
            "nswag",
            "openapi2csclient",
            $"/input:{await client.DescribeAsync(backend.Guest)}",
            $"/output:{Path.Combine(client.Path, "Client.cs")}",
            "/namespace:Generated",
            "/className:Client",
            "/jsonLibrary:SystemTextJson",
            "/generateNullableReferenceTypes:true",
            "/generateOptionalPropertiesAsNullable:true"
        );
        await client.RunAsync("NSwagCaller.cs", backend.Server.Address);
    }

    [Fact]
    public async Task Client_of_Kiota_creates_lists_patches_and_reads_metadata()
    {
        using var client = new CSharpClient();
        await Tool.RunAsync(
            Repository.Root,
            "dotnet",
            "kiota",
            "generate",
            "--language",
            "CSharp",
            "--openapi",
            await client.DescribeAsync(backend.Guest),
            "--output",
            Path.Combine(client.Path, "kiota"),
            "--namespace-name",
            "Generated",
            "--class-name",
            "Client",
            "--exclude-backward-compatible"
        );
        await client.RunAsync("KiotaCaller.cs", backend.Server.Address);
    }
}
