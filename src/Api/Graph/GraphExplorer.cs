using System.IO.Compression;
using System.Security.Cryptography;

namespace Resources.Api;

/// <summary>
/// The page of <c>/graphql</c>: GraphiQL, made of files of this node only. <c>Explorer/build.mjs</c> makes them.
/// </summary>
static class GraphExplorer
{
    const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self' data:; "
        + "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'";

    public static void MapExplorer(this IEndpointRouteBuilder root)
    {
        var script = MapFile(root, "explorer.js", "text/javascript; charset=utf-8");
        var style = MapFile(root, "explorer.css", "text/css; charset=utf-8");
        var page = $"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>GraphQL</title>
            <link rel="stylesheet" href="{style}">
            <div id="explorer"></div>
            <script src="{script}" defer></script>
            </html>

            """;
        root.MapRead("/graphql", () => new StreamedAnswer(context =>
                {
                    context.Response.ContentType = "text/html; charset=utf-8";
                    context.Response.Headers.ContentSecurityPolicy = Policy;
                    return context.Response.WriteAsync(page);
                }))
            .AllowAnonymous()
            .ExcludeFromDescription();
    }

    /// <summary>Serves a file under an address that is its content's, so that it need never be asked for again.</summary>
    static string MapFile(IEndpointRouteBuilder root, string name, string type)
    {
        using var stored = Open(name);
        var parts = name.Split('.');
        var address =
            $"/graphql/{parts[0]}.{Convert.ToHexStringLower(SHA256.HashData(stored).AsSpan(0, 8))}.{parts[1]}";
        root.MapRead(address, () => new StreamedAnswer(async context =>
                {
                    context.Response.ContentType = type;
                    await using var file = new BrotliStream(Open(name), CompressionMode.Decompress);
                    await file.CopyToAsync(context.Response.Body, context.RequestAborted);
                }))
            .AllowAnonymous()
            .ExcludeFromDescription()
            .ServedOnce(neverChanges: true);
        return address;
    }

    static Stream Open(string name) => typeof(GraphExplorer).Assembly.GetManifestResourceStream($"{name}.br")!;
}
