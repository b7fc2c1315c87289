using System.Text;

namespace Resources.Grains;

/// <summary>What a schema says of the places of a value.</summary>
internal static class SchemaPaths
{
    /// <summary>Whether a member at the end of the steps is described, by any branch of the schema.</summary>
    public static bool Describe(SchemaNode root, string[] steps) => At(root, steps, IsDescription).Count > 0;

    /// <summary>Whether a text at the end of the steps is of a format, by any branch of the schema.</summary>
    public static bool HasFormat(SchemaNode root, string[] steps, string format) =>
        At(root, steps, IsDescription).Any(node => node.FormatName == format);

    /// <summary>Whether a value of a type can stand at the end of the steps; true where that depends on the value.</summary>
    public static bool Take(SchemaNode root, string[] steps, JsonTypes type) =>
        At(root, steps, Always).All(node => node.Types is not { } types || types.HasFlag(type));

    /// <summary>Whether a member at the end of the steps, which is no list, is required whatever the value is.</summary>
    public static bool Require(SchemaNode root, string[] steps) =>
        steps is [.., not "*" and var member]
        && At(root, steps[..^1], Always).Any(node => node.Members.Of(member)?.IsRequired is true)
        && !At(root, steps, Always).Any(node => node.Types is JsonTypes.Array);

    /// <summary>What these say holds whatever the value is.</summary>
    static bool Always(string keyword) => keyword is "$ref" or "allOf";

    /// <summary>What a negation or a condition says is not what the value looks like.</summary>
    static bool IsDescription(string keyword) => keyword is not ("not" or "if");

    /// <summary>The subschemas for the value at the end of the steps.</summary>
    /// <param name="isFollowed">Which keywords are followed to subschemas of the same value.</param>
    static HashSet<SchemaNode> At(SchemaNode root, string[] steps, Func<string, bool> isFollowed)
    {
        var nodes = new HashSet<SchemaNode>();
        AddWithInPlace(root, nodes, isFollowed);
        foreach (var step in steps)
        {
            var below = new HashSet<SchemaNode>();
            foreach (var node in nodes)
            foreach (var child in Below(node, step))
                AddWithInPlace(child, below, isFollowed);
            below.RemoveWhere(node => node.TakesNothing);
            nodes = below;
        }
        return nodes;
    }

    static void AddWithInPlace(SchemaNode node, HashSet<SchemaNode> nodes, Func<string, bool> isFollowed)
    {
        var waiting = new Stack<SchemaNode>([node]);
        while (waiting.TryPop(out var next))
            if (nodes.Add(next))
                foreach (var (keyword, inner) in next.InPlace())
                    if (isFollowed(keyword))
                        waiting.Push(inner);
    }

    static IEnumerable<SchemaNode> Below(SchemaNode node, string step)
    {
        if (node.Members.Of(step)?.Schema is { } member)
            yield return member;
        else if (PatternOf(node, step) is { } byPattern)
            yield return byPattern;
        // A member of any name is described where the schema says something of it.
        else if (node.AdditionalProperties is { Source.ValueKind: System.Text.Json.JsonValueKind.Object } additional)
            yield return additional;

        if (step is "*")
            foreach (var prefix in node.PrefixItems)
                yield return prefix;
        else if (JsonPointer.Index(step, node.PrefixItems.Length) is >= 0 and var at)
            yield return node.PrefixItems[at];
        if (node.Items is not null && (step is "*" || JsonPointer.Index(step, int.MaxValue) >= node.PrefixItems.Length))
            yield return node.Items;
    }

    static SchemaNode? PatternOf(SchemaNode node, string name)
    {
        var text = Encoding.UTF8.GetBytes(name);
        // A definition has many pointers. A name that patterns take longer for is one that they do not describe.
        var budget = (long)SchemaRun.MaxSteps * SchemaRun.Unit / 100;
        foreach (var (pattern, schema) in node.PatternProperties)
            if (pattern.IsMatch(text, ref budget))
                return schema;
        return null;
    }
}
