using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;

namespace Resources.Api.Tests;

/// <summary>A real nginx on a port of the loopback interface.</summary>
sealed class Nginx : IAsyncDisposable
{
    static readonly string[] Programs = ["nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"];

    readonly Process process;
    readonly TestDirectory directory;

    Nginx(Process process, TestDirectory directory, Uri address)
    {
        this.process = process;
        this.directory = directory;
        Address = address;
    }

    public Uri Address { get; }

    /// <summary>Starts the balancer as it is shipped, before one node.</summary>
    /// <param name="changes">What an operator changes in the file, by what it replaces.</param>
    public static Task<Nginx> StartShippedAsync(Uri node, params (string Text, string Replacement)[] changes)
    {
        var file = string.Join(
            '\n',
            Repository
                .Read("deploy/nginx.conf")
                .Split('\n')
                .Where(line => !line.Contains("node2:", StringComparison.Ordinal))
                .Where(line => !line.Contains("node3:", StringComparison.Ordinal))
        );
        foreach (
            var (text, replacement) in changes.Concat([
                ("node1:8080", node.Authority),
                ("listen 8080;", "listen 127.0.0.1:PORT;"),
                (" /tmp/", " DIRECTORY/"),
            ])
        )
        {
            Assert.Contains(text, file, StringComparison.Ordinal);
            file = file.Replace(text, replacement, StringComparison.Ordinal);
        }
        return StartAsync(file);
    }

    /// <summary>Starts one with a configuration, and waits until it listens.</summary>
    /// <param name="configuration">PORT stands for its port, DIRECTORY for a folder of its own.</param>
    public static async Task<Nginx> StartAsync(string configuration)
    {
        var directory = new TestDirectory();
        var port = FreePort.Find();
        var file = Path.Combine(directory.Path, "nginx.conf");
        await File.WriteAllTextAsync(
            file,
            configuration
                .Replace("PORT", $"{port}", StringComparison.Ordinal)
                .Replace("DIRECTORY", directory.Path, StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        var process = Start("-e", "stderr", "-p", directory.Path, "-c", file, "-g", "daemon off;");
        var nginx = new Nginx(process, directory, new($"http://127.0.0.1:{port}"));
        using var http = new HttpClient();
        await Eventually.HoldsAsync(
            async () =>
            {
                Assert.False(process.HasExited, "nginx has ended.");
                try
                {
                    using var answer = await http.GetAsync(nginx.Address, TestContext.Current.CancellationToken);
                    return true;
                }
                catch (Exception e) when (e is HttpRequestException or SocketException)
                {
                    return false;
                }
            },
            TimeSpan.FromSeconds(30)
        );
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            await ProcessSignal.SendAsync("TERM", process.Id);
        await process.WaitForExitAsync();
        process.Dispose();
        directory.Dispose();
    }

    static Process Start(params string[] arguments)
    {
        foreach (var program in Programs)
            try
            {
                return Process.Start(new ProcessStartInfo(program, arguments))!;
            }
            catch (Win32Exception)
            {
                // It is not there.
            }
        throw new InvalidOperationException("nginx was not found. These tests need it: apt-get install nginx-light.");
    }
}
