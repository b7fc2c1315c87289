using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// Proves from two schemas alone that the new one takes everything that the old one takes. The rules are conservative:
/// each thing that the new one asks must be implied by one that the old one asks.
/// </summary>
internal sealed class SchemaWidening(Schema old, Schema now)
{
    // Annotations, and names, whose meaning is in the references that were followed.
    static readonly HashSet<string> Silent =
    [
        "$id",
        "$schema",
        "$vocabulary",
        "$anchor",
        "$dynamicAnchor",
        "$comment",
        "$defs",
        "$ref",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
    ];

    static readonly SchemaNode Open = new(JsonElement.Parse("true"), "", new("", ""));

    const int MaxAttempts = 20_000;
    const int MaxDepth = 128;

    readonly SchemaProofs wider = new(MaxAttempts, MaxDepth);
    readonly SchemaProofs same = new(MaxAttempts, MaxDepth);
    long budget = (long)SchemaRun.MaxSteps * SchemaRun.Unit;

    /// <summary>Whether the new schema is at least as wide.</summary>
    public bool IsWider() =>
        old.FollowsScope || now.FollowsScope
            ? JsonElement.DeepEquals(old.Source, now.Source)
            : IsWider(old.Root, now.Root) && budget >= 0;

    bool IsWider(SchemaNode from, SchemaNode to) =>
        from.TakesNothing
        || to.Source.ValueKind is JsonValueKind.True
        || (!to.TakesNothing && wider.Prove(from, to, Prove));

    bool Prove(SchemaNode from, SchemaNode to) => Spend(from, to) && Proves(from, to);

    /// <summary>Takes from the budget what it is to look at two subschemas. Without one, nothing is proven.</summary>
    bool Spend(SchemaNode from, SchemaNode to)
    {
        budget -= SchemaRun.Unit * (1L + from.Children.Count + to.Children.Count);
        return budget >= 0;
    }

    bool Proves(SchemaNode from, SchemaNode to) =>
        from.Const is { } constant ? Takes(from, to, constant)
        : from.Enum is { } values ? values.All(value => Takes(from, to, value))
        : AsksNoMore(from, to) || PartIsWider(from, to);

    bool AsksNoMore(SchemaNode from, SchemaNode to) =>
        DependsOnMarks(to)
            ? AreSame(from, to)
            : TypesAreWider(from, to) && MembersAreWider(from, to) && InPlaceIsWider(from, to);

    /// <summary>Whether one part that always holds, or each part of which one holds, asks all that the new schema asks.</summary>
    bool PartIsWider(SchemaNode from, SchemaNode to) =>
        (from.Ref is not null && IsWider(from.Ref, to))
        || Array.Exists(from.AllOf, part => IsWider(part, to))
        || AllAreWider(from.AnyOf, to)
        || AllAreWider(from.OneOf, to);

    bool AllAreWider(SchemaNode[] parts, SchemaNode to) =>
        parts.Length > 0 && Array.TrueForAll(parts, part => IsWider(part, to));

    static bool DependsOnMarks(SchemaNode node) =>
        node.UnevaluatedItems is not null || node.UnevaluatedProperties is not null;

    /// <summary>Whether a value that one subschema takes is one that the other takes, leniently too.</summary>
    bool Takes(SchemaNode from, SchemaNode to, JsonElement value) =>
        Array.TrueForAll([false, true], lenient => !Takes(from, value, lenient) || Takes(to, value, lenient));

    bool Takes(SchemaNode node, JsonElement value, bool lenient)
    {
        var run = new SchemaRun(lenient, followsScope: false);
        var takes = budget >= 0 && run.Check(node, value, "");
        budget -= (long)run.Steps * SchemaRun.Unit;
        return takes;
    }

    static bool TypesAreWider(SchemaNode from, SchemaNode to)
    {
        var types = TypesOf(from);
        if ((types & ~(to.Types ?? JsonTypes.All)) != 0 || to.Const is not null || to.Enum is not null)
            return false;
        return ((types & JsonTypes.Number) == 0 || NumbersAreWider(from, to))
            && ((types & JsonTypes.String) == 0 || TextsAreWider(from, to))
            && (
                (types & JsonTypes.Array) == 0 || CountsAreWider(from.MinItems, from.MaxItems, to.MinItems, to.MaxItems)
            )
            && (
                (types & JsonTypes.Object) == 0
                || CountsAreWider(from.MinProperties, from.MaxProperties, to.MinProperties, to.MaxProperties)
            );
    }

    /// <summary>The types that a subschema takes at most.</summary>
    static JsonTypes TypesOf(SchemaNode node)
    {
        var types = node.Types ?? JsonTypes.All;
        foreach (var part in node.AllOf)
            types &= part.Types ?? JsonTypes.All;
        foreach (var parts in new[] { node.AnyOf, node.OneOf })
            if (parts.Length > 0)
                types &= parts.Aggregate(JsonTypes.None, (all, part) => all | (part.Types ?? JsonTypes.All));
        return types;
    }

