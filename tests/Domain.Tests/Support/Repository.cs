using System.Runtime.CompilerServices;

namespace Resources.Domain.Tests;

/// <summary>The source tree of these tests.</summary>
static class Repository
{
    public static readonly string Root = Find();

    /// <summary>
    /// The C# files below a folder, without build output. Paths are relative to the root, with forward slashes.
    /// </summary>
    public static IEnumerable<string> Sources(string folder) =>
        from file in Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
        let path = Path.GetRelativePath(Root, file).Replace('\\', '/')
        where !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
        select path;

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    static string Find([CallerFilePath] string here = "")
    {
        // A deterministic build may have rewritten the path of this file; the output folder lies in the tree as well.
        foreach (var start in new[] { Path.GetDirectoryName(here), AppContext.BaseDirectory })
            for (var folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
                if (File.Exists(Path.Combine(folder, "Resources.sln")))
                    return folder;
        throw new InvalidOperationException("The tests do not run inside the source tree.");
    }
}
