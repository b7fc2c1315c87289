using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Resources.Tests;

namespace Resources.Api.Tests;

/// <summary>OpenAPI documents and JSON Schemas of declared types.</summary>
public sealed class TypeDescriptionTests(Backend backend, JavaScriptProgram javaScript) : TypeBackend(backend)
{
    const string Generator = "node_modules/openapi-typescript/bin/cli.js";
    const string Compiler = "node_modules/typescript/bin/tsc";
    const int Count = 50;

    const string Described = """
        {"type":"object","additionalProperties":false,"required":["isbn","currency"],
         "properties":{"isbn":{"type":"string"},"currency":{"type":"string","default":"EUR"},"part":{"$ref":"#/$defs/part"}},
         "$defs":{"part":{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}}}
        """;
    const string Rules = """
        "lifecycle":{"initial":"open","states":{"open":{},"shut":{}},"transitions":[{"from":"open","to":"shut"}]},
        "unique":{"isbn":{"members":["/metadata/isbn"]},"both":{"members":["/name","/metadata/isbn"]}}
        """;

    [Fact]
    public async Task Random_types_are_described_as_strict_TypeScript_and_ajv_read_them()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var server = await Backend.StartServerAsync();
        var admin = await new ApiClient(server.Address).LoginAsAdminAsync();
        var names = new List<string>();
        for (var i = 0; i < Count; i++)
        {
            var declared = await admin.SendAsync("POST", "/api/v1/types", RandomType(random, i));
            Is(declared, 201);
            names.Add(declared.Text("/data/name")!);
        }

        var document = (await admin.GetAsync("/api/v1/types/openapi.json")).Body;
        AssertComplete(document, Count);
        using var directory = new TestDirectory();
        var file = Path.Combine(directory.Path, "types.json");
        var types = Path.Combine(directory.Path, "types.d.ts");
        await File.WriteAllBytesAsync(file, document, TestContext.Current.CancellationToken);
        await javaScript.RunAsync(Generator, file, "--output", types);
        await javaScript.RunAsync(Compiler, "--strict", "--noEmit", "--target", "ES2022", types);

