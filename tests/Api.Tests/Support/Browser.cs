namespace Resources.Api.Tests;

/// <summary>The browser of this machine.</summary>
static class Browser
{
    /// <summary>The path of Chromium.</summary>
    public static string Path() =>
        new[] { "chromium", "chromium-browser", "google-chrome" }
            .SelectMany(name =>
                Environment
                    .GetEnvironmentVariable("PATH")!
                    .Split(System.IO.Path.PathSeparator)
                    .Select(folder => System.IO.Path.Combine(folder, name))
            )
            .FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException(
            "Chromium was not found: this test needs it, as 'chromium' on the PATH."
        );
}
