using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Resources.Api.Tests;

/// <summary>
/// Compiles a client that a tool has generated from the OpenAPI document, with a program of <c>tests/clients</c> that
/// uses it, and runs that.
/// </summary>
sealed class CSharpClient : IDisposable
{
    readonly TestDirectory directory = new();

    /// <summary>Where the document is, and where the tool writes its files.</summary>
    public string Path => directory.Path;

    /// <summary>The file of the document of a server.</summary>
    public async Task<string> DescribeAsync(ApiClient guest)
    {
        var file = System.IO.Path.Combine(Path, "v1.json");
        await File.WriteAllBytesAsync(file, (await guest.GetAsync("/openapi/v1.json")).Body);
        return file;
    }

    /// <summary>Compiles what the tool wrote, and runs <c>Caller.RunAsync</c> of the program.</summary>
    public async Task RunAsync(string program, Uri server)
    {
        string[] files =
        [
            .. Directory.GetFiles(Path, "*.cs", SearchOption.AllDirectories),
            System.IO.Path.Combine(Repository.Root, "tests/clients", program),
        ];
        var compilation = CSharpCompilation.Create(
            System.IO.Path.GetFileNameWithoutExtension(program),
            files.Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), path: file)),
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
                .Split(System.IO.Path.PathSeparator)
                .Select(file => MetadataReference.CreateFromFile(file)),
            new(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable)
        );
        using var compiled = new MemoryStream();
        Assert.Empty(
            compilation
                .Emit(compiled, cancellationToken: TestContext.Current.CancellationToken)
                .Diagnostics.Where(found => found.Severity is DiagnosticSeverity.Error)
        );
        compiled.Position = 0;
        var run = AssemblyLoadContext
            .Default.LoadFromStream(compiled)
            .GetType("Caller")!
            .GetMethod("RunAsync", BindingFlags.Public | BindingFlags.Static)!
            .CreateDelegate<Func<Uri, string, string, Task>>();
        await run(server, TestServer.AdminEmail, TestServer.AdminPassword);
    }

    public void Dispose() => directory.Dispose();
}
