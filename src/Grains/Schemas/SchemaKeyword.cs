using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>Reads one keyword of a subschema into its node.</summary>
internal sealed class SchemaKeyword(
    SchemaCompiler compiler,
    SchemaNode node,
    JsonProperty member,
    string place,
    int nesting
)
{
    /// <summary>The most values of an enum.</summary>
    public const int MaxEnum = 1_000;

    static readonly SearchValues<char> AnchorCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"
    );

    JsonElement Value => member.Value;

    /// <summary>Reads the keyword and reports what is wrong with it.</summary>
    public void Read()
    {
        if (!ReadCore() && !ReadApplicator() && !ReadAssertion() && !ReadAnnotation())
            compiler.Report(
                place,
                FaultCode.UnknownKeyword,
                member.Name is "writeOnly"
                    ? "The keyword writeOnly is not supported: what is written is shown."
                    : "The keyword is not one of JSON Schema 2020-12. Those of your own start with x-."
            );
    }

    bool ReadCore()
    {
        switch (member.Name)
        {
            // The identifier was read with the subschema.
            case "$id":
            case "$vocabulary":
                return true;
            case "$schema":
                compiler.CheckDialect(Value, place);
                return true;
            case "$ref" or "$dynamicRef":
                if (Text() is { } reference)
                    compiler.References.Add(new(node, member.Name, reference));
                return true;
            case "$anchor":
                ReadAnchor(isDynamic: false);
                return true;
            case "$dynamicAnchor":
                ReadAnchor(isDynamic: true);
                return true;
            case "$defs":
                Schemas();
                return true;
            default:
                return false;
        }
    }

    bool ReadApplicator()
    {
        switch (member.Name)
        {
            case "allOf":
                node.AllOf = SchemaList();
                return true;
            case "anyOf":
                node.AnyOf = SchemaList();
                return true;
            case "oneOf":
                node.OneOf = SchemaList();
                return true;
            case "not":
                node.Not = Schema();
                return true;
            case "if":
                node.If = Schema();
                return true;
            case "then":
                node.Then = Schema();
                return true;
            case "else":
                node.Else = Schema();
                return true;
            case "dependentSchemas":
                node.DependentSchemas = [.. Schemas()];
                return true;
            case "prefixItems":
                node.PrefixItems = SchemaList();
                return true;
            case "items":
                node.Items = Schema();
                return true;
            case "contains":
                node.Contains = Schema();
                return true;
            case "unevaluatedItems":
                node.UnevaluatedItems = Schema();
                return true;
            case "properties":
                foreach (var (name, schema) in Schemas())
                    node.Members.Describe(name, schema);
                return true;
            case "patternProperties":
                node.PatternProperties = PatternSchemas();
                return true;
            case "additionalProperties":
                node.AdditionalProperties = Schema();
                return true;
            case "propertyNames":
                node.PropertyNames = Schema();
                return true;
            case "unevaluatedProperties":
                node.UnevaluatedProperties = Schema();
                return true;
            default:
                return false;
        }
    }

    bool ReadAssertion()
    {
        switch (member.Name)
        {
            case "type":
                node.Types = Types();
                return true;
            case "enum":
                node.Enum = Values();
                return true;
            case "const":
                node.Const = Value;
                return true;
            case "multipleOf":
                node.MultipleOf = Number();
                if (node.MultipleOf is { } divisor && JsonNumber.Compare(divisor, "0"u8) <= 0)
                    Invalid("The value is a number above 0.");
                return true;
            case "minimum":
                node.Minimum = Number();
                return true;
            case "maximum":
                node.Maximum = Number();
                return true;
            case "exclusiveMinimum":
                node.ExclusiveMinimum = Number();
                return true;
            case "exclusiveMaximum":
                node.ExclusiveMaximum = Number();
                return true;
            case "minLength":
                node.MinLength = Count();
                return true;
            case "maxLength":
                node.MaxLength = Count();
                return true;
            case "pattern":
                node.Pattern = Text() is { } pattern ? compiler.CompilePattern(pattern, place) : null;
                return true;
            case "format":
                ReadFormat();
                return true;
            case "minItems":
                node.MinItems = Count();
                return true;
            case "maxItems":
                node.MaxItems = Count();
                return true;
            case "uniqueItems":
                node.UniqueItems = Truth();
                return true;
            case "minContains":
                node.MinContains = Count();
                return true;
            case "maxContains":
                node.MaxContains = Count();
                return true;
            case "minProperties":
                node.MinProperties = Count();
                return true;
            case "maxProperties":
                node.MaxProperties = Count();
                return true;
            case "required":
                foreach (var name in Names(Value))
                    node.Members.Require(name);
                return true;
            case "dependentRequired":
                node.DependentRequired = Is(JsonValueKind.Object, "an object of arrays of strings")
                    ? [.. Value.EnumerateObject().Select(Dependency)]
                    : [];
                return true;
            default:
                return false;
        }
    }

    bool ReadAnnotation()
    {
        switch (member.Name)
        {
            case "default":
                node.Default = Value;
                return true;
            case "title" or "description" or "$comment" or "contentEncoding" or "contentMediaType":
                Text();
                return true;
            case "deprecated" or "readOnly":
                Truth();
                return true;
            case "examples":
                Is(JsonValueKind.Array, "an array");
                return true;
            case "contentSchema":
                Schema();
                return true;
            default:
                return member.Name.StartsWith("x-", StringComparison.Ordinal);
        }
    }

    void ReadAnchor(bool isDynamic)
    {
        if (Text() is not { } name)
            return;
        if (
            name.Length is 0
            || !(char.IsAsciiLetter(name[0]) || name[0] == '_')
            || name.AsSpan().ContainsAnyExcept(AnchorCharacters)
        )
            Invalid("An anchor is a letter or _, and then letters, digits, and any of -._");
        else if (!node.Resource.Anchors.TryAdd(name, node) && node.Resource.Anchors[name] != node)
            Invalid("Another subschema has this anchor.");
        else if (isDynamic)
            node.Resource.DynamicAnchors[name] = node;
    }

    void ReadFormat()
    {
        if (Text() is not { } name)
            return;
        node.FormatName = name;
        node.Format = Formats.Named(name);
        if (node.Format is null)
            compiler.Report(place, FaultCode.UnknownFormat, "Formats are checked, and there is none of this name.");
    }

    JsonTypes? Types()
    {
        if (Value.ValueKind is JsonValueKind.String)
            return Type(Value, place);
        if (!Is(JsonValueKind.Array, "the name of a type, or an array of names"))
            return null;
        var types = JsonTypes.None;
        var at = 0;
        foreach (var item in Value.EnumerateArray())
            types |= Type(item, $"{place}/{at++}") ?? JsonTypes.None;
        if (at is 0)
            Invalid("A value has one of the types, so there has to be one.");
        return types;
    }

    JsonTypes? Type(JsonElement name, string at)
    {
        JsonTypes? type = name.ValueKind is not JsonValueKind.String
            ? null
            : name.GetString() switch
            {
                "null" => JsonTypes.Null,
                "boolean" => JsonTypes.Boolean,
                "object" => JsonTypes.Object,
                "array" => JsonTypes.Array,
                "string" => JsonTypes.String,
                "integer" => JsonTypes.Integer,
                "number" => JsonTypes.Number,
                _ => null,
            };
        if (type is null)
            compiler.Report(
                at,
                FaultCode.InvalidKeyword,
                "A type is one of null, boolean, object, array, string, integer, number."
            );
        return type;
    }

    HashSet<JsonElement>? Values()
    {
        if (!Is(JsonValueKind.Array, "an array"))
            return null;
        if (Value.GetArrayLength() > MaxEnum)
        {
            compiler.Report(place, FaultCode.TooLarge, $"An enum has at most {MaxEnum} values.");
            return null;
        }
        return new(Value.EnumerateArray(), JsonValues.Instance);
    }

    byte[]? Number() => Is(JsonValueKind.Number, "a number") ? Encoding.ASCII.GetBytes(Value.GetRawText()) : null;

    int Count()
    {
        if (Value.ValueKind is JsonValueKind.Number)
        {
            var token = Encoding.ASCII.GetBytes(Value.GetRawText());
            // A count beyond what fits is beyond what any value has.
            if (JsonNumber.IsInteger(token) && JsonNumber.Compare(token, "0"u8) >= 0)
                return (int)Math.Min(int.MaxValue, Value.GetDouble());
        }
        Invalid("The value is an integer of at least 0.");
        return 0;
    }

    bool Truth()
    {
        var isTrue = Value.ValueKind is JsonValueKind.True;
        if (!isTrue)
            Is(JsonValueKind.False, "true or false");
        return isTrue;
    }

    string? Text() => Is(JsonValueKind.String, "a string") ? Value.GetString() : null;

    (string, string[]) Dependency(JsonProperty dependency) => (dependency.Name, Names(dependency.Value));

    string[] Names(JsonElement names)
    {
        if (names.ValueKind is JsonValueKind.Array)
        {
            var all = names.EnumerateArray().Where(name => name.ValueKind is JsonValueKind.String).ToArray();
            if (all.Length == names.GetArrayLength())
                return [.. all.Select(name => name.GetString()!)];
        }
        Invalid("Names are an array of strings.");
        return [];
    }

    SchemaNode? Schema() => compiler.Child(node, Value, place, nesting);

    SchemaNode[] SchemaList()
    {
        if (!Is(JsonValueKind.Array, "an array of schemas"))
            return [];
        if (Value.GetArrayLength() is 0)
            Invalid("There has to be a schema.");
        var at = 0;
        var all = new List<SchemaNode>();
        foreach (var item in Value.EnumerateArray())
            if (compiler.Child(node, item, $"{place}/{at++}", nesting) is { } schema)
                all.Add(schema);
        return [.. all];
    }

    List<(string Name, SchemaNode Node)> Schemas()
    {
        var all = new List<(string, SchemaNode)>();
        if (Is(JsonValueKind.Object, "an object of schemas"))
            foreach (var item in Value.EnumerateObject())
                if (compiler.Child(node, item.Value, JsonPointer.Append(place, item.Name), nesting) is { } schema)
                    all.Add((item.Name, schema));
        return all;
    }

    (SchemaPattern, SchemaNode)[] PatternSchemas()
    {
        var all = new List<(SchemaPattern, SchemaNode)>();
        foreach (var (text, schema) in Schemas())
            if (compiler.CompilePattern(text, JsonPointer.Append(place, text)) is { } pattern)
                all.Add((pattern, schema));
        return [.. all];
    }

    bool Is(JsonValueKind kind, string what)
    {
        if (Value.ValueKind == kind)
            return true;
        compiler.Report(place, FaultCode.WrongType, $"The keyword takes {what}.");
        return false;
    }

    void Invalid(string detail) => compiler.Report(place, FaultCode.InvalidKeyword, detail);
}