    static bool NumbersAreWider(SchemaNode from, SchemaNode to) =>
        (to.Minimum is not { } min || IsAtLeast(from.Minimum, min) || IsAtLeast(from.ExclusiveMinimum, min))
        && (
            to.ExclusiveMinimum is not { } above
            || IsAtLeast(from.ExclusiveMinimum, above)
            || (from.Minimum is { } least && JsonNumber.Compare(least, above) > 0)
        )
        && (to.Maximum is not { } max || IsAtMost(from.Maximum, max) || IsAtMost(from.ExclusiveMaximum, max))
        && (
            to.ExclusiveMaximum is not { } below
            || IsAtMost(from.ExclusiveMaximum, below)
            || (from.Maximum is { } most && JsonNumber.Compare(most, below) < 0)
        )
        && (to.MultipleOf is not { } step || (from.MultipleOf is { } steps && JsonNumber.IsMultiple(steps, step)));

    static bool IsAtLeast(byte[]? number, byte[] bound) => number is not null && JsonNumber.Compare(number, bound) >= 0;

    static bool IsAtMost(byte[]? number, byte[] bound) => number is not null && JsonNumber.Compare(number, bound) <= 0;

    static bool TextsAreWider(SchemaNode from, SchemaNode to) =>
        CountsAreWider(from.MinLength, from.MaxLength, to.MinLength, to.MaxLength)
        && (to.Pattern is null || HasSame(from, to, "pattern"))
        && (to.Format is null || from.FormatName == to.FormatName);

    static bool HasSame(SchemaNode from, SchemaNode to, string keyword) =>
        from.Source.ValueKind is JsonValueKind.Object
        && from.Source.TryGetProperty(keyword, out var before)
        && JsonElement.DeepEquals(before, to.Source.GetProperty(keyword));

    static bool CountsAreWider(int oldMin, int? oldMax, int newMin, int? newMax) =>
        newMin <= oldMin && (newMax is null || oldMax <= newMax);

    bool MembersAreWider(SchemaNode from, SchemaNode to)
    {
        var types = TypesOf(from);
        return ((types & JsonTypes.Array) == 0 || ItemsAreWider(from, to))
            && ((types & JsonTypes.Object) == 0 || (ObjectsAreWider(from, to) && PropertiesAreWider(from, to)));
    }

    bool ItemsAreWider(SchemaNode from, SchemaNode to)
    {
        if (to.UniqueItems && !from.UniqueItems)
            return false;
        for (var at = 0; at <= Math.Max(from.PrefixItems.Length, to.PrefixItems.Length); at++)
            if (!IsWider(ItemAt(from, at), ItemAt(to, at)))
                return false;
        return to.Contains is null
            || (
                from.Contains is not null
                && AreSame(from.Contains, to.Contains)
                && CountsAreWider(from.MinContains ?? 1, from.MaxContains, to.MinContains ?? 1, to.MaxContains)
            );
    }

    static SchemaNode ItemAt(SchemaNode node, int at) =>
        at < node.PrefixItems.Length ? node.PrefixItems[at] : node.Items ?? Open;

    bool ObjectsAreWider(SchemaNode from, SchemaNode to) =>
        to.Members.All.All(rule => !rule.IsRequired || from.Members.Of(rule.Name) is { IsRequired: true })
        && to.DependentRequired.All(dependency =>
            dependency.Needed.All(name =>
                Array.Exists(from.DependentRequired, x => x.Member == dependency.Member && x.Needed.Contains(name))
            )
        )
        && to.DependentSchemas.All(dependency =>
            Array.Exists(from.DependentSchemas, x => x.Member == dependency.Member && IsWider(x.Node, dependency.Node))
        )
        && (to.PropertyNames is null || IsWider(from.PropertyNames ?? Open, to.PropertyNames));

    bool PropertiesAreWider(SchemaNode from, SchemaNode to)
    {
        // Which names a pattern takes is not known in general, so no pattern may be new.
        var (before, after) = (Patterns(from), Patterns(to));
        foreach (var (pattern, schema) in after)
            if (!before.TryGetValue(pattern, out var was) || !IsWider(was, schema))
                return false;
        // What a pattern took that is gone is of the others now.
        var others = to.AdditionalProperties ?? Open;
        if (!before.All(was => after.ContainsKey(was.Key) || IsWider(was.Value, others)))
            return false;
        if (!IsWider(from.AdditionalProperties ?? Open, others))
            return false;
        return from
            .Members.All.Concat(to.Members.All)
            .Select(rule => rule.Name)
            .Distinct()
            .All(name => MemberIsWider(SchemasOf(from, name), SchemasOf(to, name)));
    }

    bool MemberIsWider(List<SchemaNode> before, List<SchemaNode> after) =>
        after.TrueForAll(schema => before.Exists(was => IsWider(was, schema)) || IsWider(Open, schema));

