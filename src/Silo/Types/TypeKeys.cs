using System.Text.Json;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Finds resources by their unique values. What it finds is of the moment: the append decides.</summary>
public sealed class TypeKeys(TypeBook types, ReadsDb db)
{
    /// <summary>A rule of one member that is in force; null where the type has none of this name.</summary>
    public async Task<UniqueRule?> RuleAsync(string type, string name)
    {
        if (!Slug.IsValid(type))
            return null;
        var rules = types[type].InForce?.Definition.Unique.Any(rule => rule.Name == name) is true
            ? types[type]
            : await types.RefreshAsync(type);
        return rules.InForce?.Definition.Unique.FirstOrDefault(rule => rule.Name == name && rule.Members is [_]);
    }

    /// <summary>The live resource that has a value, as its text stands in an address; null where none has it.</summary>
    public async Task<Guid?> FindAsync(string type, UniqueRule rule, string value, CancellationToken ct)
    {
        var rules = await types.RefreshAsync(type);
        if (rules.InForce?.Fields.TryGetValue(rule.Name, out var number) is not true)
            return null;
        var found = await db.QueryAsync(
            "select resource from unique_claims where scope = $1 and rule = $2 and value = any ($3) limit 1",
            [
                Arg.Of(rules.Fence.Stream),
                Arg.Of(number),
                Arg.Bytes([.. Forms(value).Select(form => UniqueValue.Of(rule, [form])!)]),
            ],
            reader => (Guid?)reader.GetGuid(0),
            ct
        );
        return found.FirstOrDefault();
    }

    /// <summary>Whether a resource would have the value.</summary>
    public static bool Has(UniqueRule rule, Resource resource, string value) =>
        UniqueValue.Of(rule, [new MemberPath(rule.Members[0]).In(resource, resource.Metadata.ToElement())]) is { } own
        && Forms(value).Any(form => UniqueValue.Of(rule, [form])!.AsSpan().SequenceEqual(own));

    /// <summary>What a text in an address may stand for: itself, a number, or a truth value.</summary>
    static IEnumerable<JsonElement?> Forms(string value)
    {
        yield return JsonSerializer.SerializeToElement(value);
        var faults = new List<Fault>();
        using var document = StrictJson.Read(System.Text.Encoding.UTF8.GetBytes(value), faults);
        if (document?.RootElement.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
            yield return document.RootElement.Clone();
    }
}
