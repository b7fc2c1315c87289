using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Values at random that are aimed at a schema: many fit, and many of the others fail at one place only.</summary>
internal sealed class RandomValues(JsonObject root, Random random)
{
    static readonly string[] Names = ["a", "b", "c", "0", "é", "ab"];
    static readonly string[] Texts = ["", "a", "é", "𝄞", "ab", "aéa", "b~/\"\\"];
    static readonly double[] Steps = [0, 1, -1, 0.5, 2];
    static readonly string[] Scalars = ["null", "true", "false", "0", "1", "-2", "0.5", "2e1", "\"a\"", "\"\""];

    /// <summary>A value.</summary>
    public JsonNode? Next()
    {
        var value = Of(root, 4);
        return random.Next(2) is 0 ? value : Mutated(value);
    }

    JsonNode? Of(JsonNode? schema, int depth)
    {
        if (depth is 0 || schema is not JsonObject || random.Next(12) is 0)
            return Any(depth);
        var rules = new JsonObject();
        Collect(schema, rules, 8);
        if (rules["const"] is { } constant)
            return constant.DeepClone();
        if (rules["enum"] is JsonArray { Count: > 0 } values)
            return Pick(values)?.DeepClone();
        return TypeOf(rules) switch
        {
            "object" => ObjectOf(rules, depth),
            "array" => ArrayOf(rules, depth),
            "string" => TextOf(rules),
            "integer" or "number" => NumberOf(rules),
            "boolean" => JsonValue.Create(random.Next(2) is 0),
            _ => null,
        };
    }

    /// <summary>Takes the keywords of a schema and of those that hold for the same value into one; the last one counts.</summary>
    void Collect(JsonNode? schema, JsonObject rules, int depth)
    {
        if (schema is not JsonObject members || depth is 0)
            return;
        foreach (var (keyword, value) in members)
            switch (keyword)
            {
                case "$ref" or "$dynamicRef":
                    Collect(root["$defs"]![value!.GetValue<string>()[^1..]], rules, depth - 1);
                    break;
                case "allOf":
                    foreach (var inner in value!.AsArray())
                        Collect(inner, rules, depth - 1);
                    break;
                case "anyOf" or "oneOf":
                    Collect(Pick(value!.AsArray()), rules, depth - 1);
                    break;
                case "if" or "then" or "else" when random.Next(2) is 0:
                    Collect(value, rules, depth - 1);
                    break;
                case "properties" when rules["properties"] is JsonObject known:
                    foreach (var (name, inner) in value!.AsObject())
                        known[name] = inner?.DeepClone();
                    break;
                default:
                    rules[keyword] = value?.DeepClone();
                    break;
            }
    }

    string TypeOf(JsonObject rules)
    {
        if (rules["type"] is { } type)
            return type is JsonArray types ? Pick(types)!.GetValue<string>() : type.GetValue<string>();
        var types2 = rules.Select(rule => KindOf(rule.Key)).OfType<string>().ToArray();
        return types2.Length > 0 ? types2[random.Next(types2.Length)] : "object";
    }

    static string? KindOf(string keyword) =>
        keyword switch
        {
            "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" or "multipleOf" => "number",
            "minLength" or "maxLength" or "pattern" => "string",
            "items" or "prefixItems" or "contains" or "uniqueItems" or "minItems" or "maxItems" => "array",
            "unevaluatedItems" or "minContains" or "maxContains" => "array",
            "title" or "not" or "type" or "if" or "then" or "else" or "$defs" or "$dynamicAnchor" => null,
            _ => "object",
        };

    JsonObject ObjectOf(JsonObject rules, int depth)
    {
        var value = new JsonObject();
        var known = rules["properties"] as JsonObject ?? [];
        var needed = rules["required"]?.AsArray().Select(name => name!.GetValue<string>()) ?? [];
        var patterns = rules["patternProperties"]?.AsObject().First().Value;
        var others = rules["additionalProperties"] ?? rules["unevaluatedProperties"];
        foreach (var name in known.Select(member => member.Key).Concat(Names).Concat(needed).Distinct())
        {
            var isNeeded = needed.Contains(name);
            if (!isNeeded && random.Next(3) > 0)
                continue;
            var schema = known[name] ?? (name[0] is 'a' or 'b' ? patterns : null) ?? others;
            value[name] = Of(schema, depth - 1);
        }
        return value;
    }

    JsonArray ArrayOf(JsonObject rules, int depth)
    {
        var value = new JsonArray();
        var prefix = rules["prefixItems"] as JsonArray ?? [];
        var count = random.Next(4) is 0 ? random.Next(12) : Count(rules, "minItems", "maxItems");
        for (var at = 0; at < count; at++)
            value.Add(
                Of(
                    random.Next(3) is 0 && rules["contains"] is { } contained ? contained
                        : at < prefix.Count ? prefix[at]
                        : rules["items"] ?? rules["unevaluatedItems"],
                    depth - 1
                )
            );
        return value;
    }

    JsonValue TextOf(JsonObject rules)
    {
        var text = new StringBuilder();
        for (var count = Count(rules, "minLength", "maxLength"); count > 0; count--)
            text.Append(Texts[random.Next(Texts.Length)]);
        return JsonValue.Create(text.ToString());
    }

    int Count(JsonObject rules, string min, string max)
    {
        var least = rules[min]?.GetValue<int>() ?? 0;
        return Math.Max(0, random.Next(least, Math.Max(least, rules[max]?.GetValue<int>() ?? least + 2) + 1));
    }

    JsonNode NumberOf(JsonObject rules)
    {
        string[] bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
        var given = bounds.Select(bound => rules[bound]).OfType<JsonNode>().ToArray();
        if (given.Length is 0 || random.Next(4) is 0)
            return JsonNode.Parse(random.Next(-4, 8).ToString(CultureInfo.InvariantCulture))!;
        var number = given[random.Next(given.Length)].GetValue<decimal>() + (decimal)Steps[random.Next(Steps.Length)];
        return JsonNode.Parse(number.ToString(CultureInfo.InvariantCulture))!;
    }

    JsonNode? Any(int depth)
    {
        if (depth is 0 || random.Next(2) is 0)
            return JsonNode.Parse(Scalars[random.Next(Scalars.Length)]);
        if (random.Next(2) is 0)
            return new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Any(depth - 1))]);
        return new JsonObject(
            Names.Where(_ => random.Next(3) is 0).Select(name => KeyValuePair.Create(name, Any(depth - 1)))
        );
    }

    /// <summary>The value with one change at one place.</summary>
    JsonNode? Mutated(JsonNode? value)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } members when random.Next(4) > 0:
                var name = members.ElementAt(random.Next(members.Count)).Key;
                var member = members[name];
                members.Remove(name);
                if (random.Next(3) > 0)
                    members[name] = Mutated(member);
                return members;
            case JsonArray { Count: > 0 } items when random.Next(4) > 0:
                var at = random.Next(items.Count);
                var item = items[at];
                items.RemoveAt(at);
                if (random.Next(3) > 0)
                    items.Insert(at, Mutated(item));
                else if (random.Next(2) is 0 && items.Count > 0)
                    items.Add(items[0]?.DeepClone());
                return items;
            default:
                return Any(2);
        }
    }

    JsonNode? Pick(JsonArray values) => values[random.Next(values.Count)];
}
