using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Resources.Tests;

namespace Resources.Api.Tests;

/// <summary>The explorer of /graphql.</summary>
public sealed partial class GraphExplorerTests(Backend backend, JavaScriptProgram programs)
{
    [Fact]
    public async Task Explorer_signs_in_and_runs_operations_with_files_of_the_node_only()
    {
        await using var server = await backend.StartServerAsync(("GraphQl:Explorer", "true"));
        Assert.Equal(
            """{"refused":[],"hosts":[]}""",
            (
                await programs.RunAsync(
                    "graphql-explorer.mjs",
                    server.Address.ToString(),
                    TestServer.AdminEmail,
                    TestServer.AdminPassword,
                    Browser.Path()
                )
            ).Trim()
        );
    }

    [Fact]
    public async Task Files_have_addresses_of_their_content_and_need_not_be_asked_for_again()
    {
        await using var server = await backend.StartServerAsync(("GraphQl:Explorer", "true"));
        var guest = new ApiClient(server.Address);
        var page = await guest.GetAsync("/graphql");
        Assert.Equal((200, "text/html; charset=utf-8"), (page.Status, page["Content-Type"]));
        Assert.DoesNotContain("unsafe", page["Content-Security-Policy"], StringComparison.Ordinal);
        var files = Address().Matches(Encoding.UTF8.GetString(page.Body)).Select(match => match.Value).ToArray();
        Assert.Equal(2, files.Length);
        foreach (var file in files)
        {
            var answer = await guest.GetAsync(file, ("Accept-Encoding", "br"));
            Assert.Equal(
                (200, "public, max-age=31536000, immutable", "br"),
                (answer.Status, answer["Cache-Control"], answer["Content-Encoding"])
            );
        }
    }

    [Fact]
    public async Task Explorer_is_not_there_where_it_is_off()
    {
        await using var server = await backend.StartServerAsync(("GraphQl:Explorer", "false"));
        Assert.Equal(401, (await new ApiClient(server.Address).GetAsync("/graphql")).Status);
        Assert.Equal(404, (await (await server.AdminAsync()).GetAsync("/graphql")).Status);
    }

    [Fact]
    public async Task Explorer_is_off_outside_Development() =>
        Assert.Equal(404, (await backend.Admin.GetAsync("/graphql")).Status);

    /// <summary>What is served is what the sources in the repository make.</summary>
    [Fact]
    public async Task Files_are_made_of_their_sources()
    {
        using var directory = new TestDirectory();
        var sources = Path.Combine(Repository.Root, "src/Api/Graph/Explorer");
        foreach (var file in Directory.GetFiles(sources).Where(path => !path.EndsWith(".br", StringComparison.Ordinal)))
            File.Copy(file, Path.Combine(directory.Path, Path.GetFileName(file)));
        await Tool.RunAsync(directory.Path, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts");
        await Tool.RunAsync(directory.Path, "node", "build.mjs");
        foreach (var name in new[] { "explorer.js.br", "explorer.css.br" })
            Assert.Equal(Decompressed(Path.Combine(directory.Path, name)), Decompressed(Path.Combine(sources, name)));
    }

    static byte[] Decompressed(string path)
    {
        using var file = new BrotliStream(File.OpenRead(path), CompressionMode.Decompress);
        using var to = new MemoryStream();
        file.CopyTo(to);
        return to.ToArray();
    }

    [GeneratedRegex(@"/graphql/explorer\.[0-9a-f]{16}\.(js|css)")]
    private static partial Regex Address();
}
