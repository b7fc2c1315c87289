using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Changes of random schemas: none is taken for wider that is not, and most are that are.</summary>
public class SchemaWideningPropertyTests
{
    const int Values = 100;

    readonly uint seed = (uint)Random.Shared.Next();
    readonly PCG generator;
    readonly Random random;

    public SchemaWideningPropertyTests()
    {
        (generator, random) = (new(1, seed), new((int)seed));
        TestContext.Current.SendDiagnosticMessage($"Seed {seed}");
    }

    /// <summary>Keywords before and after a change that can only take more.</summary>
    static readonly (string Before, string After)[] Looser =
    [
        ("""{"required":["a","b"]}""", """{"required":["b"]}"""),
        ("""{"required":["a"]}""", "{}"),
        ("""{"minLength":2}""", """{"minLength":1}"""),
        ("""{"maxLength":1}""", """{"maxLength":3}"""),
        ("""{"maxLength":1}""", "{}"),
        ("""{"pattern":"^a"}""", "{}"),
        ("""{"format":"date"}""", "{}"),
        ("""{"minimum":1}""", """{"minimum":0.5}"""),
        ("""{"minimum":1}""", """{"exclusiveMinimum":0.5}"""),
        ("""{"exclusiveMinimum":1}""", """{"minimum":1}"""),
        ("""{"maximum":1}""", """{"maximum":2}"""),
        ("""{"maximum":1}""", """{"exclusiveMaximum":2}"""),
        ("""{"exclusiveMaximum":1}""", """{"maximum":1}"""),
        ("""{"minimum":1,"maximum":3}""", "{}"),
        ("""{"multipleOf":4}""", """{"multipleOf":2}"""),
        ("""{"multipleOf":1.5}""", """{"multipleOf":0.25}"""),
        ("""{"multipleOf":4}""", "{}"),
        ("""{"type":"integer"}""", """{"type":"number"}"""),
        ("""{"type":"string"}""", """{"type":["null","string"]}"""),
        ("""{"type":"object"}""", "{}"),
        ("""{"enum":["a",1]}""", """{"enum":[null,1,"a"]}"""),
        ("""{"enum":["a","ab"]}""", """{"type":"string"}"""),
        ("""{"const":"a"}""", """{"enum":["b","a"]}"""),
        ("""{"const":1}""", "{}"),
        ("""{"minItems":2}""", """{"minItems":1}"""),
        ("""{"maxItems":1}""", """{"maxItems":2}"""),
        ("""{"uniqueItems":true}""", """{"uniqueItems":false}"""),
        ("""{"uniqueItems":true}""", "{}"),
        ("""{"contains":{"type":"integer"}}""", "{}"),
        ("""{"contains":true,"minContains":2}""", """{"contains":true,"minContains":1}"""),
        ("""{"contains":{"type":"null"},"maxContains":1}""", """{"contains":{"type":"null"},"maxContains":2}"""),
        ("""{"items":{"minimum":2}}""", """{"items":{"minimum":1}}"""),
        ("""{"items":false}""", "{}"),
        ("""{"prefixItems":[{"type":"string"},true]}""", """{"prefixItems":[{"type":["string","null"]}]}"""),
        ("""{"prefixItems":[true],"items":false}""", """{"prefixItems":[true,true],"items":false}"""),
        ("""{"minProperties":2}""", """{"minProperties":1}"""),
        ("""{"maxProperties":1}""", "{}"),
        ("""{"propertyNames":{"maxLength":1}}""", """{"propertyNames":{"maxLength":2}}"""),
        ("""{"additionalProperties":false}""", """{"additionalProperties":{"type":"integer"}}"""),
        ("""{"additionalProperties":{"type":"integer"}}""", "{}"),
        (
            """{"properties":{"a":true},"additionalProperties":false}""",
            """{"properties":{"a":true,"b":{"type":"null"}},"additionalProperties":false}"""
        ),
        ("""{"properties":{"a":{"type":"string","minLength":1}}}""", """{"properties":{"a":{"type":"string"}}}"""),
        ("""{"properties":{"a":{"type":"string"},"b":false}}""", """{"properties":{"b":false}}"""),
        ("""{"patternProperties":{"^a":{"minimum":1}}}""", """{"patternProperties":{"^a":{"minimum":0}}}"""),
        ("""{"patternProperties":{"^a":{"minimum":1}}}""", "{}"),
        ("""{"dependentRequired":{"a":["b","c"]}}""", """{"dependentRequired":{"a":["c"]}}"""),
        ("""{"dependentSchemas":{"a":{"required":["b"]}}}""", "{}"),
        ("""{"allOf":[{"minimum":1},{"type":"integer"}]}""", """{"allOf":[{"type":"integer"}]}"""),
        ("""{"anyOf":[{"minimum":1}]}""", """{"anyOf":[{"type":"string"},{"minimum":0}]}"""),
        ("""{"anyOf":[{"type":"integer"},{"type":"null"}]}""", """{"type":["null","integer"]}"""),
        ("""{"oneOf":[{"type":"integer"},{"type":"null"}]}""", """{"anyOf":[{"type":"integer"},{"type":"null"}]}"""),
        ("""{"oneOf":[{"type":"integer"},{"type":"null"}]}""", "{}"),
        ("""{"not":{"type":"string"}}""", "{}"),
        ("""{"not":{"type":["string","null"]}}""", """{"not":{"type":"string"}}"""),
        ("""{"if":{"required":["a"]},"then":{"required":["b"]}}""", """{"if":{"required":["a"]}}"""),
        (
            """{"if":{"type":"integer"},"else":{"minLength":2}}""",
            """{"if":{"type":"integer"},"else":{"minLength":1}}"""
        ),
        ("""{"unevaluatedProperties":false}""", "{}"),
        ("""{"minimum":1}""", """{"minimum":1,"title":"At least one","default":2}"""),
    ];

