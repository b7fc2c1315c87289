using System.Text.Json;
using GraphQL.Types;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>
/// What to write of an object that is a row or a part of one: each entry is a value of it, or a node that is resolved as
/// others are. One plan serves all rows of a page.
/// </summary>
sealed record RowPlan(IReadOnlyList<RowPlan.Entry> Entries, IReadOnlyList<(GraphQLField Field, FieldType Type)> Nodes)
{
    /// <summary>One member of the answer.</summary>
    public abstract record Entry(JsonEncodedText Key);

    /// <summary>The name of the object's type.</summary>
    public sealed record TypeName(JsonEncodedText Key, string Name) : Entry(Key);

    /// <summary>A value of the row; of its metadata with a plan.</summary>
    public sealed record Row(JsonEncodedText Key, RowValue Value, RowPlan? Inner) : Entry(Key);

    /// <summary>A member of the JSON; an object, or a list of them, with a plan.</summary>
    public sealed record Member(JsonEncodedText Key, GraphMember What, RowPlan? Inner) : Entry(Key);

    /// <summary>A node, by its place among the nodes.</summary>
    public sealed record Node(JsonEncodedText Key, int At) : Entry(Key);
}
