using System.Security.Cryptography;
using System.Text;

namespace Resources.Grains;

/// <summary>
/// The names under which a type is known to generated clients. Each belongs to one type, as resources have unique
/// values, so that no two types can ever clash there.
/// </summary>
public static class TypeNames
{
    /// <summary>The scope of the names among unique values.</summary>
    public static readonly Guid Scope = DerivedId.Of("type-names");

    static string[] Pointers => ["/name", "/names/plural"];

    /// <summary>A slug in camel case: <c>purchaseOrder</c> for <c>purchase-order</c>.</summary>
    public static string Camel(string slug)
    {
        var name = new StringBuilder(slug.Length + 1);
        foreach (var word in slug.Split('-', '_', '.'))
            name.Append(name.Length is 0 ? word[0] : char.ToUpperInvariant(word[0])).Append(word.AsSpan(1));
        return char.IsAsciiDigit(name[0]) ? name.Insert(0, '_').ToString() : name.ToString();
    }

    /// <summary>Whether a type, as it is or as it is to be, has one of the names of a definition.</summary>
    public static bool Clash(TypeRules other, TypeDefinition definition) =>
        Held(other.State).Intersect([Camel(definition.Name), Camel(definition.Plural)]).Any();

    /// <summary>The refusal of a definition whose names another type has.</summary>
    public static readonly Rejection Taken = new(
        Refusal.NameClash,
        "Another type has this name, or this plural, in generated clients.",
        [.. Pointers.Select(pointer => new Fault(pointer, "NAME_CLASH", "Another type has this name, or the plural."))]
    );

    /// <summary>An event that gives a definition's names to the type, and takes those of the forms before.</summary>
    internal static Decision<TypeEvent> Moved(TypeState? state, JsonText definition, TypeEvent happened)
    {
        var after = Of(definition);
        var before = Held(state).Except(after).ToArray();
        // A proposal holds the names of both forms until it is decided.
        return Guarded(happened, happened is TypeChangeProposed ? [] : before, after);
    }

    /// <summary>An event after which the type has only the names of what stays in force.</summary>
    internal static Decision<TypeEvent> Freed(TypeState state, TypeEvent happened)
    {
        var kept = happened is TypeDeleted || state.Form is null ? [] : Of(state.Form.Definition);
        return Guarded(happened, [.. Held(state).Except(kept)], []);
    }

    static Decision<TypeEvent> Guarded(TypeEvent happened, string[] given, string[] taken)
    {
        Decision<TypeEvent> decision = [happened];
        return decision.Under(
            new(
                null,
                [
                    .. given.Select(name => ClaimOf(name, takes: false)),
                    .. taken.Select(name => ClaimOf(name, takes: true)),
                ],
                [],
                false
            )
        );
    }

    static Claim ClaimOf(string name, bool takes) =>
        new(Scope, 0, SHA256.HashData(Encoding.UTF8.GetBytes(name)), takes, Pointers);

    static IEnumerable<string> Held(TypeState? state) =>
        new[] { state?.Form?.Definition, state?.Proposal?.Definition }.OfType<JsonText>().SelectMany(Of).Distinct();

    static string[] Of(JsonText text)
    {
        var definition = text.ToElement();
        var name = definition.GetProperty("name").GetString()!;
        return [Camel(name), Camel(TypeDefinition.PluralOf(definition, name))];
    }
}