    /// <summary>Where a schema can stand so that what is wider there is wider in all.</summary>
    static readonly string[] Places =
    [
        """{"$defs":{},"allOf":[#]}""",
        """{"$defs":{},"allOf":[{"required":["a"]},#]}""",
        """{"$defs":{},"anyOf":[{"type":"null"},#]}""",
        """{"$defs":{},"properties":{"a":#,"b":true},"required":["a"]}""",
        """{"$defs":{},"additionalProperties":#}""",
        """{"$defs":{},"patternProperties":{"a":#}}""",
        """{"$defs":{},"items":#,"minItems":1}""",
        """{"$defs":{},"prefixItems":[#,true]}""",
        """{"$defs":{},"dependentSchemas":{"a":#}}""",
        """{"$defs":{},"if":{"required":["a"]},"then":#}""",
        """{"$ref":"#/$defs/s","$defs":{"s":#}}""",
        """{"$defs":{},"properties":{"a":{"items":#}}}""",
    ];

    [Fact]
    public void Most_changes_that_can_only_take_more_are_known_as_wider()
    {
        const int Rounds = 20;
        var known = 0;
        var unknown = new List<string>();
        foreach (var (before, after) in Looser)
        {
            var count = 0;
            for (var round = 0; round < Rounds; round++)
            {
                var (place, beside) = (Places[random.Next(Places.Length)], Beside(before, after));
                var (old, now) = (Placed(place, before, beside), Placed(place, after, beside));
                var (from, to) = (TestSchema.Of(old), TestSchema.Of(now));
                Takes(from, to, ValuesOf(old));
                count += Schema.IsWider(from, to) ? 1 : 0;
            }
            known += count;
            if (count < Rounds)
                unknown.Add($"{count}: {before} to {after}");
        }
        var summary = $"Seed {seed}: {known} of {Rounds * Looser.Length} are known\n{string.Join('\n', unknown)}";
        TestContext.Current.SendDiagnosticMessage(summary);
        Assert.True(known >= Rounds * Looser.Length * 8 / 10, summary);
    }

    [Fact]
    public void Nothing_valid_becomes_invalid_by_a_change_that_is_known_as_wider()
    {
        var (wider, valid) = (0, 0);
        while (wider < 10_000)
        {
            var text = RandomSchemas.Whole(3).Generate(generator, null, out _);
            if (TestSchema.Try(text) is not { } old)
                continue;
            var values = ValuesOf(text);
            for (var change = 0; change < 40; change++)
            {
                var other = RandomSchemas.Object(1).Generate(generator, null, out _);
                var now = TestSchema.Try(RandomSchemas.Change(text, other, random.Next(1_000)));
                if (now is null || !Schema.IsWider(old, now))
                    continue;
                wider++;
                valid += Takes(old, now, values);
            }
        }
        var summary = $"Seed {seed}: {wider} changes, with {valid} values that were valid";
        TestContext.Current.SendDiagnosticMessage(summary);
        Assert.True(valid > 20 * wider, summary);
    }

    JsonElement[] ValuesOf(string schema)
    {
        var values = new RandomValues(JsonNode.Parse(schema)!.AsObject(), random);
        return [.. Enumerable.Range(0, Values).Select(_ => JsonSerializer.SerializeToElement(values.Next()))];
    }

    /// <summary>Sees that one schema takes what another takes, leniently too; the number of values that it takes.</summary>
    int Takes(Schema old, Schema now, JsonElement[] values)
    {
        var valid = 0;
        foreach (var value in values)
        {
            var isValid = old.Accepts(value);
            valid += isValid ? 1 : 0;
            Assert.True(!isValid || now.Accepts(value), $"Seed {seed}: {old.Source}\n{now.Source}\n{value}");
            Assert.True(
                !old.Check(value, "", [], lenient: true) || now.Check(value, "", [], lenient: true),
                $"Seed {seed}, leniently: {old.Source}\n{now.Source}\n{value}"
            );
        }
        return valid;
    }

    /// <summary>Keywords that stay as they are.</summary>
    JsonObject Beside(string before, string after)
    {
        var beside = JsonNode.Parse(RandomSchemas.Object(0).Generate(generator, null, out _))!.AsObject();
        var changed = JsonNode.Parse(before)!.AsObject().Concat(JsonNode.Parse(after)!.AsObject());
        foreach (var (keyword, _) in changed)
            beside.Remove(keyword);
        beside.Remove("$ref");
        beside.Remove("$dynamicRef");
        return beside;
    }

    static string Placed(string place, string keywords, JsonObject beside)
    {
        var schema = beside.DeepClone().AsObject();
        foreach (var (keyword, value) in JsonNode.Parse(keywords)!.AsObject())
            schema[keyword] = value?.DeepClone();
        return place
            .Replace(":#", $":{schema.ToJsonString()}", StringComparison.Ordinal)
            .Replace("[#", $"[{schema.ToJsonString()}", StringComparison.Ordinal)
            .Replace(",#", $",{schema.ToJsonString()}", StringComparison.Ordinal);
    }
}
