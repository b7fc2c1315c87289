using Resources.Tests;

[assembly: AssemblyFixture(typeof(Resources.Api.Tests.JavaScriptProgram))]

namespace Resources.Api.Tests;

/// <summary>
/// Runs programs of <c>tests/npm</c> in Node.js, with the packages of their lock file: third-party clients of the
/// server.
/// </summary>
public sealed class JavaScriptProgram : IAsyncDisposable
{
    readonly TestDirectory directory = new();
    readonly Lazy<Task> installed;

    public JavaScriptProgram() => installed = new(InstallAsync);

    /// <summary>Runs a program to its end and returns its output. The test fails if the program does.</summary>
    public async Task<string> RunAsync(string script, params string[] arguments)
    {
        await installed.Value;
        return await Tool.RunAsync(directory.Path, "node", [script, .. arguments]);
    }

    public ValueTask DisposeAsync()
    {
        directory.Dispose();
        return ValueTask.CompletedTask;
    }

    async Task InstallAsync()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "npm")))
            File.Copy(file, Path.Combine(directory.Path, Path.GetFileName(file)));
        await Tool.RunAsync(
            directory.Path,
            OperatingSystem.IsWindows() ? "npm.cmd" : "npm",
            "ci",
            "--no-audit",
            "--no-fund"
        );
    }
}
