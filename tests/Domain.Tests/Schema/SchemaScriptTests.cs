using System.Security.Cryptography;
using System.Text;

namespace Resources.Domain.Tests;

/// <summary>Scripts of the schema are frozen once they have landed.</summary>
public class SchemaScriptTests
{
    const string Folder = "src/Silo/Schema";

    /// <summary>It landed after 090, before there was a rule.</summary>
    const string Late = "086_signing_keys.sql";

    /// <summary>The checksum and name of each script, in the order in which they landed.</summary>
    static readonly string[] Landed =
    [
        .. Repository
            .Read($"{Folder}/checksums.txt")
            .ReplaceLineEndings("\n")
            .TrimEnd()
            .Split('\n')
            .Where(line => line[0] is not '#'),
    ];

    [Fact]
    public void Landed_scripts_are_unchanged()
    {
        var scripts = Directory
            .GetFiles(Path.Combine(Repository.Root, Folder), "*.sql")
            .Select(path => $"{Checksum(File.ReadAllText(path))}  {Path.GetFileName(path)}")
            .ToArray();
        var changed = scripts.Except(Landed).Order(StringComparer.Ordinal).ToArray();
        Assert.True(
            changed is [],
            "Add another script instead of changing one. If these are new, add the lines to checksums.txt:\n"
                + string.Join('\n', changed)
        );
        Assert.Empty(Landed.Except(scripts));
    }

    /// <summary>Otherwise a fresh database would run it before scripts that older databases have run already.</summary>
    [Fact]
    public void New_script_has_the_highest_number()
    {
        var names = Landed.Select(line => line.Split("  ")[1]).ToArray();
        Assert.All(names, name => Assert.Matches(@"^\d{3}_[a-z_]+\.sql$", name));
        var inOrder = names.Where(name => name is not Late).ToArray();
        Assert.Equal(inOrder.Order(StringComparer.Ordinal), inOrder);
        Assert.Equal(inOrder.Length, inOrder.Select(name => name[..3]).Distinct().Count());
    }

    static string Checksum(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n"))));
}
