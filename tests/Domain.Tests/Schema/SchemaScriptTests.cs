using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Resources.Domain.Tests;

/// <summary>Scripts of the schema are frozen once they have landed.</summary>
public partial class SchemaScriptTests
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

    /// <summary>
    /// Nodes of the release before work on while the first of a new one migrates: what they use may go with the release
    /// after, and an index of a table in use is built beside its writes.
    /// </summary>
    [Fact]
    public void Scripts_drop_nothing_that_older_nodes_use_and_lock_no_table_for_long()
    {
        foreach (
            var name in Landed.Select(line => line.Split("  ")[1]).Where(name => string.CompareOrdinal(name, "125") > 0)
        )
        {
            var text = Repository.Read($"{Folder}/{name}");
            Assert.DoesNotMatch(Takes(), text);
            foreach (Match index in Index().Matches(text))
                Assert.Contains($"create table {index.Groups["table"].Value} ", text, StringComparison.Ordinal);
        }
        Assert.Matches(Takes(), "alter table mt_events drop column headers;");
        Assert.Matches(Index(), "create unique index if not exists one on mt_events (seq_id)");
    }

    [GeneratedRegex(@"^\s*(drop\s+(table|function|view|schema|type)|alter\s+\w+\s+.*\b(drop|rename|type)\b)", Options)]
    private static partial Regex Takes();

    [GeneratedRegex(@"create\s+(unique\s+)?index\s+(if not exists\s+)?\w+\s+on\s+(?<table>\w+)", Options)]
    private static partial Regex Index();

    const RegexOptions Options = RegexOptions.IgnoreCase | RegexOptions.Multiline;

    static string Checksum(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n"))));
}
