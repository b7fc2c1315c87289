using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Api.Tests;

/// <summary>
/// What GraphQL answers is what REST answers, to the last digit: random resources and random selections of them.
/// <c>RESOURCES_SELECTIONS=10000</c> is the long form.
/// </summary>
public sealed class GraphDifferentialTests(Backend backend) : GraphBackend(backend)
{
    static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("RESOURCES_SELECTIONS"), out var count)
        ? count
        : 300;

    static readonly string[] Numbers =
    [
        "0",
        "-0",
        "1.0",
        "9.50",
        "1e2",
        "0.1",
        "12345678901234567890",
        "0.30000000000000004",
        "-1.5E-7",
        "2147483648",
    ];

    static readonly string[] Texts = ["", "a", "ä\u00df", "\u2028", "\"\\/\b", "<b>&'", "😀", "2026-01-31T12:00:00Z"];

    readonly string type = FreshName();

    static JsonObject Schema(int depth) =>
        new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["text"] = new JsonObject { ["type"] = "string" },
                ["a-b"] = new JsonObject { ["type"] = new JsonArray("string", "null") },
                ["1st"] = new JsonObject { ["type"] = "number" },
                ["whole"] = new JsonObject { ["type"] = "integer" },
                ["truth"] = new JsonObject { ["type"] = "boolean" },
                ["texts"] = new JsonObject
                {
                    ["type"] = "array",
                    ["items"] = new JsonObject { ["type"] = "string" },
                },
                ["any"] = new JsonObject(),
                ["inner"] = depth is 0 ? new JsonObject() : Schema(depth - 1),
                ["parts"] = depth is 0
                    ? new JsonObject()
                    : new JsonObject { ["type"] = "array", ["items"] = Schema(depth - 1) },
            },
        };

    /// <summary>The name of a member in GraphQL.</summary>
    static string NameOf(string member) =>
        member switch
        {
            "a-b" => "a_b",
            "1st" => "_1st",
            _ => member,
        };

    static string Value(JsonObject schema, Random random)
    {
        var type = schema["type"] switch
        {
            JsonValue value => value.GetValue<string>(),
            JsonArray several => random.Next(3) is 0 ? "null" : several[0]!.GetValue<string>(),
            _ => new[] { "string", "number", "boolean", "null", "mixed" }[random.Next(5)],
        };
        return type switch
        {
            "string" => JsonSerializer.Serialize(Texts[random.Next(Texts.Length)]),
            "number" => Numbers[random.Next(Numbers.Length)],
            "integer" => random.NextInt64().ToString(CultureInfo.InvariantCulture),
            "boolean" => random.Next(2) is 0 ? "true" : "false",
            "null" => "null",
            "mixed" => """[1.50,{"b":null,"a":[]}]""",
            "array" =>
                $"[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Value((JsonObject)schema["items"]!, random)))}]",
            _ => "{"
                + string.Join(
                    ',',
                    ((JsonObject)schema["properties"]!)
                        .Where(_ => random.Next(4) > 0)
                        .Select(member =>
                            $"{JsonSerializer.Serialize(member.Key)}:{Value((JsonObject)member.Value!, random)}"
                        )
                )
                + "}",
        };
    }

    /// <summary>A selection of the members of a schema, and what it shows of a value.</summary>
    static string Selection(JsonObject schema, Random random)
    {
        var text = new StringBuilder("{ __typename");
        foreach (var (name, member) in (JsonObject)schema["properties"]!)
        {
            if (random.Next(3) is 0)
                continue;
            text.Append(' ').Append(NameOf(name));
            if (Inner((JsonObject)member!) is { } inner)
                text.Append(' ').Append(Selection(inner, random));
        }
        return text.Append(" }").ToString();
    }

    static JsonObject? Inner(JsonObject schema) =>
        schema.ContainsKey("properties") ? schema
        : schema["items"] is JsonObject items && items.ContainsKey("properties") ? items
        : null;

    static void Same(JsonObject schema, JsonElement shown, JsonElement stored)
    {
        foreach (var (name, member) in (JsonObject)schema["properties"]!)
        {
            if (!shown.TryGetProperty(NameOf(name), out var value))
                continue;
            if (!stored.TryGetProperty(name, out var kept))
                Assert.Equal(JsonValueKind.Null, value.ValueKind);
            else if (Inner((JsonObject)member!) is not { } inner || kept.ValueKind is JsonValueKind.Null)
                Assert.Equal(kept.GetRawText(), value.GetRawText());
            else if (kept.ValueKind is JsonValueKind.Array)
            {
                Assert.Equal(kept.GetArrayLength(), value.GetArrayLength());
                foreach (var (one, other) in value.EnumerateArray().Zip(kept.EnumerateArray()))
                    Same(inner, one, other);
            }
            else
                Same(inner, value, kept);
        }
    }

    [Fact]
    [Trait("Conformance", "G7")]
    public async Task Random_selections_show_what_REST_shows()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var random = new Random(seed);
        var schema = Schema(2);
        Is(await DeclareAsync(Definition(type, schema.ToJsonString())), 201);
        var ids = new List<string>();
        for (var i = 0; i < 50; i++)
            ids.Add(await MadeAsync(type, Value(schema, random)));
        for (var i = 0; i < Count; i++)
        {
            var id = ids[random.Next(ids.Count)];
            var answer = await DataAsync(
                $"query($id: ID!) {{ one: {type}(id: $id) {{ id version createdAt metadata {Selection(schema, random)} }} }}",
                new { id }
            );
            var rest = (await Admin.GetAsync($"/api/v1/resources/{id}")).At("/data")!.Value;
            var one = answer.At("/data/one")!.Value;
            foreach (var name in new[] { "id", "version", "createdAt" })
                Assert.Equal(rest.GetProperty(name).GetRawText(), one.GetProperty(name).GetRawText());
            Same(schema, one.GetProperty("metadata"), rest.GetProperty("metadata"));
        }
    }
}
