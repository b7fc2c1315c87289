using System.Text.Json;

namespace Resources.Grains;

/// <summary>What a resource has of what a definition speaks of.</summary>
public static class ResourceForm
{
    /// <summary>Whether a resource satisfies the definition, apart from other resources. If not, adds its faults.</summary>
    public static bool IsSatisfiedBy(this RuledForm form, Guid id, Resource resource, List<Fault> faults)
    {
        var known = faults.Count;
        var metadata = resource.Metadata.ToElement();
        StateRule? state = null;
        if (form.Definition.Lifecycle is { } lifecycle && !lifecycle.States.TryGetValue(resource.Status, out state))
            faults.Report("/status", "UNKNOWN_STATE", "The lifecycle of the type has no such state.");
        form.Definition.Schema.Check(metadata, "/metadata", faults, state?.IsLenient ?? false);
        state?.Schema?.Check(metadata, "/metadata", faults, state.IsLenient);
        foreach (var pointer in state?.Required ?? [])
            if (resource.ValueAt(new(pointer), metadata) is null)
                faults.Report(pointer, FaultCode.Required, "The member is required in this state.");
        CheckReferences(form, id, resource.Type, metadata, faults);
        return faults.Count == known;
    }

    /// <summary>Adds what has to change in the stored values and references when a resource changes.</summary>
    /// <param name="scope">The scope of the type's unique values.</param>
    /// <param name="before">Null where there was no live resource.</param>
    /// <param name="after">Null where there is none any more.</param>
    /// <param name="isEntered">Whether the values and references of the state before are known to be stored.</param>
    /// <param name="isWanted">Which rules are meant, by their number.</param>
    /// <param name="change">The change that proposes the definition; null where it is in force.</param>
    public static void Move(
        this RuledForm form,
        Guid scope,
        Resource? before,
        Resource? after,
        bool isEntered,
        Func<int, bool> isWanted,
        Guid? change,
        List<Claim> claims,
        List<Reference> made
    )
    {
        if (form is { Unique: [], References: [] })
            return;
        var old = before?.Metadata.ToElement() ?? default;
        var now = after?.Metadata.ToElement() ?? default;
        foreach (var (rule, members) in form.Unique)
            if (form.Fields[rule.Name] is var number && isWanted(number))
            {
                var given = before is null ? null : ValueOf(rule, members, before, old);
                var taken = after is null ? null : ValueOf(rule, members, after, now);
                var isSame = given is not null && taken is not null && given.SequenceEqual(taken);
                if (given is not null && !isSame)
                    claims.Add(new(scope, number, given, false, rule.Members, change));
                if (taken is not null && !(isSame && isEntered))
                    claims.Add(new(scope, number, taken, true, rule.Members, change));
            }
        foreach (var (rule, path) in form.References)
            if (form.Fields[rule.Pointer] is var number && isWanted(number))
            {
                var ended = before is null ? [] : TargetsOf(path, old);
                var begun = after is null ? [] : TargetsOf(path, now);
                made.AddRange(
                    ended
                        .Where(target => !begun.ContainsKey(target.Key))
                        .Select(target => new Reference(number, target.Key, rule.Type, false, target.Value, change))
                );
                made.AddRange(
                    begun
                        .Where(target => !isEntered || !ended.ContainsKey(target.Key))
                        .Select(target => new Reference(number, target.Key, rule.Type, true, target.Value, change))
                );
            }
    }

    /// <summary>The value of a resource at a pointer; null where there is none, or null itself.</summary>
    /// <param name="metadata">That of the resource, parsed.</param>
    public static JsonElement? ValueAt(this Resource resource, MemberPath path, JsonElement metadata) =>
        path.Root switch
        {
            "name" => JsonSerializer.SerializeToElement(resource.Name),
            "status" => JsonSerializer.SerializeToElement(resource.Status),
            "owner" => JsonSerializer.SerializeToElement(resource.Owner),
            _ => path.In(metadata),
        };

    /// <summary>Whether a resource has a unique value.</summary>
    public static bool Has(this RuledForm form, Resource resource, HeldValue addressed)
    {
        var (rule, members) = form.Unique.FirstOrDefault(each => form.Fields[each.Rule.Name] == addressed.Rule);
        return rule is not null
            && ValueOf(rule, members, resource, resource.Metadata.ToElement()) is { } value
            && addressed.Values.Any(one => one.AsSpan().SequenceEqual(value));
    }

    /// <summary>The value of a resource under a unique rule; null where it has none.</summary>
    static byte[]? ValueOf(UniqueRule rule, MemberPath[] members, Resource resource, JsonElement metadata) =>
        UniqueValue.Of(rule, members.Select(member => resource.ValueAt(member, metadata)));

    /// <summary>The targets of a reference, each with the pointer at which it stands first.</summary>
    static Dictionary<Guid, string> TargetsOf(MemberPath path, JsonElement metadata)
    {
        var targets = new Dictionary<Guid, string>();
        foreach (var (pointer, value) in path.AllIn(metadata))
            if (IdIn(value) is { } target)
                targets.TryAdd(target, pointer);
        return targets;
    }

    internal static Guid? IdIn(JsonElement value) =>
        value.ValueKind is JsonValueKind.String && Guid.TryParseExact(value.GetString(), "D", out var id) ? id : null;

    static void CheckReferences(RuledForm form, Guid id, string type, JsonElement metadata, List<Fault> faults)
    {
        var count = 0;
        foreach (var (rule, path) in form.References)
        foreach (var (pointer, value) in path.AllIn(metadata))
        {
            if (value.ValueKind is JsonValueKind.Null)
                continue;
            if (IdIn(value) is not { } target)
                faults.Report(pointer, "NOT_AN_ID", "The value has to be the id of a resource.");
            // The log does not know it yet, so nobody else can say.
            else if (target == id && rule.Type != type)
                faults.Report(
                    pointer,
                    FaultCode.ReferenceNotFound,
                    $"There is no resource of the type '{rule.Type}' with this id."
                );
            else if (++count > Guards.MaxReferences)
            {
                faults.Report(
                    pointer,
                    "TOO_MANY_REFERENCES",
                    $"A resource may have at most {Guards.MaxReferences} references."
                );
                return;
            }
        }
    }
}
