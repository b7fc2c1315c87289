using System.Text.Json;
using Resources.Grains;

namespace Resources.Api;

/// <summary>What a value of a member is in GraphQL.</summary>
enum GraphKind
{
    Text,
    Time,
    Truth,

    /// <summary>A whole number of 32 bits.</summary>
    Int,

    /// <summary>Any whole number, as its digits.</summary>
    Integer,

    /// <summary>Any number, as its digits.</summary>
    Number,

    /// <summary>One of some texts.</summary>
    Choice,

    Object,

    /// <summary>Whatever it is, as JSON.</summary>
    Any,
}

/// <summary>A member of a type's metadata, as it appears in GraphQL.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Property">Its name in the metadata.</param>
/// <param name="TypeName">The name of its type, of those that it alone has; else "".</param>
/// <param name="Members">Those of an object.</param>
/// <param name="Choices">The texts that it can be; of all other kinds none.</param>
/// <param name="Reference">What it refers to by its ids; null where it is no reference.</param>
sealed record GraphMember(
    string Name,
    string Property,
    GraphKind Kind,
    bool IsList,
    string TypeName,
    IReadOnlyList<GraphMember> Members,
    IReadOnlyList<string> Choices,
    ReferenceRule? Reference
)
{
    /// <summary>The name of what inputs and conditions take: of a reference they take the id.</summary>
    public string NameOfInput => Reference is null ? Name : Name + (IsList ? "Ids" : "Id");
}

/// <summary>Reads the members of a type from the schema of its metadata.</summary>
sealed class GraphMembers
{
    /// <summary>Objects that are nested deeper are JSON.</summary>
    const int MaxDepth = 8;

    /// <summary>Further members are hidden: a few definitions that refer to each other unfold to millions.</summary>
    const int MaxMembers = 1_000;

    readonly TypeDefinition definition;
    readonly string owner;
    readonly HashSet<string> typeNames = [];
    readonly List<string> hidden = [];

    /// <summary>The definitions that the reader is within.</summary>
    readonly List<string> open = [];
    int count;

    GraphMembers(TypeDefinition definition, string owner) => (this.definition, this.owner) = (definition, owner);

    /// <summary>The members, and pointers to those that have no name of their own and are only in the JSON.</summary>
    public static (IReadOnlyList<GraphMember> Members, IReadOnlyList<string> Hidden) Of(TypeDefinition definition)
    {
        var reader = new GraphMembers(definition, GraphNames.TypeOf(definition.Name));
        return (reader.Read(definition.Schema.Source, "/metadata", reader.owner, 1), reader.hidden);
    }

    List<GraphMember> Read(JsonElement schema, string pointer, string path, int depth)
    {
        var members = new List<GraphMember>();
        if (!Properties(schema, out var properties))
            return members;
        var names = new HashSet<string>();
        foreach (var property in properties.EnumerateObject())
        {
            var at = JsonPointer.Append(pointer, property.Name);
            if (++count > MaxMembers)
            {
                hidden.Add(at);
                continue;
            }
            var name = GraphNames.OfMember(property.Name);
            if (names.Add(name))
                members.Add(Read(property.Name, name, property.Value, at, path, depth));
            else
                hidden.Add(at);
        }
        return members;
    }

    GraphMember Read(string property, string name, JsonElement schema, string at, string path, int depth)
    {
        var within = open.Count;
        try
        {
            return ReadWithin(property, name, schema, at, path, depth);
        }
        finally
        {
            open.RemoveRange(within, open.Count - within);
        }
    }

    GraphMember ReadWithin(string property, string name, JsonElement schema, string at, string path, int depth)
    {
        schema = Followed(schema);
        var isList = Types(schema) is ["array"];
        var item = isList && schema.TryGetProperty("items", out var items) ? Followed(items) : schema;
        var pointer = isList ? at + "/*" : at;
        var reference = definition.References.FirstOrDefault(rule => rule.Pointer == at || rule.Pointer == pointer);
        var kind = isList && !schema.TryGetProperty("items", out _) ? GraphKind.Any : KindOf(item, depth);
        if (kind is GraphKind.Any)
            return new(name, property, kind, false, "", [], [], reference);
        var typeName = kind is GraphKind.Object or GraphKind.Choice ? Unique(GraphNames.OfMember(path, property)) : "";
        return new(
            name,
            property,
            kind,
            isList,
            typeName,
            kind is GraphKind.Object ? Read(item, pointer, typeName, depth + 1) : [],
            kind is GraphKind.Choice
                ? [.. item.GetProperty("enum").EnumerateArray().OfType<JsonElement>().Select(each => each.GetString()!)]
                : [],
            reference
        );
    }

