using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Json.Schema;
using Resources.Domain.Tests;
using Resources.Grains;

namespace Resources.Api.Tests;

/// <summary>Our validator beside two others, JsonSchema.Net and ajv, with random schemas and values.</summary>
public sealed class SchemaDifferentialTests(JavaScriptProgram program)
{
    const int Values = 50;

    /// <summary><c>RESOURCES_SCHEMAS=200</c> is the long form (bench/README.md).</summary>
    static readonly int Schemas = int.TryParse(Environment.GetEnvironmentVariable("RESOURCES_SCHEMAS"), out var schemas)
        ? schemas
        : 20;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    sealed record Case(Grains.Schema Schema, string[] Values);

    [Fact]
    public async Task Verdict_is_that_of_two_other_validators_where_they_agree()
    {
        var seed = uint.TryParse(Environment.GetEnvironmentVariable("RESOURCES_SEED"), out var given)
            ? given
            : (uint)Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage($"RESOURCES_SEED={seed}");
        var cases = Cases(seed);
        var verdicts = await AjvAsync(cases);

        var (compared, valid, differing) = (0, 0, new List<string>());
        foreach (var (item, ajv) in cases.Zip(verdicts))
            for (var i = 0; i < Values; i++)
            {
                var value = item.Values[i];
                if (ajv[i] is not { } verdict || Opinion(item.Schema, value) != verdict)
                    continue;
                compared++;
                valid += verdict ? 1 : 0;
                if (item.Schema.Accepts(JsonElement.Parse(value)) != verdict)
                    differing.Add($"{item.Schema.Source} {value}: the others say {verdict}");
            }
        var summary = $"RESOURCES_SEED={seed}: {compared} of {Schemas * Values} compared, {valid} of them valid";
        TestContext.Current.SendDiagnosticMessage(summary);
        Assert.True(differing.Count is 0, $"{summary}\n{string.Join('\n', differing)}");
        Assert.True(compared > Schemas * Values / 2, summary);
        Assert.InRange(valid, compared / 5, compared * 4 / 5);
    }

    static List<Case> Cases(uint seed)
    {
        var (generator, random) = (new PCG(1, seed), new Random((int)seed));
        var cases = new List<Case>();
        while (cases.Count < Schemas)
        {
            // For ajv, a dynamic reference to what it has not come through leads to the root. The official suite has more.
            var text = RandomSchemas
                .Whole(3)
                .Generate(generator, null, out _)
                .Replace("$dynamicRef", "$ref", StringComparison.Ordinal);
            using var document = StrictJson.Read(Encoding.UTF8.GetBytes(text), []);
            // A circle of references is refused, and others do not come back from it.
            if (document is null || Grains.Schema.Compile(document.RootElement, "", []) is not { } schema)
                continue;
            var values = new RandomValues(JsonNode.Parse(text)!.AsObject(), random);
            cases.Add(new(schema, ValuesOf(schema, values)));
        }
        return cases;
    }

    /// <summary>Values of which half are valid, where there are so many of both kinds.</summary>
    static string[] ValuesOf(Grains.Schema schema, RandomValues random)
    {
        var values = Enumerable
            .Range(0, 4 * Values)
            .Select(_ => random.Next()?.ToJsonString() ?? "null")
            .ToLookup(value => schema.Accepts(JsonElement.Parse(value)));
        var all = values[false].Take(Values / 2).Concat(values[true]).Concat(values[false].Skip(Values / 2));
        return [.. all.Take(Values)];
    }

    /// <summary>What JsonSchema.Net says; null where it throws.</summary>
    static bool? Opinion(Grains.Schema schema, string value)
    {
        try
        {
            return JsonSchema.FromText(schema.Source.GetRawText()).Evaluate(JsonNode.Parse(value)).IsValid;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return null;
        }
    }

    async Task<List<bool?[]>> AjvAsync(List<Case> cases)
    {
        using var directory = new TestDirectory();
        var file = Path.Combine(directory.Path, "cases.jsonl");
        var lines = cases.Select(item =>
            $$"""{"schema":{{item.Schema.Source.GetRawText()}},"values":[{{string.Join(',', item.Values)}}]}"""
        );
        await File.WriteAllLinesAsync(file, lines, Cancelled);
        var output = await program.RunAsync("schemas.mjs", file);
        return
        [
            .. output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonSerializer.Deserialize<bool?[]>(line)!),
        ];
    }
}
