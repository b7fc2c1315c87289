using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>
/// The official JSON-Schema-Test-Suite, where JSON_SCHEMA_TEST_SUITE names the folder of a clone. It is not in this
/// repository; what it asks is in the tables of the other tests too. The counts are those of its commit 44401e0c.
/// </summary>
public class SchemaSuiteTests
{
    static readonly string? Folder = Environment.GetEnvironmentVariable("JSON_SCHEMA_TEST_SUITE") is { } clone
        ? Path.Combine(clone, "tests/draft2020-12")
        : null;

    /// <summary>Tests whose schemas lead out of themselves, by file.</summary>
    static readonly Dictionary<string, int> Remote = new()
    {
        ["refRemote.json"] = 31,
        ["dynamicRef.json"] = 13,
        ["defs.json"] = 2,
        ["ref.json"] = 2,
    };

    [Fact]
    public void Required_tests_have_the_verdict_of_the_suite_but_for_what_is_refused_by_design()
    {
        Assert.SkipUnless(Folder is not null, "JSON_SCHEMA_TEST_SUITE is not set.");
        var results = Run(Directory.GetFiles(Folder!, "*.json"));
        Assert.Equal(Remote.OrderBy(file => file.Key), Refused(results, FaultCode.RemoteReference));
        Assert.Equal([new("vocabulary.json", 5)], Refused(results, FaultCode.UnsupportedDialect));
        // Strings with NUL, which no body may have.
        Assert.Equal([new("const.json", 2), new("enum.json", 2)], Refused(results, FaultCode.NulCharacter));
        // In format.json formats are annotations, here they are asserted.
        Assert.Equal(19, results.Count(result => result.File is "format.json" && result.Deviates));
        Assert.Equal(
            [],
            results.Where(result => result.Deviates && result.File is not "format.json").Select(result => result.Name)
        );
        Assert.Equal(1_299, results.Count);
    }

    [Fact]
    public void Formats_have_the_verdict_of_the_suite_but_for_what_is_refused_by_design()
    {
        Assert.SkipUnless(Folder is not null, "JSON_SCHEMA_TEST_SUITE is not set.");
        var results = Run(Directory.GetFiles(Path.Combine(Folder!, "optional/format"), "*.json"));
        Assert.Equal([new("unknown.json", 7)], Refused(results, FaultCode.UnknownFormat));
        Assert.Equal(
            [new("date.json", 1), new("ipv4.json", 1), new("json-pointer.json", 1)],
            Refused(results, FaultCode.NulCharacter)
        );
        Assert.Equal([], results.Where(result => result.Deviates).Select(result => result.Name));
        Assert.Equal(764, results.Count);
    }

    [Fact]
    public void Optional_tests_are_counted()
    {
        Assert.SkipUnless(Folder is not null, "JSON_SCHEMA_TEST_SUITE is not set.");
        var results = Run(Directory.GetFiles(Path.Combine(Folder!, "optional"), "*.json"));
        foreach (var result in results.Where(result => result.Deviates || result.Code is not null))
            TestContext.Current.SendDiagnosticMessage($"{result.Name}: {result.Code ?? "other verdict"}");
        Assert.NotEmpty(results);
    }

    sealed record Result(string File, string Name, string? Code, bool Deviates);

    static List<KeyValuePair<string, int>> Refused(List<Result> results, string code) =>
        [
            .. results
                .Where(result => result.Code == code)
                .GroupBy(result => result.File)
                .Select(file => new KeyValuePair<string, int>(file.Key, file.Count()))
                .OrderBy(file => file.Key),
        ];

    static List<Result> Run(string[] files) =>
        [
            .. from file in files
            from suite in JsonNode.Parse(File.ReadAllText(file))!.AsArray()
            from test in suite!["tests"]!.AsArray()
            select RunTest(Path.GetFileName(file), suite, test!),
        ];

    /// <summary>As through POST /types/check: the schema is that of a member, with an identifier of its own.</summary>
    static Result RunTest(string file, JsonNode suite, JsonNode test)
    {
        var schema = suite["schema"]!.DeepClone();
        if (schema is JsonObject members && !members.ContainsKey("$id"))
            members.Insert(0, "$id", "http://t.invalid/s");
        var name = $"{file}: {suite["description"]}: {test["description"]}";
        var faults = new List<Fault>();
        using var definition = Read(
            new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject { ["v"] = schema },
            },
            faults
        );
        using var value = Read(new JsonObject { ["v"] = test["data"]?.DeepClone() }, faults);
        if (
            definition is null
            || value is null
            || Schema.Compile(definition.RootElement, "", faults) is not { } compiled
        )
            return new(file, name, faults[0].Code, false);
        return new(file, name, null, compiled.Accepts(value.RootElement) != test["valid"]!.GetValue<bool>());
    }

    static JsonDocument? Read(JsonNode node, List<Fault> faults) =>
        StrictJson.Read(Encoding.UTF8.GetBytes(node.ToJsonString()), faults);
}
