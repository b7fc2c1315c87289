using System.Text.Json;

namespace Resources.Grains;

/// <summary>Members of objects and items of arrays.</summary>
internal sealed partial class SchemaRun
{
    // Up to so many items are compared each with each, which takes no memory.
    const int FewItems = 8;

    bool CheckObject(
        SchemaNode node,
        JsonElement value,
        ValuePlace? place,
        Marks? marks,
        DynamicScope? scope,
        int depth
    )
    {
        var valid = true;
        if (node.MinProperties > 0 && value.GetPropertyCount() < node.MinProperties && !isLenient)
            valid = Fail(place, "MIN_PROPERTIES", $"The object must have at least {node.MinProperties} members.");
        if (node.MaxProperties is { } max && value.GetPropertyCount() > max)
            valid = Fail(place, "MAX_PROPERTIES", $"The object must have at most {max} members.");
        if (node.DependentRequired.Length > 0)
            valid &= CheckDependencies(node, value, place);
        if (!valid && place is null)
            return false;
        return !node.AsksMembers || (CheckMembers(node, value, place, marks, scope, depth) && valid);
    }

    bool CheckMembers(
        SchemaNode node,
        JsonElement value,
        ValuePlace? place,
        Marks? marks,
        DynamicScope? scope,
        int depth
    )
    {
        var valid = true;
        var requiredFound = 0;
        var at = 0;
        foreach (var member in value.EnumerateObject())
        {
            var name = JsonStrings.NameOf(member);
            if (!Spend(MemberCost + name.Length / 8))
                return false;
            var rule = node.Members.Of(name);
            if (rule is { IsRequired: true })
                requiredFound++;
            valid &= CheckMember(node, rule?.Schema, member, name, at++, place, marks, scope, depth);
            if (node.PropertyNames is { } names)
                valid &= CheckName(names, member.Name, place, scope, depth);
            if (!valid && place is null)
                return false;
        }
        if (requiredFound < node.Members.RequiredCount && !isLenient)
            valid = FailRequired(node.Members, value, place);
        return valid;
    }

    /// <summary>Holds a member against what a subschema says of its name.</summary>
    bool CheckMember(
        SchemaNode node,
        SchemaNode? known,
        JsonProperty member,
        ReadOnlySpan<byte> name,
        int at,
        ValuePlace? place,
        Marks? marks,
        DynamicScope? scope,
        int depth
    )
    {
        var valid = true;
        var isKnown = known is not null;
        var below = place?.Below(member.Name);
        if (known is not null)
            valid = Check(known, member.Value, below, null, scope, depth + 1);
        foreach (var (pattern, schema) in node.PatternProperties)
            if (Matches(pattern, name))
            {
                isKnown = true;
                valid &= Check(schema, member.Value, below, null, scope, depth + 1);
            }
        if (!isKnown && node.AdditionalProperties is { } additional)
        {
            isKnown = true;
            valid = additional.TakesNothing
                ? Fail(below, FaultCode.UnknownMember, "The schema has no such member.")
                : Check(additional, member.Value, below, null, scope, depth + 1);
        }
        if (isKnown)
            marks?.Add(at);
        return valid;
    }

    bool CheckName(SchemaNode names, string name, ValuePlace? place, DynamicScope? scope, int depth) =>
        Check(names, JsonSerializer.SerializeToElement(name), null, null, scope, depth + 1)
        || Fail(place?.Below(name), "PROPERTY_NAMES", "The name of the member is not one that the schema allows.");

    bool FailRequired(MemberRules rules, JsonElement value, ValuePlace? place)
    {
        if (place is not null)
            foreach (var rule in rules.All)
                if (!IsOver && rule.IsRequired && !Has(value, rule.Name))
                    FailRequired(place, rule.Name);
        return false;
    }

    bool FailRequired(ValuePlace? place, string name) =>
        Fail(place?.Below(name), FaultCode.Required, "The member is required.");

    bool CheckDependencies(SchemaNode node, JsonElement value, ValuePlace? place)
    {
        var valid = true;
        foreach (var (member, needed) in node.DependentRequired)
        {
            if (!Has(value, member))
                continue;
            foreach (var name in needed)
                if (!Has(value, name))
                    valid = FailRequired(place, name);
        }
        return valid;
    }

    /// <summary>Whether an object has a member. It is looked for among all of them.</summary>
    bool Has(JsonElement value, string member) =>
        Spend(1 + value.GetPropertyCount()) && value.TryGetProperty(member, out _);

