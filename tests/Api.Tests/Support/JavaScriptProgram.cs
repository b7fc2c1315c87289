using System.Diagnostics;
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
        return await StartAsync("node", [Path.Combine(directory.Path, script), .. arguments]);
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
        await StartAsync(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund"]);
    }

    static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Fail(
                $"'{start.FileName}' was not found: these tests need Node.js 20 or newer with npm, and its registry for the first run."
            );
            throw;
        }
    }

    async Task<string> StartAsync(string program, string[] arguments)
    {
        using var process = Start(
            new(program, arguments)
            {
                WorkingDirectory = directory.Path,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        );
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(
                process.ExitCode is 0,
                $"{program} {arguments[0]} ended with {process.ExitCode}:\n{await errors}{await output}"
            );
            return await output;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