    /// <summary>All schemas that a member of a name must fit.</summary>
    List<SchemaNode> SchemasOf(SchemaNode node, string name)
    {
        var text = System.Text.Encoding.UTF8.GetBytes(name);
        var schemas = new List<SchemaNode>();
        if (node.Members.Of(name)?.Schema is { } member)
            schemas.Add(member);
        foreach (var (pattern, schema) in node.PatternProperties)
            if (pattern.IsMatch(text, ref budget))
                schemas.Add(schema);
        if (schemas.Count is 0 && node.AdditionalProperties is { } additional)
            schemas.Add(additional);
        return schemas;
    }

    static Dictionary<string, SchemaNode> Patterns(SchemaNode node) =>
        node
            .Children.Where(child => child.Path.StartsWith("/patternProperties/", StringComparison.Ordinal))
            .ToDictionary(child => child.Path, child => child.Node);

    bool InPlaceIsWider(SchemaNode from, SchemaNode to) =>
        (to.Ref is null || (from.Ref is not null && IsWider(from.Ref, to.Ref)))
        && (to.DynamicRef is null || (from.DynamicRef is not null && IsWider(from.DynamicRef, to.DynamicRef)))
        && to.AllOf.All(schema => Array.Exists(from.AllOf, was => IsWider(was, schema)))
        && (to.AnyOf.Length is 0 || AllFit(from.AnyOf, to.AnyOf) || AllFit(from.OneOf, to.AnyOf))
        && (
            to.OneOf.Length is 0
            || (
                from.OneOf.Length == to.OneOf.Length
                && from.OneOf.Zip(to.OneOf).All(pair => AreSame(pair.First, pair.Second))
            )
        )
        // What is refused must have been refused.
        && (to.Not is null || (from.Not is not null && IsWider(to.Not, from.Not)))
        && ConditionIsWider(from, to);

    /// <summary>Whether each of some alternatives is one of others, or narrower.</summary>
    bool AllFit(SchemaNode[] from, SchemaNode[] to) =>
        from.Length > 0 && Array.TrueForAll(from, was => Array.Exists(to, schema => IsWider(was, schema)));

    bool ConditionIsWider(SchemaNode from, SchemaNode to) =>
        to.If is null
        || (to.Then is null && to.Else is null)
        || (
            from.If is not null
            && AreSame(from.If, to.If)
            && (to.Then is null || IsWider(from.Then ?? Open, to.Then))
            && (to.Else is null || IsWider(from.Else ?? Open, to.Else))
        );

    /// <summary>Whether two subschemas ask the same, word for word, annotations aside.</summary>
    bool AreSame(SchemaNode from, SchemaNode to) => same.Prove(from, to, ProveSame);

    bool ProveSame(SchemaNode from, SchemaNode to) =>
        Spend(from, to)
        && HaveSameKeywords(from, to)
        && AreSameOrNone(from.Ref, to.Ref)
        && AreSameOrNone(from.DynamicRef, to.DynamicRef);

    bool AreSameOrNone(SchemaNode? from, SchemaNode? to) => from is null || to is null ? from == to : AreSame(from, to);

    bool HaveSameKeywords(SchemaNode from, SchemaNode to)
    {
        if (from.Source.ValueKind != to.Source.ValueKind)
            return false;
        if (from.Source.ValueKind is not JsonValueKind.Object)
            return true;
        var (before, after) = (Keywords(from), Keywords(to));
        if (before.Count != after.Count)
            return false;
        foreach (var (keyword, value) in after)
            if (!before.TryGetValue(keyword, out var was) || !IsSame(from, to, keyword, was, value))
                return false;
        return true;
    }

    /// <summary>Keywords without subschemas are compared as they are; others by their subschemas.</summary>
    bool IsSame(SchemaNode from, SchemaNode to, string keyword, JsonElement was, JsonElement value)
    {
        var (before, after) = (Subschemas(from, keyword), Subschemas(to, keyword));
        if (before.Count is 0 && after.Count is 0)
            return JsonElement.DeepEquals(was, value);
        return before.Count == after.Count
            && before.All(child => after.TryGetValue(child.Key, out var other) && AreSame(child.Value, other));
    }

    static Dictionary<string, SchemaNode> Subschemas(SchemaNode node, string keyword) =>
        node
            .Children.Where(child =>
                child.Path == $"/{keyword}" || child.Path.StartsWith($"/{keyword}/", StringComparison.Ordinal)
            )
            .ToDictionary(child => child.Path, child => child.Node);

    static Dictionary<string, JsonElement> Keywords(SchemaNode node) =>
        node
            .Source.EnumerateObject()
            .Where(member => !Silent.Contains(member.Name) && !member.Name.StartsWith("x-", StringComparison.Ordinal))
            .ToDictionary(member => member.Name, member => member.Value);
}
