using System.Diagnostics;

namespace Resources.Api.Tests;

/// <summary>Runs programs of others.</summary>
static class Tool
{
    /// <summary>Runs a program to its end and returns its output. The test fails if the program does.</summary>
    public static async Task<string> RunAsync(string directory, string program, params string[] arguments)
    {
        using var process = Start(
            new(program, arguments)
            {
                WorkingDirectory = directory,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                // It neither looks for later versions of itself nor reports that it was used.
                Environment = { ["KIOTA_OFFLINE_ENABLED"] = "true", ["KIOTA_CLI_TELEMETRY_OPTOUT"] = "true" },
            }
        );
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(
                process.ExitCode is 0,
                $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{await errors}{await output}"
            );
            return await output;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
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
                $"'{start.FileName}' was not found: these tests need the .NET SDK, and Node.js 20 or newer with npm and its registry."
            );
            throw;
        }
    }
}
