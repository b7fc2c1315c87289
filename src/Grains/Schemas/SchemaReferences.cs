namespace Resources.Grains;

/// <summary>Follows the references of a schema, and bounds what one value costs without a step into it.</summary>
internal sealed class SchemaReferences(SchemaCompiler compiler)
{
    /// <summary>The most subschemas that are run on one value.</summary>
    public const int MaxSteps = 1_000;

    /// <summary>The longest chain of them, each run by the one before.</summary>
    public const int MaxChain = 64;

    readonly Dictionary<SchemaNode, (int Steps, int Chain)?> costs = [];

    /// <summary>Follows all references, and reports those that lead nowhere, outside or in a circle.</summary>
    public void Follow()
    {
        foreach (var reference in compiler.References)
            Follow(reference);
        foreach (var node in compiler.Nodes)
            CostOf(node, depth: 1);
    }

    void Follow(SchemaReference reference)
    {
        var node = reference.Node;
        var place = $"{node.Place}/{reference.Keyword}";
        var (uri, fragment) = SchemaUri.Fragment(SchemaUri.Resolve(node.Resource.Uri, reference.Value));
        if (!compiler.Resources.TryGetValue(uri, out var resource))
        {
            compiler.Report(place, FaultCode.RemoteReference, "Nothing outside the schema is ever fetched.");
            return;
        }
        var target = fragment is "" or ['/', ..]
            ? compiler.ByPlace.GetValueOrDefault(resource.Place + fragment)
            : resource.Anchors.GetValueOrDefault(fragment);
        if (target is null)
        {
            compiler.Report(place, FaultCode.UnknownReference, "The schema has no subschema there.");
            return;
        }
        if (reference.Keyword is "$ref")
        {
            node.Ref = target;
            return;
        }
        node.DynamicRef = target;
        node.DynamicTargets = [target];
        // Only a reference to a dynamic anchor is dynamic; it may lead to any anchor of the name.
        if (fragment.Length is 0 || resource.DynamicAnchors.GetValueOrDefault(fragment) != target)
            return;
        node.DynamicName = fragment;
        node.DynamicTargets =
        [
            .. compiler
                .Resources.Values.Select(other => other.DynamicAnchors.GetValueOrDefault(fragment))
                .OfType<SchemaNode>(),
        ];
    }

    /// <summary>What a subschema costs on one value: the steps, and the longest chain of them.</summary>
    (int Steps, int Chain) CostOf(SchemaNode node, int depth)
    {
        if (costs.TryGetValue(node, out var known))
            return known ?? (1, 1);
        if (depth > 2 * MaxChain)
        {
            ReportCost(node);
            return (2 * MaxSteps, 2 * MaxChain);
        }
        // Null while its own cost is not known: who asks then has come in a circle.
        costs[node] = null;
        var (steps, chain) = (1, 1);
        var isReported = false;
        foreach (var (keyword, next) in node.InPlace())
        {
            if (costs.TryGetValue(next, out var cost) && cost is null)
            {
                compiler.Report(
                    $"{node.Place}/{keyword}",
                    FaultCode.EndlessReference,
                    "The schema refers to itself without a step into the value."
                );
                continue;
            }
            var (more, deeper) = CostOf(next, depth + 1);
            isReported |= IsTooCostly(more, deeper);
            steps = Math.Min(steps + more, 2 * MaxSteps);
            chain = Math.Max(chain, Math.Min(deeper + 1, 2 * MaxChain));
        }
        if (IsTooCostly(steps, chain) && !isReported)
            ReportCost(node);
        costs[node] = (steps, chain);
        return (steps, chain);
    }

    void ReportCost(SchemaNode node) =>
        compiler.Report(
            node.Place,
            FaultCode.TooCostly,
            $"A value is held against at most {MaxSteps} subschemas at once, in chains of at most {MaxChain}."
        );

    static bool IsTooCostly(int steps, int chain) => steps > MaxSteps || chain > MaxChain;
}
