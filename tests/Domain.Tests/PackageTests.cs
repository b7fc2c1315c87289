using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Resources.Domain.Tests;

/// <summary>What is restored: no version that is known to be vulnerable, and no licence that nobody looked at.</summary>
public partial class PackageTests
{
    /// <summary>Licences under which a package may be part of what we publish under the Apache License 2.0.</summary>
    static readonly string[] Allowed = ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "PostgreSQL"];

    static readonly string Cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    [Fact]
    [Trait("Conformance", "J8")]
    public void No_package_is_older_than_its_floor()
    {
        var locked = Locked();
        foreach (var line in Repository.Read("tools/package-floors.txt").Split('\n', StringSplitOptions.TrimEntries))
            if (line is not ("" or ['#', ..]))
            {
                var (name, floor) = (line.Split(' ')[0], Version.Parse(line.Split(' ')[1]));
                var versions = locked.Where(package => package.Name == name).ToArray();
                Assert.True(versions.Length > 0, $"{name} is not used any more. Remove its floor.");
                Assert.All(versions, package => Assert.True(Number(package.Version) >= floor, $"{package} < {floor}"));
            }
    }

    [Fact]
    [Trait("Conformance", "J8")]
    public void Every_package_has_a_licence_of_the_list()
    {
        var locked = Locked();
        Assert.True(locked.Count > 100);
        foreach (var (name, version) in locked)
            Assert.True(LicenceOf(name, version) is { } licence && Allowed.Contains(licence), $"{name} {version}");
    }

    [Fact]
    [Trait("Conformance", "J8")]
    public void Every_restore_asks_for_advisories()
    {
        var properties = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props"));
        Assert.Equal("true", properties.Descendants("NuGetAudit").Single().Value);
        Assert.Equal("all", properties.Descendants("NuGetAuditMode").Single().Value);
        Assert.Equal("low", properties.Descendants("NuGetAuditLevel").Single().Value);
        Assert.Empty(properties.Descendants("NuGetAuditSuppress"));
        var ci = Repository.Read(".ci/run");
        Assert.Contains("dotnet dotnet-CycloneDX", ci, StringComparison.Ordinal);
        Assert.Contains("tools/reproduce.sh", ci, StringComparison.Ordinal);
    }

    /// <summary>Every package that any project restores, from the lock files.</summary>
    static HashSet<(string Name, string Version)> Locked() =>
        [
            .. Directory
                .GetFiles(Repository.Root, "packages.lock.json", SearchOption.AllDirectories)
                .SelectMany(file =>
                    JsonElement.Parse(File.ReadAllText(file)).GetProperty("dependencies").EnumerateObject()
                )
                .SelectMany(framework => framework.Value.EnumerateObject())
                .Where(package => package.Value.TryGetProperty("resolved", out _))
                .Select(package => (package.Name, package.Value.GetProperty("resolved").GetString()!)),
        ];

    /// <summary>The SPDX name of a restored package's licence; null if it has none that is known.</summary>
    static string? LicenceOf(string name, string version)
    {
        var (id, folder) = (
            name.ToLowerInvariant(),
            Path.Combine(Cache, name.ToLowerInvariant(), version.ToLowerInvariant())
        );
        var licence = XDocument
            .Load(Path.Combine(folder, $"{id}.nuspec"))
            .Descendants()
            .FirstOrDefault(element => element.Name.LocalName is "license");
        return licence?.Attribute("type")?.Value switch
        {
            "expression" => licence.Value,
            "file" when MitLicence().IsMatch(File.ReadAllText(Path.Combine(folder, licence.Value))) => "MIT",
            _ => null,
        };
    }

    static Version Number(string version) => Version.Parse(version.Split('-', '+')[0]);

    [GeneratedRegex(@"\bMIT License\b")]
    private static partial Regex MitLicence();
}
