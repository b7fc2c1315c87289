using System.Collections.Frozen;
using System.Text;
using Resources.Grains;

namespace Resources.Api;

/// <summary>
/// The names of types and members in GraphQL. That of a type depends on the type alone, whatever other types a caller
/// sees; type names have no underscore but at their end, so names that are made of them clash with none.
/// </summary>
static class GraphNames
{
    static readonly FrozenSet<string> Taken = FrozenSet.Create(
        "Query",
        "Mutation",
        "Subscription",
        "Node",
        "Resource",
        "FreeResource",
        "DateTime",
        "JSON",
        "Number",
        "Integer",
        "Position",
        "PageInfo",
        "Event",
        "Type",
        "Me",
        "String",
        "Int",
        "Float",
        "Boolean",
        "ID",
        "Delete",
        "ChangeKind",
        "Text",
        "Truth",
        "Time",
        "Objects",
        "Numbers",
        "Truths",
        "Texts"
    );

    /// <summary>Fields of queries, of what mutations answer, of events and of steps of a list: each has one for a type.</summary>
    static readonly FrozenSet<string> TakenFields = FrozenSet.Create(
        "node",
        "resource",
        "resources",
        "events",
        "types",
        "me",
        "position",
        "replayed",
        "id",
        "type",
        "version",
        "time",
        "actor",
        "data",
        "kind"
    );

    /// <summary>What names of types end with that are made of the name of another.</summary>
    static readonly string[] Endings =
    [
        "Metadata",
        "Connection",
        "Edge",
        "Input",
        "Patch",
        "Payload",
        "Where",
        "Sort",
        "Status",
        "Event",
        "Change",
    ];

    /// <summary>The name of a type: <c>PurchaseOrder</c> for <c>purchase-order</c>.</summary>
    public static string TypeOf(string slug)
    {
        var name = Pascal(TypeNames.Camel(slug));
        return Taken.Contains(name) || Array.Exists(Endings, ending => name.EndsWith(ending, StringComparison.Ordinal))
            ? name + "_"
            : name;
    }

    /// <summary>The field of a query for a type, or for its plural.</summary>
    public static string FieldOf(string slug)
    {
        var name = TypeNames.Camel(slug);
        return TakenFields.Contains(name) ? name + "_" : name;
    }

    /// <summary>A name for a member, whatever characters it has.</summary>
    public static string OfMember(string member)
    {
        var name = new StringBuilder(member.Length + 1);
        foreach (var rune in member.EnumerateRunes())
            name.Append(rune.IsAscii && char.IsAsciiLetterOrDigit((char)rune.Value) ? (char)rune.Value : '_');
        if (name.Length is 0 || char.IsAsciiDigit(name[0]))
            name.Insert(0, '_');
        var text = name.ToString();
        return text.StartsWith("__", StringComparison.Ordinal) ? "f" + text : text;
    }

    /// <summary>The name of the type of a member: <c>Book_Publisher</c>.</summary>
    public static string OfMember(string owner, string member) => $"{owner}_{Pascal(OfMember(member))}";

    /// <summary>Whether a text can be a value of an enum.</summary>
    public static bool IsChoice(string text) =>
        text is not ("true" or "false" or "null" or "")
        && !text.StartsWith("__", StringComparison.Ordinal)
        && !char.IsAsciiDigit(text[0])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_');

    static string Pascal(string camel) => char.ToUpperInvariant(camel[0]) + camel[1..];
}
