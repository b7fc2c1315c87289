using System.Diagnostics;
using System.Globalization;

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
    /// The first usable installation: of the given major version, which a data directory is bound to, or any that is
    /// new enough.
    /// </summary>
    public static PostgresBinaries Find(int? major)
    {
        var found = new SortedSet<int>();
        foreach (var directory in Candidates().Where(IsComplete).Distinct())
        {
            var version = MajorOf(directory);
            if (version == major || (major is null && version >= Oldest))
                return new(directory, version);
            found.Add(version);
        }

        var seen = found.Count == 0 ? "none was found" : $"found only {string.Join(", ", found)}";
        var wanted = major is null ? $"{Oldest} or newer" : $"{major}, which made the existing data,";
        throw new EmbeddedPostgresException(
            $"""
            No PostgreSQL server {wanted} on this machine to run an embedded database with ({seen}). Either install it:
              Debian, Ubuntu   apt install {(major is null ? "postgresql" : $"postgresql-{major}")}
              macOS            brew install postgresql@{major ?? 17}
              Windows          winget install PostgreSQL.PostgreSQL.{major ?? 17}
            or set ConnectionStrings__Resources to a PostgreSQL that runs elsewhere.
            """
        );
    }

    static IEnumerable<string> Candidates()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return
        [
            .. path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
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
            Path.GetFileName(directory).Split('@')[^1],
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var version
        )
            ? version
            : 0;

    static bool IsComplete(string directory) =>
        Needed.All(program => File.Exists(Path.Combine(directory, Executable(program))));

    // "postgres (PostgreSQL) 15.18 (Debian …)" or "… 18beta1".
    static int MajorOf(string directory)
    {
        var start = new ProcessStartInfo(Path.Combine(directory, Executable("postgres")), "--version")
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var version = process.StandardOutput.ReadToEnd().Split(' ').ElementAtOrDefault(2) ?? "";
        process.WaitForExit();
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
