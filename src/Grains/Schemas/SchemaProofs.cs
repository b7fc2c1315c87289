namespace Resources.Grains;

/// <summary>
/// What has been found of pairs of subschemas. A pair that is being proven counts as proven: it comes up again only a
/// step further into the value, and values end.
/// </summary>
internal sealed class SchemaProofs(int most, int deepest)
{
    readonly HashSet<(SchemaNode, SchemaNode)> proven = [];
    readonly HashSet<(SchemaNode, SchemaNode)> refuted = [];
    readonly Stack<(SchemaNode, SchemaNode)> trail = [];
    int attempts;
    int depth;

    /// <summary>
    /// Whether the pair can be proven. After so many attempts, or so deep, nothing can be: whether it is true is unknown.
    /// </summary>
    public bool Prove(SchemaNode from, SchemaNode to, Func<SchemaNode, SchemaNode, bool> proof)
    {
        var pair = (from, to);
        if (proven.Contains(pair))
            return true;
        if (refuted.Contains(pair) || ++attempts > most || depth >= deepest)
            return false;

        var before = trail.Count;
        proven.Add(pair);
        trail.Push(pair);
        depth++;
        var isProven = proof(from, to);
        depth--;
        if (isProven)
            return true;
        // What was proven meanwhile may rest on this.
        while (trail.Count > before)
            proven.Remove(trail.Pop());
        refuted.Add(pair);
        return false;
    }
}
