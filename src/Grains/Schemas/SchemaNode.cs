using System.Text.Json;

namespace Resources.Grains;

/// <summary>A subschema, ready to be run: its keywords as fields, its references as the nodes that they lead to.</summary>
internal sealed class SchemaNode(JsonElement source, string place, SchemaResource resource)
{
    /// <summary>The subschema as it was written.</summary>
    public JsonElement Source { get; } = source;

    /// <summary>The pointer to it in its document.</summary>
    public string Place { get; } = place;

    /// <summary>What it belongs to.</summary>
    public SchemaResource Resource { get; } = resource;

    /// <summary>All subschemas of its keywords, with the steps to them.</summary>
    public List<(string Path, SchemaNode Node)> Children { get; } = [];

    /// <summary>Whether it is the schema false, which takes nothing.</summary>
    public bool TakesNothing => Source.ValueKind is JsonValueKind.False;

    public JsonTypes? Types;
    public HashSet<JsonElement>? Enum;
    public JsonElement? Const;

    // Numbers as they were written.
    public byte[]? MultipleOf;
    public byte[]? Minimum;
    public byte[]? Maximum;
    public byte[]? ExclusiveMinimum;
    public byte[]? ExclusiveMaximum;

    public int MinLength;
    public int? MaxLength;
    public SchemaPattern? Pattern;
    public Formats.Check? Format;
    public string? FormatName;

    public int MinItems;
    public int? MaxItems;
    public bool UniqueItems;
    public SchemaNode[] PrefixItems = [];
    public SchemaNode? Items;
    public SchemaNode? Contains;
    public int? MinContains;
    public int? MaxContains;
    public SchemaNode? UnevaluatedItems;

    public int MinProperties;
    public int? MaxProperties;
    public readonly MemberRules Members = new();
    public (SchemaPattern Pattern, SchemaNode Node)[] PatternProperties = [];
    public SchemaNode? AdditionalProperties;
    public SchemaNode? PropertyNames;
    public (string Member, string[] Needed)[] DependentRequired = [];
    public (string Member, SchemaNode Node)[] DependentSchemas = [];
    public SchemaNode? UnevaluatedProperties;

    public SchemaNode? Ref;
    public SchemaNode? DynamicRef;

    /// <summary>The name that a dynamic reference looks for; null where it is an ordinary one.</summary>
    public string? DynamicName;

    /// <summary>Where a dynamic reference may lead.</summary>
    public SchemaNode[] DynamicTargets = [];

    public SchemaNode[] AllOf = [];
    public SchemaNode[] AnyOf = [];
    public SchemaNode[] OneOf = [];
    public SchemaNode? Not;
    public SchemaNode? If;
    public SchemaNode? Then;
    public SchemaNode? Else;

    public JsonElement? Default;

    /// <summary>Whether it asks anything of the members or items of a value.</summary>
    public bool AsksMembers =>
        Members.Any || PatternProperties.Length > 0 || AdditionalProperties is not null || PropertyNames is not null;

    /// <summary>The subschemas that are run on the same value, with the keyword.</summary>
    public IEnumerable<(string Keyword, SchemaNode Node)> InPlace()
    {
        if (Ref is not null)
            yield return ("$ref", Ref);
        foreach (var target in DynamicTargets)
            yield return ("$dynamicRef", target);
        foreach (var node in AllOf)
            yield return ("allOf", node);
        foreach (var node in AnyOf)
            yield return ("anyOf", node);
        foreach (var node in OneOf)
            yield return ("oneOf", node);
        if (Not is not null)
            yield return ("not", Not);
        if (If is not null)
            yield return ("if", If);
        if (Then is not null)
            yield return ("then", Then);
        if (Else is not null)
            yield return ("else", Else);
        foreach (var (_, node) in DependentSchemas)
            yield return ("dependentSchemas", node);
    }
}