    bool CheckArray(SchemaNode node, JsonElement value, ValuePlace? place, Marks? marks, DynamicScope? scope, int depth)
    {
        var valid = true;
        var count = value.GetArrayLength();
        if (count < node.MinItems && !isLenient)
            valid = Fail(place, "MIN_ITEMS", $"The array must have at least {node.MinItems} items.");
        if (count > node.MaxItems)
            valid = Fail(place, "MAX_ITEMS", $"The array must have at most {node.MaxItems} items.");
        if (node.UniqueItems && !AreUnique(value, count))
            valid = Fail(place, "UNIQUE_ITEMS", "The items of the array must differ from each other.");
        if (!valid && place is null)
            return false;
        if (node.PrefixItems.Length > 0 || node.Items is not null)
            valid &= CheckItems(node, value, place, marks, scope, depth);
        if (node.Contains is not null && (valid || place is not null))
            valid &= CheckContains(node, node.Contains, value, place, marks, scope, depth);
        return valid;
    }

    bool CheckItems(SchemaNode node, JsonElement value, ValuePlace? place, Marks? marks, DynamicScope? scope, int depth)
    {
        var valid = true;
        var at = 0;
        foreach (var item in value.EnumerateArray())
        {
            var schema = at < node.PrefixItems.Length ? node.PrefixItems[at] : node.Items;
            if (schema is null)
                break;
            var below = place?.Below($"{at}");
            valid &= schema.TakesNothing
                ? Fail(below, "ITEMS", "The array has more items than the schema allows.")
                : Check(schema, item, below, null, scope, depth + 1);
            if (IsOver || (!valid && place is null))
                return false;
            marks?.Add(at);
            at++;
        }
        return valid;
    }

    bool CheckContains(
        SchemaNode node,
        SchemaNode contained,
        JsonElement value,
        ValuePlace? place,
        Marks? marks,
        DynamicScope? scope,
        int depth
    )
    {
        var min = isLenient ? 0 : node.MinContains ?? 1;
        var found = 0;
        var at = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (IsOver)
                return false;
            if (Strictly(contained, item, null, scope, depth))
            {
                found++;
                marks?.Add(at);
            }
            at++;
            // All items are looked at where the most are bounded, or where each one counts.
            if (marks is null && node.MaxContains is null && found >= min)
                break;
        }
        if (found < min)
            return Fail(
                place,
                node.MinContains is null ? "CONTAINS" : "MIN_CONTAINS",
                $"At least {min} items must fit the schema of contains."
            );
        return !(found > node.MaxContains)
            || Fail(place, "MAX_CONTAINS", $"At most {node.MaxContains} items may fit the schema of contains.");
    }

    bool AreUnique(JsonElement value, int count)
    {
        if (count > FewItems)
        {
            var all = new HashSet<JsonElement>(count, new JsonValues(size => Spend(size)));
            foreach (var item in value.EnumerateArray())
                if (!SpendHash(item) || !all.Add(item))
                    return false;
            return !IsOver;
        }
        if (!Spend((long)JsonValues.Size(value) * count / 2))
            return false;
        for (var i = 1; i < count; i++)
        for (var j = 0; j < i; j++)
            if (JsonValues.AreEqual(value[i], value[j]))
                return false;
        return true;
    }

    bool CheckUnevaluated(
        SchemaNode node,
        JsonElement value,
        ValuePlace? place,
        Marks marks,
        DynamicScope? scope,
        int depth
    )
    {
        var valid = true;
        var at = -1;
        if (value.ValueKind is JsonValueKind.Object)
        {
            foreach (var member in value.EnumerateObject())
                if (!marks[++at] && Spend(1))
                    valid &= CheckRest(
                        node.UnevaluatedProperties!,
                        member.Value,
                        place?.Below(member.Name),
                        scope,
                        depth
                    );
        }
        else
            foreach (var item in value.EnumerateArray())
                if (!marks[++at] && Spend(1))
                    valid &= CheckRest(node.UnevaluatedItems!, item, place?.Below($"{at}"), scope, depth);
        marks.AddAll();
        return valid;
    }

    bool CheckRest(SchemaNode schema, JsonElement value, ValuePlace? place, DynamicScope? scope, int depth) =>
        schema.TakesNothing
            ? Fail(place, FaultCode.UnknownMember, "The schema has no such member or item.")
            : Check(schema, value, place, null, scope, depth + 1);
}
