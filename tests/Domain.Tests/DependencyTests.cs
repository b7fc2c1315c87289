using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Resources.Domain.Tests;

/// <summary>The rules of the code: references between projects, purity, and sizes of files.</summary>
public partial class DependencyTests
{
    const int MaxLines = 400;
    const int MaxColumns = 140;

    [Theory]
    [InlineData("Grains", "")]
    [InlineData("Projections", "Grains")]
    [InlineData("Silo", "Projections")]
    [InlineData("Api", "Silo")]
    public void Projects_reference_only_the_layer_below(string project, string knows)
    {
        var file = XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj"));
        Assert.Equal(
            knows,
            string.Join(
                ",",
                file.Descendants("ProjectReference")
                    .Select(reference =>
                        Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'))
                    )
            )
        );
    }

    [Fact]
    public void There_are_no_other_projects() =>
        Assert.Equal(
            ["Api", "Grains", "Projections", "Silo"],
            Directory
                .GetFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
                .Select(Path.GetFileNameWithoutExtension)
                .Order()
        );

    [Fact]
    [Trait("Conformance", "J8")]
    public void Every_package_has_one_version_and_a_reason_and_every_project_a_lock_file()
    {
        var reasons = Repository.Read("docs/adr/0007-packages.md");
        foreach (
            var package in XDocument
                .Load(Path.Combine(Repository.Root, "Directory.Packages.props"))
                .Descendants("PackageVersion")
        )
        {
            Assert.Matches(@"^\d+\.\d+\.\d+(-[\w.]+)?$", package.Attribute("Version")!.Value);
            var name = package.Attribute("Include")!.Value;
            // Of a family only the first is written out: "Microsoft.Orleans.Sdk, .Server".
            Assert.True(
                reasons.Contains(name, StringComparison.Ordinal)
                    || Enumerable
                        .Range(0, name.Length)
                        .Any(at => name[at] is '.' && reasons.Contains($", {name[at..]}", StringComparison.Ordinal)),
                $"{name} has no reason in ADR 7."
            );
        }
        foreach (var project in Directory.GetFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories))
            Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json")), project);
        Assert.Contains(
            "dotnet restore Resources.sln --locked-mode",
            Repository.Read(".ci/run"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Decisions_are_pure()
    {
        string[] pure =
        [
            .. new[] { "Access", "Accounts", "Documents", "Resources", "Sessions", "Subscriptions", "Types" }
                .SelectMany(feature => Repository.Sources("src/Grains/" + feature))
                .Where(path => !path.Contains("Grain.", StringComparison.Ordinal)),
            "src/Grains/DecisionContext.cs",
            "src/Grains/Limits/LimitWindow.cs",
            .. Repository.Sources("src/Grains/Json"),
            .. Repository.Sources("src/Grains/Schemas"),
        ];
        Assert.True(pure.Length > 10);
        Nobody(pure, Impure());
    }

    [Fact]
    public void Handlers_use_no_document_session() => Nobody(Repository.Sources("src/Api"), Session());

    [Fact]
    public void Only_the_roles_of_the_database_have_a_data_source() =>
        Nobody(
            Repository
                .Sources("src")
                .Except([
                    "src/Grains/Log/Db.cs",
                    "src/Grains/Log/DbRoles.cs",
                    "src/Silo/NodeDatabase.cs",
                    "src/Silo/Schema/MartenPart.cs",
                ]),
            DataSource()
        );

    [Fact]
    public void Npgsql_is_used_in_Api_by_telemetry_only() =>
        Nobody(Repository.Sources("src/Api").Except(["src/Api/Operations/Telemetry.cs"]), Driver());

    [Fact]
    public void Nothing_in_the_Api_reaches_resources_around_the_door() =>
        Nobody(Repository.Sources("src/Api"), BehindDoor());

    [Fact]
    public void Only_one_file_appends_to_the_log()
    {
        var callers = Repository
            .Sources("src")
            .Where(path => Repository.Read(path).Contains("append_events", StringComparison.Ordinal));
        Assert.Equal(
            ["src/Grains/Log/AppendBatch.cs"],
            callers.Where(path => path is not "src/Grains/Log/EventLog.cs")
        );
        Nobody(Repository.Sources("src"), MartenAppend());
    }

    [Fact]
    public void Namespaces_are_flat()
    {
        foreach (var path in Repository.Sources("src"))
        foreach (Match match in Namespace().Matches(Repository.Read(path)))
            Assert.Equal((path, "Resources." + path.Split('/')[1]), (path, match.Groups[1].Value));
    }

    /// <summary>Features describe their operations at their endpoints.</summary>
    [Fact]
    public void The_reference_names_no_feature()
    {
        var types = Repository
            .Sources("src/Api")
            .Where(path => path.Split('/') is [_, _, not ("Http" or "OpenApi"), _])
            .SelectMany(path => Declared().Matches(Repository.Read(path)).Select(match => match.Groups[1].Value))
            .ToHashSet();
        Assert.Contains("ResourceCreation", types);
        foreach (var path in Repository.Sources("src/Api/OpenApi"))
        {
            var code = TextOrComment().Replace(Repository.Read(path), "");
            // A header may have the name of a type.
            var fields = Field().Matches(code).Select(match => match.Groups[1].Value).ToHashSet();
            Assert.DoesNotContain(Word().Matches(code).Select(match => match.Value), word =>
                types.Contains(word) && !fields.Contains(word)
            );
        }
    }

    [Fact]
    public void Files_are_short_and_lines_fit_a_screen() =>
        Assert.All(Repository.Sources("src").Concat(Repository.Sources("tests")), path =>
        {
            var lines = WithoutRawStrings(Repository.Read(path)).Split('\n');
            Assert.True(
                Repository.Read(path).Count(c => c is '\n') <= MaxLines,
                $"{path} has more than {MaxLines} lines."
            );
            Assert.All(lines, line => Assert.True(line.Length <= MaxColumns, $"{path}: {line}"));
        });

    static string WithoutRawStrings(string source) => RawString().Replace(source, "");

    static void Nobody(IEnumerable<string> paths, Regex forbidden) =>
        Assert.Empty(
            paths.SelectMany(path => forbidden.Matches(Repository.Read(path)).Select(match => $"{path}: {match.Value}"))
        );

    // Attributes of Orleans' serialiser are allowed: they describe data and run nothing.
    [GeneratedRegex(
        @"using (Orleans\.|Marten|Npgsql|JasperFx|Microsoft\.)[\w.]*"
            + @"|\b(Grain|IGrainFactory|IGrainContext|IDocument\w+|NpgsqlConnection)\b(?!s)"
            + @"|DateTime(Offset)?\.(Utc)?Now|TimeProvider|Stopwatch|Environment\."
            + @"|Guid\.(NewGuid|CreateVersion7)|Random\b"
    )]
    private static partial Regex Impure();

    [GeneratedRegex(@"\b(IDocumentSession|IDocumentStore|IDocumentOperations|IQuerySession)\b")]
    private static partial Regex Session();

    [GeneratedRegex(@"\bNpgsqlDataSource\w*|\bDbDataSource\b")]
    private static partial Regex DataSource();

    [GeneratedRegex(@"\bNpgsql\w*")]
    private static partial Regex Driver();

    [GeneratedRegex(
        @"\b(IResourceGrain|ResourceQueries|StatisticsQueries|LogQueries|EventFeed|ReadIndex|ReadsDb|SearchesDb)\b"
    )]
    private static partial Regex BehindDoor();

    [GeneratedRegex(@"\bEvents\s*\.\s*(Append\w*|StartStream\w*|WriteToAggregate\w*|FetchForWriting\w*)\b")]
    private static partial Regex MartenAppend();

    [GeneratedRegex(@"\b(?:class|record|enum|interface) (?:struct )?(\w+)")]
    private static partial Regex Declared();

    [GeneratedRegex(@"static readonly \S+ (\w+)")]
    private static partial Regex Field();

    [GeneratedRegex(@"(?<![\w.])[A-Z]\w+")]
    private static partial Regex Word();

    [GeneratedRegex("\"\"\".*?\"\"\"|\"(?:[^\"\\\\]|\\\\.)*\"|//[^\n]*", RegexOptions.Singleline)]
    private static partial Regex TextOrComment();

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex("\"\"\".*?\"\"\"", RegexOptions.Singleline)]
    private static partial Regex RawString();
}