    static GraphKind KindOf(JsonElement schema, int depth)
    {
        if (schema.ValueKind is not JsonValueKind.Object)
            return GraphKind.Any;
        if (schema.TryGetProperty("enum", out var choices))
            return
                choices
                    .EnumerateArray()
                    .All(each => each.ValueKind is JsonValueKind.String && GraphNames.IsChoice(each.GetString()!))
                && choices.GetArrayLength() > 0
                ? GraphKind.Choice
                : KindOf(Types(schema), schema, depth);
        return KindOf(Types(schema), schema, depth);
    }

    static GraphKind KindOf(string[] types, JsonElement schema, int depth) =>
        types switch
        {
            ["string"] => schema.TryGetProperty("format", out var format) && format.ValueEquals("date-time")
                ? GraphKind.Time
                : GraphKind.Text,
            ["boolean"] => GraphKind.Truth,
            ["integer"] => IsBounded(schema, "minimum", "exclusiveMinimum")
            && IsBounded(schema, "maximum", "exclusiveMaximum")
                ? GraphKind.Int
                : GraphKind.Integer,
            ["number"] => GraphKind.Number,
            ["object"]
                when depth < MaxDepth && Properties(schema, out var members) && members.EnumerateObject().Any() =>
                GraphKind.Object,
            _ => GraphKind.Any,
        };

    /// <summary>Whether a bound lies within 32 bits, so that what is inside does, too.</summary>
    static bool IsBounded(JsonElement schema, params string[] keywords) =>
        keywords.Any(keyword =>
            schema.TryGetProperty(keyword, out var bound)
            && bound.TryGetDouble(out var number)
            && number is >= int.MinValue and <= int.MaxValue
        );

    /// <summary>The types that a value can have, but for null: every member can be null.</summary>
    static string[] Types(JsonElement schema) =>
        schema.ValueKind is not JsonValueKind.Object || !schema.TryGetProperty("type", out var type) ? []
        : type.ValueKind is JsonValueKind.String ? [type.GetString()!]
        : [.. type.EnumerateArray().Select(each => each.GetString()!).Where(each => each is not "null")];

    static bool Properties(JsonElement schema, out JsonElement properties)
    {
        properties = default;
        return schema.ValueKind is JsonValueKind.Object
            && schema.TryGetProperty("properties", out properties)
            && properties.ValueKind is JsonValueKind.Object;
    }

    /// <summary>
    /// The schema that a plain reference to a definition of the same document leads to; not to one that it is within, which
    /// has no end.
    /// </summary>
    JsonElement Followed(JsonElement schema)
    {
        for (var steps = 0; steps < MaxDepth; steps++)
        {
            if (
                schema.ValueKind is not JsonValueKind.Object
                || schema.EnumerateObject().Count() is not 1
                || !schema.TryGetProperty("$ref", out var reference)
                || reference.GetString() is not { } text
                || !text.StartsWith("#/", StringComparison.Ordinal)
                || open.Contains(text)
                || JsonPointer.Parse(text[1..]) is not { } path
                || Find(path) is not { } found
            )
                break;
            open.Add(text);
            schema = found;
        }
        return schema;
    }

    JsonElement? Find(string[] path)
    {
        var at = definition.Schema.Source;
        foreach (var step in path)
            if (at.ValueKind is not JsonValueKind.Object || !at.TryGetProperty(step, out at))
                return null;
        return at;
    }

    string Unique(string name)
    {
        var unique = name;
        for (var number = 2; !typeNames.Add(unique); number++)
            unique = name + number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return unique;
    }
}
