using System.Text.Json;

namespace Resources.Grains;

/// <summary>Subschemas of the same value.</summary>
internal sealed partial class SchemaRun
{
    bool CheckInPlace(
        SchemaNode node,
        JsonElement value,
        ValuePlace? place,
        Marks? marks,
        DynamicScope? scope,
        int depth
    )
    {
        var valid = true;
        if (node.Ref is not null)
            valid = Check(node.Ref, value, place, marks, scope, depth + 1);
        if (node.DynamicRef is not null && (valid || place is not null))
            valid &= Check(
                node.DynamicName is null ? node.DynamicRef : scope!.Target(node),
                value,
                place,
                marks,
                scope,
                depth + 1
            );
        foreach (var schema in node.AllOf)
            if (valid || place is not null)
                valid &= Check(schema, value, place, marks, scope, depth + 1);
        if (!valid && place is null)
            return false;

        if (node.AnyOf.Length > 0 && !AnyFits(node.AnyOf, value, marks, scope, depth))
            valid = Fail(place, "ANY_OF", "The value must fit one of the schemas of anyOf.");
        if (node.OneOf.Length > 0)
            valid &= CheckOneOf(node.OneOf, value, place, marks, scope, depth);
        if (node.Not is not null && Strictly(node.Not, value, null, scope, depth))
            valid = Fail(place, "NOT", "The value must not fit the schema of not.");
        if (node.If is not null)
            valid &= CheckCondition(node, node.If, value, place, marks, scope, depth);
        if (value.ValueKind is JsonValueKind.Object)
            foreach (var (member, schema) in node.DependentSchemas)
                if ((valid || place is not null) && Has(value, member))
                    valid &= Check(schema, value, place, marks, scope, depth + 1);
        return valid;
    }

    bool AnyFits(SchemaNode[] schemas, JsonElement value, Marks? marks, DynamicScope? scope, int depth)
    {
        var fits = false;
        foreach (var schema in schemas)
        {
            fits |= Fits(schema, value, marks, scope, depth);
            // All that fit have looked at something.
            if (IsOver || (fits && marks is null))
                break;
        }
        return fits;
    }

    /// <summary>
    /// Exactly one fits. To be lenient must never refuse what is valid: then one has to fit leniently, and no two strictly.
    /// </summary>
    bool CheckOneOf(
        SchemaNode[] schemas,
        JsonElement value,
        ValuePlace? place,
        Marks? marks,
        DynamicScope? scope,
        int depth
    )
    {
        var fitting = 0;
        foreach (var schema in schemas)
            if (!isLenient && Fits(schema, value, marks, scope, depth) && ++fitting > 1)
                break;
            else if (isLenient && Strictly(schema, value, null, scope, depth) && ++fitting > 1)
                break;
        if (fitting > 1)
            return Fail(place, "ONE_OF", "The value must fit only one of the schemas of oneOf.");
        return (isLenient ? AnyFits(schemas, value, marks, scope, depth) : fitting is 1)
            || Fail(place, "ONE_OF", "The value must fit one of the schemas of oneOf.");
    }

    bool CheckCondition(
        SchemaNode node,
        SchemaNode condition,
        JsonElement value,
        ValuePlace? place,
        Marks? marks,
        DynamicScope? scope,
        int depth
    )
    {
        // Without a consequence, the condition still looks at members.
        if (node.Then is null && node.Else is null && marks is null)
            return true;
        var consequence = Strictly(condition, value, marks, scope, depth) ? node.Then : node.Else;
        return consequence is null || Check(consequence, value, place, marks, scope, depth + 1);
    }

    /// <summary>Whether a schema fits that need not. What it looked at counts only if it does.</summary>
    bool Fits(SchemaNode schema, JsonElement value, Marks? marks, DynamicScope? scope, int depth)
    {
        if (marks is null)
            return Check(schema, value, null, null, scope, depth + 1);
        if (!Spend(marks.Count / 8))
            return false;
        var own = new Marks(marks.Count);
        var fits = Check(schema, value, null, own, scope, depth + 1);
        if (fits)
            marks.Add(own);
        return fits;
    }

    /// <summary>
    /// Whether a schema fits when nothing is left out: what is lenient under a negation, a condition or a count would
    /// refuse more instead of less.
    /// </summary>
    bool Strictly(SchemaNode schema, JsonElement value, Marks? marks, DynamicScope? scope, int depth)
    {
        var wasLenient = isLenient;
        isLenient = false;
        var fits = Fits(schema, value, marks, scope, depth);
        isLenient = wasLenient;
        return fits;
    }
}
