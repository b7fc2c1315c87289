using static System.Environment;

namespace Resources.Silo;

/// <summary>Where a node without a connection string keeps its files unless it is told otherwise.</summary>
public static class EmbeddedFolders
{
    /// <summary>
    /// PostgreSQL does not run as root, and its account cannot enter root's home, so root has a place of the system's.
    /// </summary>
    const string OfRoot = "/var/lib/resources";

    /// <summary>Where earlier versions kept the data: in the working directory, among the sources.</summary>
    const string Earlier = ".data";

    /// <summary>Others may read, enter and run, and change nothing.</summary>
    internal const UnixFileMode Open =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherExecute;

    static bool IsRoot => !OperatingSystem.IsWindows() && IsPrivilegedProcess;

    /// <summary>The folder for data: one for all checkouts of a user, in which `git clean` deletes nothing.</summary>
    public static string Data() => Directory.Exists(Earlier) ? Path.GetFullPath(Earlier) : Regular();

    /// <summary>What to say of a data directory that an earlier version made; null for others.</summary>
    public static string? Advice(string dataDirectory) =>
        Path.GetFullPath(dataDirectory) == Path.GetFullPath(Earlier)
            ? $"'git clean -x' deletes it. To keep it safe, stop the node and move it to {Regular()}"
            : null;

    /// <summary>The folder for PostgreSQL's programs.</summary>
    public static string Cache()
    {
        if (IsRoot || OperatingSystem.IsWindows())
            return Path.Combine(Regular(), "postgresql");
        var home = GetFolderPath(SpecialFolder.UserProfile, SpecialFolderOption.DoNotVerify);
        var caches =
            OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : GetEnvironmentVariable("XDG_CACHE_HOME") is ['/', ..] given ? given
            : Path.Combine(home, ".cache");
        return Path.Combine(caches, "resources", "postgresql");
    }

    /// <summary>
    /// Makes a folder, and those above it that are missing. Where the node is root, PostgreSQL runs as another account,
    /// which may enter them whatever the umask is.
    /// </summary>
    internal static void MakeOpen(string directory)
    {
        if (Directory.Exists(directory))
            return;
        if (Path.GetDirectoryName(directory) is { } parent)
            MakeOpen(parent);
        Directory.CreateDirectory(directory);
        if (!OperatingSystem.IsWindows() && IsPrivilegedProcess)
            File.SetUnixFileMode(directory, Open);
    }

    static string Regular() =>
        IsRoot
            ? OfRoot
            // XDG_DATA_HOME or ~/.local/share, ~/Library/Application Support, %LOCALAPPDATA%.
            : Path.Combine(
                GetFolderPath(SpecialFolder.LocalApplicationData, SpecialFolderOption.DoNotVerify),
                "resources"
            );
}
