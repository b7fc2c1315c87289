namespace Resources.Domain.Tests;

/// <summary>Merges are finished before they are committed.</summary>
public sealed class MergeTests
{
    static readonly string[] Kinds = [".cs", ".csproj", ".md", ".mjs", ".props", ".sh", ".sql", ".ts", ".yml"];
    static readonly string[] Others = ["bin", "obj", "node_modules", ".git"];

    [Fact]
    public void No_file_has_the_marks_of_an_unfinished_merge()
    {
        var files = Files(new(Repository.Root)).ToList();
        Assert.Contains(files, file => file.Name is "TESTING.md");
        foreach (var file in files)
            Assert.DoesNotContain(File.ReadLines(file.FullName), line =>
                line.StartsWith("<<<<<<< ", StringComparison.Ordinal)
                || line.StartsWith(">>>>>>> ", StringComparison.Ordinal)
            );
    }

    static IEnumerable<FileInfo> Files(DirectoryInfo folder) =>
        folder
            .EnumerateFiles()
            .Where(file => Kinds.Contains(file.Extension))
            .Concat(folder.EnumerateDirectories().Where(child => !Others.Contains(child.Name)).SelectMany(Files));
}
