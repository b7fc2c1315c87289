using System.Text;

namespace Resources.Grains;

/// <summary>What a schema says of the places of a value.</summary>
internal static class SchemaPaths
{
    /// <summary>Whether a member at the end of the steps is described, by any branch of the schema.</summary>
    public static bool Describe(SchemaNode root, string[] steps) => At(root, steps).Count > 0;

    /// <summary>Whether a text at the end of the steps is of a format, by any branch of the schema.</summary>
    public static bool HasFormat(SchemaNode root, string[] steps, string format) =>
        At(root, steps).Any(node => node.FormatName == format);

    static HashSet<SchemaNode> At(SchemaNode root, string[] steps)
    {
        var nodes = new HashSet<SchemaNode>();
        AddWithInPlace(root, nodes);
        foreach (var step in steps)
        {
            var below = new HashSet<SchemaNode>();
            foreach (var node in nodes)
            foreach (var child in Below(node, step))
                AddWithInPlace(child, below);
            below.RemoveWhere(node => node.TakesNothing);
            nodes = below;
        }
        return nodes;
    }

    static void AddWithInPlace(SchemaNode node, HashSet<SchemaNode> nodes)
    {
        var waiting = new Stack<SchemaNode>([node]);
        while (waiting.TryPop(out var next))
            if (nodes.Add(next))
                // What a negation or a condition says is not what the value looks like.
                foreach (var (keyword, inner) in next.InPlace())
                    if (keyword is not ("not" or "if"))
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
