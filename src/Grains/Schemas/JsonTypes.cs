namespace Resources.Grains;

/// <summary>The types of JSON Schema. A number that is an integer has the flag of integers, any other that of fractions.</summary>
[Flags]
internal enum JsonTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Object = 4,
    Array = 8,
    String = 16,
    Integer = 32,
    Fraction = 64,
    Number = Integer | Fraction,
    All = Null | Boolean | Object | Array | String | Number,
}

/// <summary>Types in sentences.</summary>
internal static class JsonTypeNames
{
    static readonly (JsonTypes Type, string Name)[] All =
    [
        (JsonTypes.Null, "null"),
        (JsonTypes.Boolean, "boolean"),
        (JsonTypes.Object, "object"),
        (JsonTypes.Array, "array"),
        (JsonTypes.String, "string"),
        (JsonTypes.Number, "number"),
        (JsonTypes.Integer, "integer"),
    ];

    /// <summary>The names of the types, such as "string or null".</summary>
    public static string Names(this JsonTypes types)
    {
        var names = new List<string>();
        foreach (var (type, name) in All)
            if ((types & type) == type && !(type is JsonTypes.Integer && (types & JsonTypes.Fraction) != 0))
                names.Add(name);
        return string.Join(" or ", names);
    }
}
