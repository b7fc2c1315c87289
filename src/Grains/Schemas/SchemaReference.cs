namespace Resources.Grains;

/// <summary>A reference that was read and not followed yet.</summary>
/// <param name="Node">The subschema that has it.</param>
/// <param name="Keyword">$ref or $dynamicRef.</param>
/// <param name="Value">What it says.</param>
internal sealed record SchemaReference(SchemaNode Node, string Keyword, string Value);
