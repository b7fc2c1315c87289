using System.Text.Json.Nodes;
using CsCheck;

namespace Resources.Domain.Tests;

/// <summary>Schemas at random, as text, whose values are those of <see cref="TestJson"/>.</summary>
internal static class RandomSchemas
{
    static readonly Gen<string> Type = Gen.OneOf("null", "boolean", "integer", "number", "string", "array", "object");
    static readonly Gen<string> Name = Gen.OneOf("a", "b", "c", "0", "é");
    static readonly Gen<string> Bound = Gen.OneOf("-2", "0", "1.10", "9007199254740993");
    static readonly Gen<string> Count = Gen.OneOf("0", "1", "2", "3");
    static readonly Gen<string> Reference = Gen.OneOf("#/$defs/s", "#/$defs/t", "#t");

    static readonly Gen<string> Leaf = Gen.OneOf(
        Type.Select(type => $"\"type\":\"{type}\""),
        Gen.Select(Type, Type).Select((a, b) => $"\"type\":[\"{a}\",\"{b}\"]"),
        TestJson.Value.Select(value => $"\"const\":{value}"),
        Gen.Select(TestJson.Value, TestJson.Value).Select((a, b) => $"\"enum\":[{a},{b},1,\"a\",{{}}]"),
        Gen.Select(Gen.OneOf("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), Bound).Select(Member),
        Gen.OneOf("1", "2", "0.5", "1.10").Select(step => $"\"multipleOf\":{step}"),
        Gen.Select(Gen.OneOf("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), Count)
            .Select(Member),
        Gen.OneOf("\"pattern\":\"a\"", "\"pattern\":\"^.$\"", "\"uniqueItems\":true", "\"title\":\"t\""),
        Gen.Select(Name, Name).Select((a, b) => $"\"required\":[\"{a}\",\"{b}\"]"),
        Gen.Select(Name, Name).Select((a, b) => $"\"dependentRequired\":{{\"{a}\":[\"{b}\"]}}"),
        Gen.Select(Gen.OneOf("minContains", "maxContains"), Count).Select(Member),
        Gen.Select(Gen.OneOf("$ref", "$dynamicRef"), Reference)
            .Select((keyword, reference) => $"\"{keyword}\":\"{reference}\"")
    );

    /// <summary>
    /// Whole schemas, so many levels deep, with what the references of all lead to. Some refer to themselves without a
    /// step into the value, and are refused.
    /// </summary>
    public static Gen<string> Whole(int depth) =>
        Gen.Select(Object(depth), Object(1), Object(0))
            .Select(
                (root, s, t) =>
                    $$"""{"$defs":{"s":{{s}},"t":{"$dynamicAnchor":"t"{{(t is "{}" ? "" : ",")}}{{t[1..]}}}{{(root is "{}" ? "" : ",")}}{{root[1..]}}"""
            );

    /// <summary>Schemas so many levels deep, whose references lead to what a whole one has.</summary>
    public static Gen<string> Object(int depth) =>
        (depth is 0 ? Leaf : Gen.Frequency((2, Leaf), (3, Nested(depth - 1))))
            .Array[0, 4]
            .Select(members =>
                $"{{{string.Join(",", members.DistinctBy(member => member[..member.IndexOf(':', StringComparison.Ordinal)]))}}}"
            );

    /// <summary>The schema with another one, or with a keyword less, at one of its places.</summary>
    public static string Change(string schema, string other, int at)
    {
        var root = JsonNode.Parse(schema)!.AsObject();
        var objects = new List<JsonObject>();
        Collect(root, objects);
        var target = objects[at % objects.Count];
        if (at % 3 is 0 && target.Count > 0)
            target.RemoveAt(at / 3 % target.Count);
        else
            foreach (var (keyword, value) in JsonNode.Parse(other)!.AsObject())
                target[keyword] = value?.DeepClone();
        return root.ToJsonString();
    }

    static Gen<string> Nested(int depth)
    {
        var schema = Gen.Frequency((8, Object(depth)), (1, Gen.OneOf("true", "false")));
        return Gen.OneOf(
            Gen.Select(Name, schema, Name, schema)
                .Select((a, x, b, y) => $"\"properties\":{{\"{a}\":{x}{(a == b ? "" : $",\"{b}\":{y}")}}}"),
            Gen.Select(Gen.OneOf("additionalProperties", "items", "contains", "propertyNames", "not"), schema)
                .Select(Member),
            Gen.Select(Gen.OneOf("unevaluatedProperties", "unevaluatedItems"), schema).Select(Member),
            Gen.Select(Gen.OneOf("if", "then", "else"), schema).Select(Member),
            schema.Select(inner => $"\"patternProperties\":{{\"^[ab]\":{inner}}}"),
            Gen.Select(Gen.OneOf("allOf", "anyOf", "oneOf", "prefixItems"), schema, schema)
                .Select((keyword, x, y) => $"\"{keyword}\":[{x},{y}]"),
            Gen.Select(Name, schema).Select((name, inner) => $"\"dependentSchemas\":{{\"{name}\":{inner}}}")
        );
    }

    static string Member(string keyword, string value) => $"\"{keyword}\":{value}";

    /// <summary>The subschemas: objects that are not values of enum or const, nor maps of schemas.</summary>
    static void Collect(JsonNode? node, List<JsonObject> objects)
    {
        if (node is not JsonObject schema)
            return;
        objects.Add(schema);
        foreach (var (keyword, value) in schema)
            if (keyword is "$defs" or "properties" or "patternProperties" or "dependentSchemas")
                foreach (var (_, inner) in value!.AsObject())
                    Collect(inner, objects);
            else if (keyword is "allOf" or "anyOf" or "oneOf" or "prefixItems")
                foreach (var inner in value!.AsArray())
                    Collect(inner, objects);
            else if (keyword is not ("const" or "enum" or "dependentRequired"))
                Collect(value, objects);
    }
}
