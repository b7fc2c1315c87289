namespace Resources.Grains;

/// <summary>The resources that a run has come through, the innermost first.</summary>
internal sealed record DynamicScope(SchemaResource Resource, DynamicScope? Outer)
{
    /// <summary>Where a dynamic reference leads: the anchor of its name that was come by first.</summary>
    public SchemaNode Target(SchemaNode reference)
    {
        var target = reference.DynamicRef!;
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope.Resource.DynamicAnchors.TryGetValue(reference.DynamicName!, out var anchor))
                target = anchor;
        return target;
    }
}