        var schemas = new List<string>();
        foreach (var name in names)
            schemas.Add(Encoding.UTF8.GetString((await admin.GetAsync($"/api/v1/types/{name}/schema.json")).Body));
        await File.WriteAllLinesAsync(file, schemas, TestContext.Current.CancellationToken);
        Assert.Equal($"{Count}", (await javaScript.RunAsync("strict.mjs", file)).Trim());
    }

    [Fact]
    public async Task Members_of_a_type_are_described_as_it_takes_and_returns_them()
    {
        var type = FreshType();
        Is(await DeclareAsync(Definition(type, Described, $$"""{{Rules}},"names":{"plural":"{{type}}-all"}""")), 201);
        var answer = await Admin.GetAsync($"/api/v1/types/{type}/openapi.json");
        Is(answer, 200);
        AssertComplete(answer.Body, 1);
        var document = JsonNode.Parse(answer.Body)!;
        var schemas = document["components"]!["schemas"]!;
        var name = char.ToUpperInvariant(type[0]) + type[1..];
        Assert.Equal(["isbn", "currency"], Strings(schemas[name + "Metadata"]!["required"]));
        Assert.Equal(["isbn"], Strings(schemas[name + "MetadataGiven"]!["required"]));
        Assert.Null(schemas[name + "MetadataPart"]!["required"]);
        Assert.Equal(
            $"#/components/schemas/{name}Metadata/$defs/part",
            (string?)schemas[name + "Metadata"]!["properties"]!["part"]!["$ref"]
        );
        Assert.Equal(["open"], Strings(schemas[name + "Creation"]!["properties"]!["status"]!["enum"]));
        Assert.Equal(["open", "shut"], Strings(schemas[name + "Replacement"]!["properties"]!["status"]!["enum"]));
        Assert.Equal(["name", "metadata"], Strings(schemas[name + "Creation"]!["required"]));
        var paths = ((JsonObject)document["paths"]!).Select(path => path.Key).ToArray();
        Assert.Contains($"/api/v1/types/{type}/by/isbn/{{value}}", paths);
        Assert.DoesNotContain(paths, path => path.Contains("both", StringComparison.Ordinal));
        Assert.Equal(
            $"list{name}All",
            (string?)document["paths"]![$"/api/v1/types/{type}/resources"]!["get"]!["operationId"]
        );

        Assert.Equal(
            304,
            (await Admin.GetAsync($"/api/v1/types/{type}/openapi.json", ("If-None-Match", answer["ETag"]!))).Status
        );
        Is(await Backend.Guest.GetAsync($"/api/v1/types/{type}/openapi.json"), 401, "UNAUTHENTICATED");
        Is(await Admin.GetAsync($"/api/v1/types/{FreshType()}/openapi.json"), 404, "TYPE_NOT_FOUND");
    }

    /// <summary>A draft that the server takes has to fit the schemas that it publishes.</summary>
    [Theory, InlineData("true", false), InlineData("false", true)]
    public async Task Members_are_required_where_no_state_is_lenient(string lenient, bool isRequired)
    {
        var type = FreshType();
        var life = $$$"""
            "lifecycle":{"initial":"open","states":{"open":{"lenient":{{{lenient}}}}},"transitions":[]}
            """;
        Is(await DeclareAsync(Definition(type, Described, life)), 201);
        var schema = JsonNode.Parse((await Admin.GetAsync($"/api/v1/types/{type}/schema.json")).Body)!;
        Assert.Equal(isRequired, schema["properties"]!["metadata"]!["required"] is not null);
        var document = JsonNode.Parse((await Admin.GetAsync($"/api/v1/types/{type}/openapi.json")).Body)!;
        var stored = document["components"]!["schemas"]![char.ToUpperInvariant(type[0]) + type[1..] + "Metadata"]!;
        Assert.Equal(isRequired, stored["required"] is not null);
        Assert.Null(document["components"]!["schemas"]!["TypeCheckRequest"]);
    }

    static string[] Strings(JsonNode? list) => [.. ((JsonArray)list!).Select(each => each!.GetValue<string>())];

    /// <summary>Every reference leads somewhere, and every operation has an id of its own.</summary>
    static void AssertComplete(byte[] document, int types)
    {
        var root = JsonElement.Parse(document);
        var ids = new List<string>();
        Visit(root);
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.InRange(ids.Count, 8 * types, 16 * types);

        void Visit(JsonElement each)
        {
            if (each.ValueKind is JsonValueKind.Array)
                foreach (var item in each.EnumerateArray())
                    Visit(item);
            if (each.ValueKind is not JsonValueKind.Object)
                return;
            foreach (var member in each.EnumerateObject())
            {
                if (member is { Name: "$ref", Value.ValueKind: JsonValueKind.String })
                    Assert.True(Leads(root, member.Value.GetString()!), $"{member.Value} leads nowhere");
                if (member is { Name: "operationId", Value.ValueKind: JsonValueKind.String })
                    ids.Add(member.Value.GetString()!);
                Visit(member.Value);
            }
        }
    }

    static bool Leads(JsonElement root, string reference)
    {
        var at = root;
        foreach (var step in reference.Split('/').Skip(1))
            if (!at.TryGetProperty(step.Replace("~1", "/").Replace("~0", "~"), out at))
                return false;
        return reference.StartsWith("#/", StringComparison.Ordinal);
    }

    static string RandomType(Random random, int number)
    {
        string[] words = ["a", "9", "order", "item", "x1"];
        var name =
            $"{random.GetItems(words, 1)[0]}{random.GetItems(["-", "_", "."], 1)[0]}{random.GetItems(words, 1)[0]}-n{number}";
        var schema = (JsonObject)RandomSchema(random, 3, isObject: true);
        ((JsonObject)schema["properties"]!)["key"] = new JsonObject { ["type"] = "string" };
        schema["$defs"] = new JsonObject { ["part"] = RandomSchema(random, 1, isObject: false) };
        var definition = new JsonObject
        {
            ["name"] = name,
            ["schema"] = schema,
            ["unique"] = new JsonObject
            {
                ["a-key"] = new JsonObject { ["members"] = new JsonArray("/metadata/key") },
                ["a_key"] = new JsonObject { ["members"] = new JsonArray("/name") },
            },
        };
        if (random.Next(2) is 0)
            definition["lifecycle"] = JsonNode.Parse(
                $$$"""{"initial":"s0","states":{"s0":{"lenient":{{{(random.Next(2) is 0 ? "true" : "false")}}}},"s1":{}},"transitions":[{"from":"s0","to":"s1"}]}"""
            );
        return definition.ToJsonString();
    }

    static JsonNode RandomSchema(Random random, int depth, bool isObject)
    {
        if (!isObject)
            switch (random.Next(depth > 0 ? 8 : 5))
            {
                case 0:
                    return new JsonObject { ["type"] = "string", ["minLength"] = random.Next(3) };
                case 1:
                    return new JsonObject
                    {
                        ["type"] = "integer",
                        ["minimum"] = 0,
                        ["default"] = random.Next(9),
                    };
                case 2:
                    return new JsonObject { ["enum"] = new JsonArray("a", 1, null, true) };
                case 3:
                    return new JsonObject { ["type"] = new JsonArray("boolean", "null") };
                case 4:
                    return new JsonObject
                    {
                        ["type"] = "string",
                        ["format"] = "date-time",
                        ["x-note"] = "kept",
                    };
                case 5:
                    return new JsonObject
                    {
                        ["type"] = "array",
                        ["maxItems"] = 5,
                        ["items"] = RandomSchema(random, depth - 1, false),
                    };
                case 6:
                    return new JsonObject
                    {
                        ["oneOf"] = new JsonArray(
                            RandomSchema(random, depth - 1, true),
                            new JsonObject { ["type"] = "string" }
                        ),
                    };
            }
        var members = new JsonObject();
        for (var i = 0; i < random.Next(1, 5); i++)
            members[$"m{i}"] = RandomSchema(random, depth - 1, false);
        if (depth is 3)
            members["of"] = new JsonObject { ["$ref"] = "#/$defs/part" };
        return new JsonObject
        {
            ["type"] = "object",
            ["required"] = new JsonArray("m0"),
            ["additionalProperties"] = random.Next(2) is 0,
            ["properties"] = members,
        };
    }
}
