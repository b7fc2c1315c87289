using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Resources.Api.Tests;

/// <summary>
/// The official JSON-Schema-Test-Suite through the server, where JSON_SCHEMA_TEST_SUITE names the folder of a clone. The
/// counts are those of its commit 44401e0c; the same is asked of the library alone in the tests of the domain.
/// </summary>
public sealed class SchemaSuiteTests(Backend backend)
{
    static readonly string? Folder = Environment.GetEnvironmentVariable("JSON_SCHEMA_TEST_SUITE") is { } clone
        ? Path.Combine(clone, "tests/draft2020-12")
        : null;

    sealed record Result(string File, string Name, string? Code, bool Deviates, double Milliseconds);

    [Fact]
    public async Task Required_tests_have_the_verdict_of_the_suite_but_for_what_is_refused_by_design()
    {
        Assert.SkipUnless(Folder is not null, "JSON_SCHEMA_TEST_SUITE is not set.");
        var results = await RunAsync(Folder!);
        Assert.Equal(
            "defs.json 2, dynamicRef.json 13, ref.json 2, refRemote.json 31",
            Refused(results, "REMOTE_REFERENCE")
        );
        Assert.Equal("vocabulary.json 5", Refused(results, "UNSUPPORTED_DIALECT"));
        // Strings with NUL, which no body may have.
        Assert.Equal("const.json 2, enum.json 2", Refused(results, "NUL_CHARACTER"));
        Assert.Equal(57, results.Count(result => result.Code is not null));
        // In format.json formats are annotations, here they are asserted.
        Assert.Equal(19, results.Count(result => result.File is "format.json" && result.Deviates));
        Assert.Equal(
            [],
            results.Where(result => result.Deviates && result.File is not "format.json").Select(result => result.Name)
        );
        Assert.Equal(1_299, results.Count);
        Tell(results);
    }

    [Fact]
    public async Task Formats_have_the_verdict_of_the_suite_but_for_what_is_refused_by_design()
    {
        Assert.SkipUnless(Folder is not null, "JSON_SCHEMA_TEST_SUITE is not set.");
        var results = await RunAsync(Path.Combine(Folder!, "optional/format"));
        Assert.Equal("unknown.json 7", Refused(results, "UNKNOWN_FORMAT"));
        Assert.Equal("date.json 1, ipv4.json 1, json-pointer.json 1", Refused(results, "NUL_CHARACTER"));
        Assert.Equal(10, results.Count(result => result.Code is not null));
        Assert.Equal([], results.Where(result => result.Deviates).Select(result => result.Name));
        Assert.Equal(764, results.Count);
        Tell(results);
    }

    static void Tell(List<Result> results)
    {
        var times = results.Select(result => result.Milliseconds).Order().ToArray();
        double At(double share) => times[(int)(share * (times.Length - 1))];
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{times.Length} requests: median {At(0.5):f1} ms, p99 {At(0.99):f1} ms, most {At(1):f1} ms"
        );
    }

    static string Refused(List<Result> results, string code) =>
        string.Join(
            ", ",
            from result in results
            where result.Code == code
            group result by result.File into file
            orderby file.Key
            select $"{file.Key} {file.Count()}"
        );

    async Task<List<Result>> RunAsync(string folder)
    {
        var results = new List<Result>();
        foreach (var file in Directory.GetFiles(folder, "*.json"))
        foreach (var suite in JsonNode.Parse(await File.ReadAllTextAsync(file))!.AsArray())
        foreach (var test in suite!["tests"]!.AsArray())
            results.Add(await RunAsync(Path.GetFileName(file), suite, test!));
        return results;
    }

    /// <summary>The schema is that of a member, with an identifier of its own.</summary>
    async Task<Result> RunAsync(string file, JsonNode suite, JsonNode test)
    {
        var schema = suite["schema"]!.DeepClone();
        if (schema is JsonObject members && !members.ContainsKey("$id"))
            members.Insert(0, "$id", "http://t.invalid/s");
        var body = new JsonObject
        {
            ["definition"] = new JsonObject
            {
                ["name"] = "t",
                ["schema"] = new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject { ["v"] = schema },
                },
            },
            ["resource"] = new JsonObject
            {
                ["name"] = "x",
                ["metadata"] = new JsonObject { ["v"] = test["data"]?.DeepClone() },
            },
        };
        var started = Stopwatch.GetTimestamp();
        var answer = await backend.Admin.SendAsync("POST", "/api/v1/types/check", body.ToJsonString());
        var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        var name = $"{file}: {suite["description"]}: {test["description"]}";
        Assert.True(answer.Status is 200 or 400, $"{name}: {answer}");
        if (answer.Status is 400)
            return new(file, name, answer.Text("/errors/0/code"), false, took);
        var pointer = answer.Text("/data/faults/0/pointer");
        if (pointer?.StartsWith("/definition", StringComparison.Ordinal) is true)
            return new(file, name, answer.Text("/data/faults/0/code"), false, took);
        Assert.True(
            pointer?.StartsWith("/resource/metadata/v", StringComparison.Ordinal) is not false,
            $"{name}: {answer}"
        );
        return new(file, name, null, answer.Text("/data/valid") is "true" != test["valid"]!.GetValue<bool>(), took);
    }
}
