using System.Text.RegularExpressions;

namespace Resources.Domain.Tests;

/// <summary>The table of docs/CONFORMANCE.md beside the traits of the tests.</summary>
public partial class ConformanceTests
{
    /// <summary>The classes that each item's row names, with those that carry its id as a trait.</summary>
    static readonly Dictionary<string, string[]> Rows = Row()
        .Matches(Repository.Read("docs/CONFORMANCE.md"))
        .ToDictionary(
            row => row.Groups["item"].Value,
            row => ClassName().Matches(row.Groups["tests"].Value).Select(name => name.Groups[1].Value).ToArray()
        );

    static readonly ILookup<string, string> Carriers = (
        from path in Repository.Sources("tests")
        from trait in Trait().Matches(Repository.Read(path))
        select (Item: trait.Groups[1].Value, Class: Path.GetFileNameWithoutExtension(path))
    ).ToLookup(each => each.Item, each => each.Class);

    [Fact]
    public void Every_trait_is_in_the_row_of_its_item()
    {
        Assert.True(Rows.Count > 100, $"Only {Rows.Count} rows were read.");
        Assert.Empty(
            from item in Carriers
            from carrier in item.Distinct()
            where !Rows.TryGetValue(item.Key, out var classes) || !classes.Contains(carrier)
            select $"{item.Key}: {carrier}"
        );
    }

    [Fact]
    public void Every_class_in_a_row_carries_its_item() =>
        Assert.Empty(
            from row in Rows
            from name in row.Value
            where !Carriers[row.Key].Contains(name)
            select $"{row.Key}: {name}"
        );

    [Fact]
    public void Every_class_of_tests_is_called_XTests_and_has_a_file_of_its_own() =>
        Assert.All(Repository.Sources("tests").Where(path => Attribute().IsMatch(Repository.Read(path))), path =>
        {
            var name = Path.GetFileNameWithoutExtension(path);
            Assert.EndsWith("Tests", name, StringComparison.Ordinal);
            Assert.Equal([name], TestClass().Matches(Repository.Read(path)).Select(match => match.Groups[1].Value));
        });

    [GeneratedRegex(@"^\| (?<item>[A-J]\d+) \|[^|]*\|(?<tests>[^|]*)\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"`(\w+Tests)`")]
    private static partial Regex ClassName();

    [GeneratedRegex(@"\[Trait\(""Conformance"", ""(\w+)""\)\]")]
    private static partial Regex Trait();

    [GeneratedRegex(@"^\s*\[(\s*)(Fact|Theory)\b", RegexOptions.Multiline)]
    private static partial Regex Attribute();

    [GeneratedRegex(@"^public (?:sealed |partial )*class (\w+)", RegexOptions.Multiline)]
    private static partial Regex TestClass();
}
