using System.Text.Json;

namespace Resources.Grains;

/// <summary>Turns a schema into nodes and reports everything that is wrong with it.</summary>
internal sealed class SchemaCompiler(string pointer, List<Fault> faults)
{
    /// <summary>The most subschemas of a schema.</summary>
    public const int MaxSubschemas = 2_000;

    /// <summary>The deepest nesting of subschemas; the root counts as 1.</summary>
    public const int MaxNesting = 32;

    /// <summary>The most states of all patterns of a schema: what they take of a node's memory.</summary>
    public const int MaxStates = 2 * SchemaPattern.MaxStates;

    const string Dialect = "https://json-schema.org/draft/2020-12/schema";

    int subschemas;
    int states;
    bool isTooLarge;
    bool hasFaults;

    /// <summary>All subschemas, those further out first.</summary>
    public List<SchemaNode> Nodes { get; } = [];

    /// <summary>The subschemas by their place.</summary>
    public Dictionary<string, SchemaNode> ByPlace { get; } = [];

    /// <summary>The resources by their identifiers.</summary>
    public Dictionary<string, SchemaResource> Resources { get; } = [];

    /// <summary>The references that are still to be followed.</summary>
    public List<SchemaReference> References { get; } = [];

    /// <summary>Compiles a whole schema, or returns null and reports why not.</summary>
    public SchemaNode? Compile(JsonElement schema)
    {
        var root = Node(schema, "", outer: null, nesting: 1);
        // What the missing subschemas contain is unknown, so nothing can be said of references.
        if (!isTooLarge)
            new SchemaReferences(this).Follow();
        return hasFaults ? null : root;
    }

    /// <summary>Reports a fault at a place of the schema.</summary>
    public void Report(string place, string code, string detail)
    {
        hasFaults = true;
        faults.Report(pointer + place, code, detail);
    }

    SchemaNode? Node(JsonElement source, string place, SchemaResource? outer, int nesting)
    {
        if (isTooLarge)
            return null;
        if (nesting > MaxNesting || ++subschemas > MaxSubschemas)
        {
            isTooLarge = true;
            Report(
                place,
                FaultCode.TooLarge,
                nesting > MaxNesting
                    ? $"Subschemas may be nested at most {MaxNesting} deep."
                    : $"A schema has at most {MaxSubschemas} subschemas."
            );
            return null;
        }
        if (source.ValueKind is not (JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False))
        {
            Report(place, FaultCode.WrongType, "A schema is an object, true or false.");
            return null;
        }

        var resource = ResourceOf(source, place, outer);
        var node = new SchemaNode(source, place, resource);
        Nodes.Add(node);
        ByPlace[place] = node;
        if (source.ValueKind is JsonValueKind.Object)
            foreach (var member in source.EnumerateObject())
                new SchemaKeyword(this, node, member, JsonPointer.Append(place, member.Name), nesting).Read();
        return node;
    }

    /// <summary>Compiles a subschema of a keyword and enters it in its parent.</summary>
    public SchemaNode? Child(SchemaNode parent, JsonElement source, string place, int nesting)
    {
        var child = Node(source, place, parent.Resource, nesting + 1);
        if (child is not null)
            parent.Children.Add((place[parent.Place.Length..], child));
        return child;
    }

    SchemaResource ResourceOf(JsonElement source, string place, SchemaResource? outer)
    {
        if (source.ValueKind is not JsonValueKind.Object || !source.TryGetProperty("$id"u8, out var id))
            return outer ?? Enter(new("", place));
        if (id.ValueKind is not JsonValueKind.String)
        {
            Report(place + "/$id", FaultCode.WrongType, "An identifier is a string.");
            return outer ?? Enter(new("", place));
        }
        var (uri, fragment) = SchemaUri.Fragment(SchemaUri.Resolve(outer?.Uri ?? "", id.GetString()!));
        if (fragment.Length > 0 || !UriFormats.IsReference(uri, needsScheme: false, isInternational: false))
            Report(place + "/$id", FaultCode.InvalidKeyword, "An identifier is a URI reference without a fragment.");
        else if (Resources.ContainsKey(uri))
            Report(place + "/$id", FaultCode.InvalidKeyword, "Another subschema has this identifier.");
        return Enter(new(uri, place));
    }

    SchemaResource Enter(SchemaResource resource)
    {
        Resources.TryAdd(resource.Uri, resource);
        return resource;
    }

    /// <summary>Reports a dialect other than 2020-12.</summary>
    public void CheckDialect(JsonElement value, string place)
    {
        if (value.ValueKind is not JsonValueKind.String || value.GetString()!.TrimEnd('#') is not Dialect)
            Report(place, FaultCode.UnsupportedDialect, $"The only dialect is {Dialect}.");
    }

    /// <summary>Compiles a pattern, or returns null and reports why not.</summary>
    public SchemaPattern? CompilePattern(string text, string place)
    {
        if (StrictJson.ScalarLength(text) > PatternParser.MaxLength)
        {
            Report(place, FaultCode.TooLarge, $"A pattern has at most {PatternParser.MaxLength} characters.");
            return null;
        }
        if (states > MaxStates)
            return null;
        if (SchemaPattern.Compile(text) is not { } pattern)
        {
            Report(
                place,
                FaultCode.UnsupportedPattern,
                "A pattern is a regular expression of ECMA 262 with the flag u, without look-around and back references, "
                    + $"that takes at most {SchemaPattern.MaxStates} states."
            );
            return null;
        }
        states += pattern.States;
        if (states > MaxStates)
            Report(place, FaultCode.TooCostly, $"The patterns of a schema take at most {MaxStates} states in all.");
        return pattern;
    }
}
